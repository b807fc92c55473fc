/* SPDX-License-Identifier: MIT */
/*
 * Words of the verdict. Lines are cut to VERDICT_LINE between characters, and no byte below a space
 * gets into one, whatever the file says.
 */
#ifndef OURO_SRC_ANALYZE_VERDICT_TEXT_H
#define OURO_SRC_ANALYZE_VERDICT_TEXT_H

#include "verdict.h"

#define VERDICT_WORD 96

typedef struct verdict_word {
  char text[VERDICT_WORD];
} verdict_word;

/* "48.3 MiB"; "12,431". */
verdict_word verdict_bytes(uint64_t bytes);
verdict_word verdict_number(uint64_t number);

/* A text of the file, cleaned. */
verdict_word verdict_clean(snapshot_text text);

/* "shop.models.Session"; "(no type)". */
verdict_word verdict_type(const graph *g, graph_node node);

/* "module shop.cache", "dict, 12,431 entries", "function shop.views.load", "shop.Session". */
verdict_word verdict_object(const graph *g, graph_node node);

/* What code calls an object; empty if the file has no title of it. */
snapshot_text verdict_title(const graph *g, graph_node node);

/* Adds `before` and what a leaf holds, "'user:1'", to a line; nothing where the file does not
 * say. */
void verdict_say_value(char line[VERDICT_LINE], const char *before, const graph *g,
                       graph_node node);

/* Adds to a line. */
void verdict_say(char line[VERDICT_LINE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A new line of evidence; the last one is written over where there is no more room. */
char *verdict_line(finding *f);

/* How to name objects of a type to a command: the type's name, or this object's address where the
 * name has characters that a shell or a format takes for something else. */
verdict_word verdict_target(const graph *g, graph_node node);

/* "0x7f5c3a1b2c30". */
verdict_word verdict_address(const graph *g, graph_node node);

#endif
