/* SPDX-License-Identifier: MIT */
/*
 * Objects of a snapshot in words. Every text that comes from a file is cleaned: what is no UTF-8, a
 * control character, or turns the direction of writing becomes '?', so that no program under study
 * can write to the terminal of who studies it.
 */
#ifndef OURO_CLI_PRINT_HEAP_H
#define OURO_CLI_PRINT_HEAP_H

#include <jansson.h>

#include "analyze/path.h"
#include "analyze/reach.h"

#define HEAP_TEXT 320

/* Each returns `out`; what does not fit is cut between characters. */
const char *heap_clean(snapshot_text text, char out[HEAP_TEXT]);
const char *heap_clean_string(const char *text, char out[HEAP_TEXT]);

/* Cuts a clean text to so many characters, with an ellipsis: of a dotted name its end stays. */
char *heap_shorten(char *text, size_t characters);

/* "shop.models.Session", cleaned. */
const char *heap_type(const graph *g, graph_node n, char out[HEAP_TEXT]);

/* "module shop.cache", "function shop.views.load", or "shop.models.Session at 0x7f5c3a1b2c30". */
const char *heap_name(const graph *g, graph_node n, char out[HEAP_TEXT]);

/* What a leaf holds, as Python writes it: 'user:1', b'\x00', 17; "" where the file does not say. Of
 * many characters the first, and "..." behind. */
const char *heap_value(const graph *g, graph_node n, char out[HEAP_TEXT]);

/* The name with that behind it: "str at 0x7f5c3a1b2c30: 'user:1'". */
const char *heap_name_and_value(const graph *g, graph_node n, char out[HEAP_TEXT]);

/* ".cache", "[3]", "['user:1']", "local request", "cell callback"; "->" of one without a name. */
const char *heap_label(const graph *g, const snapshot_edge *edge, char out[HEAP_TEXT]);

/* "attribute", "index"; "frame", "module": the words of --json and of ouro sql. */
const char *heap_label_kind(snapshot_label_kind kind);
const char *heap_root_kind(snapshot_root_kind kind);
const char *heap_class(reach_class class);

/* "thread MainThread", "interpreter atexit"; what holds the first object of a path. */
const char *heap_root(const graph *g, uint32_t root, char out[HEAP_TEXT]);

/* The address as people type it. */
#define HEAP_ADDRESS 24
const char *heap_address(const graph *g, graph_node n, char out[HEAP_ADDRESS]);

/* A path, one reference per line, names on the left, after `indent` columns, at most 8. A last
 * line says `note` of the last object; NULL: none. */
void print_heap_path(const graph *g, const path *p, size_t indent, const char *note);

/* The same on one line, as the program would write it: "shop.cache.CACHE['user:1'].basket". */
const char *heap_place(const graph *g, const path *p, char out[HEAP_TEXT]);

/* "1 object", "12,431 objects". */
#define HEAP_COUNT 64
const char *heap_count(uint64_t count, const char *one, char out[HEAP_COUNT]);

/* --- JSON --- */

json_t *heap_json_whole(uint64_t value);
/* "address", "type", "name", "size"; "value", of leaves, where the file has it. */
json_t *heap_json_node(const graph *g, graph_node n);
/* "end", "root" {"kind", "name"}, "steps" [node with "label", "label_kind"]. */
json_t *heap_json_path(const graph *g, const path *p);
/* Prints it on several lines and lets it go. */
void heap_json_print(json_t *whole);

#endif
