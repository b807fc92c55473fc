/* SPDX-License-Identifier: MIT */
/* Walking live objects and naming their references, for reports. */
#ifndef OURO_SRC_OBJECT_INSPECT_H
#define OURO_SRC_OBJECT_INSPECT_H

#include "state.h"

/* Visits the live objects of a kind until a visit returns false, and returns whether none did. The
 * visitor may drop or make references, not objects. */
typedef bool (*inspect_fn)(void *ctx, ouro_object *o);
bool inspect_each(runtime *rt, unsigned kind, inspect_fn visit, void *ctx);

/* How many words of slots a page has for objects; 0: its blocks are none. */
uint64_t inspect_words(const runtime *rt, uint64_t number);

/* The name of reference i, as embed_traverse numbers them. */
void inspect_name(const runtime *rt, const ouro_object *o, size_t i, char *out, size_t room);

/* A reference to something that is no object of the heap was found: reports who holds it. */
void inspect_stray(const runtime *rt, const ouro_object *stray);

#endif
