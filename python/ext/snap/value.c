/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>

#include "stray.h"

/* Digits that tell a double from all others. */
#define DOUBLE_DIGITS_LEAST 15
#define DOUBLE_DIGITS_MOST 17
#define DOUBLE_ROOM 40

/* A hexadecimal digit has so many bits. */
#define HEX_BITS 4
#define HEX_PREFIX 3 /* -0x */

/* Each returns a form, with SNAPSHOT_CONTENT_CUT where more is there; 0: it cannot be read. */

/* --- Bytes ------------------------------------------------------------------------------------ */

static void put_byte(snaptext *to, unsigned char byte) {
  static const char digits[] = "0123456789abcdef";
  const char plain[] = {(char)byte, 0}, quoted[] = {'\\', (char)byte, 0};
  const char hex[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15], 0};
  switch (byte) {
  case '\n': snaptext_put(to, "\\n"); break;
  case '\r': snaptext_put(to, "\\r"); break;
  case '\t': snaptext_put(to, "\\t"); break;
  case '\'':
  case '\\': snaptext_put(to, quoted); break;
  default: snaptext_put(to, byte < ' ' || byte >= 0x7F ? hex : plain);
  }
}

static uint32_t put_bytes(snaptext *to, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    size_t before = to->length;
    put_byte(to, (unsigned char)bytes[i]);
    if (to->length <= WRITER_CONTENT_MAX) continue;
    to->length = before;
    return SNAPSHOT_CONTENT_BYTES | SNAPSHOT_CONTENT_CUT;
  }
  return SNAPSHOT_CONTENT_BYTES;
}

/* Its bytes lie elsewhere, and where a stray seems to have them there may be nothing. */
static uint32_t put_bytearray(snapwalk *w, snaptext *to, PyObject *o) {
  const PyByteArrayObject *array = (const PyByteArrayObject *)o;
  size_t size = (size_t)Py_SIZE(o), looked_at = size;
  if (size == 0) return SNAPSHOT_CONTENT_BYTES;
  if (looked_at > WRITER_CONTENT_MAX) looked_at = WRITER_CONTENT_MAX;
  const char *bytes = array->ob_start;
  if (Py_SIZE(o) < 0 || Py_SIZE(o) > array->ob_alloc || !snapstray_mapped(w, bytes, looked_at))
    return 0;
  uint32_t form = put_bytes(to, bytes, looked_at);
  return looked_at < size ? form | SNAPSHOT_CONTENT_CUT : form;
}

/* --- Numbers ---------------------------------------------------------------------------------- */

/* The n-th hexadecimal digit from the right. */
static unsigned hex_digit(const digit *digits, size_t count, size_t n) {
  size_t word = n * HEX_BITS / PyLong_SHIFT, bit = n * HEX_BITS % PyLong_SHIFT;
  uint64_t bits = digits[word];
  if (word + 1 < count) bits |= (uint64_t)digits[word + 1] << PyLong_SHIFT;
  return (unsigned)(bits >> bit & 0xF);
}

static size_t hex_digits(const digit *digits, size_t count) {
  size_t bits = (count - 1) * PyLong_SHIFT;
  for (digit top = digits[count - 1]; top != 0; top >>= 1) bits++;
  return (bits + HEX_BITS - 1) / HEX_BITS;
}

/* From the left: of an int of a million digits the last ones are not looked at. */
static uint32_t put_large(snapwalk *w, snaptext *to, PyObject *o, size_t count) {
  const digit *digits = snapcompat_digits(o);
  size_t most = WRITER_CONTENT_MAX * HEX_BITS / PyLong_SHIFT + 2,
         read = count < most ? count : most;
  if (!snapstray_mapped(w, digits + count - read, read * sizeof *digits)) return 0;
  size_t left = hex_digits(digits, count), room = WRITER_CONTENT_MAX - HEX_PREFIX;
  snaptext_put(to, snapcompat_is_negative(o) ? "-0x" : "0x");
  for (; left > 0 && room > 0; room--) {
    char text[2] = {"0123456789abcdef"[hex_digit(digits, count, --left)], 0};
    snaptext_put(to, text);
  }
  return SNAPSHOT_CONTENT_WORD | (left > 0 ? SNAPSHOT_CONTENT_CUT : 0u);
}

/* Three digits of 30 bits may be more than 64 bits, four are. */
static uint32_t put_int(snapwalk *w, snaptext *to, PyObject *o) {
  size_t count = snapcompat_digit_count(o);
  int overflow = count > 3;
  long long number = overflow ? 0 : PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow) return put_large(w, to, o, count);
  snaptext_put_number(to, number);
  return SNAPSHOT_CONTENT_INT;
}

/* Whatever stands for the point in the locale is a point. */
static void use_point(char *text) {
  static const char others[] = "+-0123456789einfa";
  char *to = text;
  for (const char *at = text; *at != '\0';) {
    bool other = strchr(others, *at) != NULL;
    *to++ = other ? *at : '.';
    at += other ? 1 : strcspn(at, others);
  }
  *to = '\0';
}

/* The shortest text that reads as the same number. */
static void put_double(snaptext *to, double number) {
  char text[DOUBLE_ROOM];
  for (int digits = DOUBLE_DIGITS_LEAST; digits <= DOUBLE_DIGITS_MOST; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  use_point(text);
  snaptext_put(to, text);
  if (!strpbrk(text, ".einfa")) snaptext_put(to, ".0");
}

static uint32_t put_float(snaptext *to, PyObject *o) {
  put_double(to, PyFloat_AS_DOUBLE(o));
  return SNAPSHOT_CONTENT_FLOAT;
}

static uint32_t put_complex(snaptext *to, PyObject *o) {
  Py_complex number = ((PyComplexObject *)o)->cval;
  snaptext imaginary = {0};
  put_double(&imaginary, number.imag);
  snaptext_put(to, "(");
  put_double(to, number.real);
  if (imaginary.bytes[0] != '-') snaptext_put(to, "+");
  snaptext_put(to, snaptext_end(&imaginary));
  snaptext_put(to, "j)");
  return SNAPSHOT_CONTENT_WORD;
}

/* --- All -------------------------------------------------------------------------------------- */

static uint32_t put_word(snaptext *to, PyObject *o) {
  const char *word = o == Py_None             ? "None"
                     : o == Py_True           ? "True"
                     : o == Py_False          ? "False"
                     : o == Py_Ellipsis       ? "Ellipsis"
                     : o == Py_NotImplemented ? "NotImplemented"
                                              : NULL;
  if (!word) return 0;
  snaptext_put(to, word);
  return SNAPSHOT_CONTENT_WORD;
}

static uint32_t put_str(snaptext *to, PyObject *o) {
  if (!snaptext_readable(o)) return 0;
  snaptext_put_str(to, o);
  return SNAPSHOT_CONTENT_STR;
}

static uint32_t put_value(snapwalk *w, snaptext *to, PyObject *o) {
  const PyTypeObject *type = Py_TYPE(o);
  if (type == &PyUnicode_Type) return put_str(to, o);
  if (type == &PyLong_Type) return put_int(w, to, o);
  if (type == &PyFloat_Type) return put_float(to, o);
  if (type == &PyBytes_Type)
    return put_bytes(to, PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o));
  if (type == &PyByteArray_Type) return put_bytearray(w, to, o);
  if (type == &PyComplex_Type) return put_complex(to, o);
  return put_word(to, o);
}

void snapvalue_write(snapwalk *w, PyObject *o) {
  snaptext text;
  text.length = 0;
  uint32_t form = put_value(w, &text, o);
  if (form) writer_content(w->out, (uintptr_t)o, form, text.bytes, text.length);
}
