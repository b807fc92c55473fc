/* SPDX-License-Identifier: MIT */
/* ouro diff: what grew between two snapshots, by type, or by type and holder. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diff.h"
#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "table.h"

#define LIMIT 20

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    HEAPARGS_JSON_OPTION,
    HEAPARGS_LIMIT_OPTION("at most N rows (default 20)"),
    {"holders", HEAPARGS_HOLDERS, NULL, 0, "by who holds them, too", 0},
    {0}};

const struct argp argp_diff = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE LATER-FILE",
    .doc = "Shows which types of objects grew between two snapshots of one program, most bytes "
           "first; with --holders who holds them. Objects are never matched by their address."
           "\vExample:  ouro diff --holders before.snap after.snap"};

typedef struct pair {
  heapfile before, after;
  const diff_row *rows;
  size_t count;
  bool holders;
  path_finder *finder[2]; /* where holders are shown */
} pair;

/* How a program would name the object. */
static void place_of(const heapfile *h, path_finder *finder, graph_node n, char out[HEAP_TEXT]) {
  path p;
  if (path_find(finder, n, &p, 1) == 0) cli_die(CLI_FAILED, "out of memory");
  heap_place(&h->graph, &p, out);
  path_free(&p);
}

/* The holder in the later file, or else as it was. */
static void holder_of(const pair *p, const diff_row *row, char out[HEAP_TEXT]) {
  if (row->after != GRAPH_NONE) place_of(&p->after, p->finder[1], row->after, out);
  else if (row->before != GRAPH_NONE) place_of(&p->before, p->finder[0], row->before, out);
  else strcpy(out, "several");
}

static void set_change(struct libscols_line *line, size_t column, const uint64_t of[2],
                       bool in_bytes) {
  char text[DURATION_TEXT], change[DURATION_TEXT + 2];
  bool less = of[1] < of[0];
  uint64_t by = less ? of[0] - of[1] : of[1] - of[0];
  if (in_bytes) size_format(by, false, text);
  else duration_format_count(by, text);
  snprintf(change, sizeof change, "%s%s", by == 0 ? "" : less ? "-" : "+", text);
  scols_line_set_data(line, column, change);
  if (by > 0) scols_cell_set_color(scols_line_get_cell(line, column), less ? "green" : "red");
}

static void add_row(const pair *p, struct libscols_table *table, const diff_row *row) {
  char text[HEAP_TEXT], count[DURATION_TEXT], bytes[SIZE_TEXT];
  struct libscols_line *line = table_line(table, NULL);
  heap_clean(row->type, text);
  scols_line_set_data(line, 0, heap_shorten(text, p->holders ? 22 : 30));
  set_change(line, 1, row->objects, false);
  set_change(line, 2, row->bytes, true);
  scols_line_set_data(line, 3, duration_format_count(row->objects[1], count));
  scols_line_set_data(line, 4, size_format(row->bytes[1], false, bytes));
  if (!p->holders) return;
  holder_of(p, row, text);
  scols_line_set_data(line, 5, heap_shorten(text, 34));
}

static void print_rows(const pair *p, size_t limit) {
  struct libscols_table *table = table_new();
  int hidden = p->holders ? SCOLS_FL_HIDDEN : 0;
  scols_table_new_column(table, "TYPE", 0, SCOLS_FL_TRUNC);
  scols_table_new_column(table, "OBJECTS", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "BYTES", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "OBJECTS NOW", 0, SCOLS_FL_RIGHT | hidden);
  scols_table_new_column(table, "BYTES NOW", 0, SCOLS_FL_RIGHT | hidden);
  if (p->holders) scols_table_new_column(table, "HELD BY", 0, SCOLS_FL_TRUNC);
  for (size_t i = 0; i < p->count && i < limit; i++) add_row(p, table, &p->rows[i]);
  table_print(table);
  if (p->count > limit)
    printf("and %zu more rows; to see them: --limit %zu\n", p->count - limit, p->count);
}

static json_t *json_row(const pair *p, const diff_row *row) {
  char type[HEAP_TEXT];
  json_t *object =
      json_pack("{s:s, s:[o,o], s:[o,o]}", "type", heap_clean(row->type, type), "objects",
                heap_json_whole(row->objects[0]), heap_json_whole(row->objects[1]), "bytes",
                heap_json_whole(row->bytes[0]), heap_json_whole(row->bytes[1]));
  const char *key = p->holders ? "holder" : "example";
  json_t *where = row->after != GRAPH_NONE    ? heap_json_node(&p->after.graph, row->after)
                  : row->before != GRAPH_NONE ? heap_json_node(&p->before.graph, row->before)
                                              : json_null();
  json_object_set_new(object, key, where);
  if (!p->holders) return object;
  holder_of(p, row, type);
  json_object_set_new(object, "place", json_string(type));
  return object;
}

static void print_json(const pair *p) {
  json_t *list = json_array();
  for (size_t i = 0; i < p->count; i++) json_array_append_new(list, json_row(p, &p->rows[i]));
  heap_json_print(json_pack(
      "{s:[o,o], s:[o,o], s:o}", "objects", heap_json_whole(p->before.graph.nodes),
      heap_json_whole(p->after.graph.nodes), "bytes", heap_json_whole(heapfile_bytes(&p->before)),
      heap_json_whole(heapfile_bytes(&p->after)), "rows", list));
}

static void print_totals(const pair *p) {
  char objects[2][HEAP_COUNT], bytes[2][SIZE_TEXT];
  printf("\nin all: %s, %s; before %s, %s\n",
         heap_count(p->after.graph.nodes, "object", objects[1]),
         size_format(heapfile_bytes(&p->after), false, bytes[1]),
         heap_count(p->before.graph.nodes, "object", objects[0]),
         size_format(heapfile_bytes(&p->before), false, bytes[0]));
}

static void make_finders(pair *p) {
  if (!p->holders) return;
  p->finder[0] = path_finder_make(&p->before.graph);
  p->finder[1] = path_finder_make(&p->after.graph);
  if (p->finder[0] == NULL || p->finder[1] == NULL) cli_die(CLI_FAILED, "out of memory");
}

static void next(const heapargs *what) {
  if (what->holders) print_next("the verdict", "ouro why %s %s", what->word[0], what->word[1]);
  else print_next("who holds them", "ouro diff --holders %s %s", what->word[0], what->word[1]);
}

int cmd_diff(int argc, char **argv) {
  heapargs what = {.least = 2,
                   .most = 2,
                   .missing = "two files, the earlier one first; to write one: ouro snap PID"};
  diff_row *rows;
  cli_parse(&argp_diff, argc, argv, &what);
  pair p = {.holders = what.holders};
  heapfile_need need = what.holders ? HEAPFILE_ALL : HEAPFILE_GRAPH;
  heapfile_open(&p.before, what.word[0], need);
  heapfile_open(&p.after, what.word[1], need);
  bool done = what.holders ? diff_holders(&p.before.reach, &p.after.reach, &rows, &p.count)
                           : diff_types(&p.before.graph, &p.after.graph, &rows, &p.count);
  if (!done) cli_die(CLI_FAILED, "out of memory");
  p.rows = rows;
  make_finders(&p);
  if (what.json) {
    print_json(&p);
  } else {
    if (p.count > 0) print_rows(&p, what.limit > 0 ? what.limit : LIMIT);
    print_totals(&p);
    next(&what);
  }
  free(rows);
  for (int i = 0; i < 2; i++) path_finder_free(p.finder[i]);
  heapfile_close(&p.before);
  heapfile_close(&p.after);
  return CLI_DONE;
}
