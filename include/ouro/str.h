/* SPDX-License-Identifier: MIT */
/* Strings: UTF-8 text that does not change. Zero bytes are allowed within. Equal as keys if their
 * bytes are: nothing is normalized. */
#ifndef OURO_STR_H
#define OURO_STR_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

OURO_FLEXIBLE typedef struct ouro_str {
  ouro_object object;
  size_t length; /* bytes, the zero byte behind them not included */
  uint64_t hash; /* 0: not yet computed */
  char bytes[];  /* ends with a zero byte */
} ouro_str;

/* A string of `length` bytes of UTF-8, copied. NULL: out of memory, or the bytes are no UTF-8. */
OURO_API OURO_NEW ouro_str *ouro_str_new(ouro_heap *heap, const char *bytes, size_t length);
/* The same from a text that ends with a zero byte. */
OURO_API OURO_NEW ouro_str *ouro_str_text(ouro_heap *heap, const char *text);
/* printf's formats; %s texts must be UTF-8. */
OURO_API OURO_NEW ouro_str *ouro_str_format(ouro_heap *heap, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
OURO_API OURO_NEW ouro_str *ouro_str_concat(const ouro_str *a, const ouro_str *b);

/* The one string of the heap with this text: equal interned strings are the same object. The table
 * of interned strings does not keep them alive. */
OURO_API OURO_NEW ouro_str *ouro_str_intern(ouro_heap *heap, const char *bytes, size_t length);
OURO_API bool ouro_str_is_interned(const ouro_str *str);

OURO_API bool ouro_is_str(const void *object);
static inline const char *ouro_str_bytes(const ouro_str *str) { return str->bytes; }
static inline size_t ouro_str_length(const ouro_str *str) { return str->length; }
/* Code points. */
OURO_API size_t ouro_str_count(const ouro_str *str);
/* As memcmp, by bytes; which is by code points. */
OURO_API int ouro_str_compare(const ouro_str *a, const ouro_str *b);

OURO_END_DECLS

#endif
