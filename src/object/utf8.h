/* SPDX-License-Identifier: MIT */
/* UTF-8 as the Unicode standard defines it (version 15, table 3-7): no surrogates, no code point
 * beyond U+10FFFF, none written longer than it must be. */
#ifndef OURO_SRC_OBJECT_UTF8_H
#define OURO_SRC_OBJECT_UTF8_H

#include <ouro/base.h>

bool utf8_is_valid(const char *bytes, size_t length);

/* Code points in valid UTF-8. */
size_t utf8_count(const char *bytes, size_t length);

/* The longest beginning of valid UTF-8 that has at most `most` bytes and ends with a code point. */
size_t utf8_fitting(const char *bytes, size_t length, size_t most);

#endif
