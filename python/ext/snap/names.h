/* SPDX-License-Identifier: MIT */
/* What things are called: texts put together without memory, and the ids of names in a snapshot. */
#ifndef OURO_EXT_SNAP_NAMES_H
#define OURO_EXT_SNAP_NAMES_H

#include "../compat.h"
#include "pages.h"
#include "snapshot/writer.h"

/* A text under construction; what does not fit is cut, between characters. */
#define SNAPTEXT_ROOM 400
typedef struct snaptext {
  size_t length;
  char bytes[SNAPTEXT_ROOM + 1];
} snaptext;

void snaptext_put(snaptext *to, const char *text);
/* A str; nothing of what is none. Lone surrogates become '?'. */
void snaptext_put_str(snaptext *to, PyObject *text);
void snaptext_put_number(snaptext *to, long long number);
/* Terminated; lives as long as `of`. */
const char *snaptext_end(snaptext *of);

/* Whether it is a plain str with characters that can be read without doing anything. */
bool snaptext_readable(PyObject *o);
/* Whether that equals an ASCII text. */
bool snaptext_equals(PyObject *o, const char *text);
/* Whether it is interned and has the form of an identifier: a name in somebody's code. */
bool snaptext_is_name(PyObject *o);
/* Of equal contents equal; never 0. */
uint32_t snaptext_digest(uint32_t salt, const void *bytes, size_t size);

/* Ids of names, by the address of the text. */
typedef struct snapnames {
  struct snapname *slots;
  size_t room, count;
  snappages *pages;
  writer *out;
} snapnames;

/* The text must stay where it is. */
uint32_t snapnames_text(snapnames *names, const char *text);
uint32_t snapnames_str(snapnames *names, PyObject *text);

#endif
