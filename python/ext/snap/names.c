/* SPDX-License-Identifier: MIT */
#include "names.h"

#define DIGEST_BYTES 4096

/* --- Texts ------------------------------------------------------------------------------------ */

void snaptext_put(snaptext *to, const char *text) {
  size_t length = strlen(text), room = SNAPTEXT_ROOM - to->length;
  if (length > room)
    for (length = room; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;) length--;
  memcpy(to->bytes + to->length, text, length);
  to->length += length;
}

static bool put_character(snaptext *to, Py_UCS4 c) {
  if (to->length + 4 > SNAPTEXT_ROOM) return false;
  char *at = to->bytes + to->length;
  if (c >= 0xD800 && c < 0xE000) c = '?';
  if (c < 0x80) {
    at[0] = (char)c;
    to->length += 1;
  } else if (c < 0x800) {
    at[0] = (char)(0xC0 | c >> 6), at[1] = (char)(0x80 | (c & 0x3F));
    to->length += 2;
  } else if (c < 0x10000) {
    at[0] = (char)(0xE0 | c >> 12), at[1] = (char)(0x80 | (c >> 6 & 0x3F));
    at[2] = (char)(0x80 | (c & 0x3F));
    to->length += 3;
  } else {
    at[0] = (char)(0xF0 | c >> 18), at[1] = (char)(0x80 | (c >> 12 & 0x3F));
    at[2] = (char)(0x80 | (c >> 6 & 0x3F)), at[3] = (char)(0x80 | (c & 0x3F));
    to->length += 4;
  }
  return true;
}

bool snaptext_readable(PyObject *o) {
  return o && PyUnicode_CheckExact(o) && compat_str_is_compact(o);
}

void snaptext_put_str(snaptext *to, PyObject *text) {
  if (!snaptext_readable(text)) return;
  Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  const void *data = PyUnicode_DATA(text);
  int kind = (int)PyUnicode_KIND(text);
  for (Py_ssize_t i = 0; i < length; i++)
    if (!put_character(to, PyUnicode_READ(kind, data, i))) return;
}

void snaptext_put_number(snaptext *to, long long number) {
  char digits[24], *at = digits + sizeof digits - 1;
  unsigned long long rest =
      number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
  *at = 0;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) *--at = '-';
  snaptext_put(to, at);
}

const char *snaptext_end(snaptext *of) {
  of->bytes[of->length] = 0;
  return of->bytes;
}

bool snaptext_equals(PyObject *o, const char *text) {
  if (!snaptext_readable(o) || !PyUnicode_IS_ASCII(o)) return false;
  size_t length = strlen(text);
  return (size_t)PyUnicode_GET_LENGTH(o) == length && !memcmp(PyUnicode_DATA(o), text, length);
}

static bool is_name_character(Py_UCS4 c, bool first) {
  bool letter = (c | 0x20) - 'a' < 26 || c == '_' || c >= 0x80;
  return letter || (!first && c - '0' < 10);
}

bool snaptext_is_name(PyObject *o) {
  if (!snaptext_readable(o) || !PyUnicode_CHECK_INTERNED(o)) return false;
  Py_ssize_t length = PyUnicode_GET_LENGTH(o);
  for (Py_ssize_t i = 0; i < length; i++)
    if (!is_name_character(PyUnicode_READ_CHAR(o, i), i == 0)) return false;
  return length > 0;
}

/* Multiplies eight bytes at a time: it is no secret, only short. */
uint32_t snaptext_digest(uint32_t salt, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  size_t left = size < DIGEST_BYTES ? size : DIGEST_BYTES;
  uint64_t mixed = size * 0x9E3779B97F4A7C15u ^ salt;
  for (; left > 0; left -= left < 8 ? left : 8, at += 8) {
    uint64_t word = 0;
    memcpy(&word, at, left < 8 ? left : 8);
    mixed = (mixed ^ word) * 0xFF51AFD7ED558CCDu;
    mixed ^= mixed >> 32;
  }
  mixed = (mixed ^ mixed >> 29) * 0xC4CEB9FE1A85EC53u;
  return (uint32_t)(mixed >> 32) ? (uint32_t)(mixed >> 32) : 1;
}

/* --- Ids -------------------------------------------------------------------------------------- */

typedef struct snapname {
  const void *text;
  uint32_t id;
} snapname;

static snapname *slot_of(const snapnames *names, const void *text) {
  size_t at = (size_t)((uintptr_t)text * 0x9E3779B97F4A7C15u >> 20) & (names->room - 1);
  while (names->slots[at].text && names->slots[at].text != text) at = (at + 1) & (names->room - 1);
  return &names->slots[at];
}

static bool widen(snapnames *names) {
  snapnames wider = *names;
  wider.room = names->room ? names->room * 2 : 4096;
  wider.slots = snappages_take(names->pages, wider.room * sizeof *wider.slots);
  if (!wider.slots) return false;
  for (size_t i = 0; i < names->room; i++)
    if (names->slots[i].text) *slot_of(&wider, names->slots[i].text) = names->slots[i];
  *names = wider;
  return true;
}

/* Whether the name has an id, or where it is to be put; NULL: no memory. */
static snapname *find(snapnames *names, const void *text) {
  if (names->count >= names->room / 2 && !widen(names)) return NULL;
  return slot_of(names, text);
}

static uint32_t add(snapnames *names, snapname *slot, const void *key, const char *text,
                    size_t length) {
  *slot = (snapname){key, writer_name(names->out, text, length)};
  names->count++;
  return slot->id;
}

uint32_t snapnames_text(snapnames *names, const char *text) {
  snapname *slot = find(names, text);
  if (!slot) return 0;
  return slot->text ? slot->id : add(names, slot, text, text, strlen(text));
}

uint32_t snapnames_str(snapnames *names, PyObject *str) {
  snapname *slot = find(names, str);
  if (!slot) return 0;
  if (slot->text) return slot->id;
  snaptext text = {0};
  snaptext_put_str(&text, str);
  return add(names, slot, str, text.bytes, text.length);
}
