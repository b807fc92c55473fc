/* SPDX-License-Identifier: MIT */
/* ouro cycles: rings of references, drawn, and which reference should be weak. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/cycles.h"
#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "table.h"

#define LIMIT 5

static const struct argp_option options[] = {CLI_HELP_OPTION,
                                             HEAPARGS_JSON_OPTION,
                                             HEAPARGS_LIMIT_OPTION("at most N groups (default 5)"),
                                             {0}};

const struct argp argp_cycles = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE",
    .doc = "Shows objects that hold each other in a ring, alike ones together, with the reference "
           "that is best made weak. Garbage among them waits for the cycle collector."
           "\vExample:  ouro cycles app.snap"};

static const char *state_of(reach_class class) {
  switch (class) {
  case REACH_GARBAGE: return "garbage that waits for the collector";
  case REACH_UNSEEN: return "held by references that nothing shows";
  default: return "in use";
  }
}

/* --- One group --- */

static void print_head(size_t number, const cycle_group *one) {
  char rings[HEAP_COUNT], objects[HEAP_COUNT], bytes[SIZE_TEXT], ends[DURATION_TEXT];
  printf("%zu. %s, %s, %s; %s\n", number, heap_count(one->components, "ring", rings),
         heap_count(one->objects, "object", objects), size_format(one->bytes, false, bytes),
         state_of(one->class));
  if (one->finalizers > 0)
    printf("   %s of them have a finalizer\n", duration_format_count(one->finalizers, ends));
}

static size_t drawn(const cycle_group *one) {
  return one->steps < CYCLES_STEPS ? one->steps : CYCLES_STEPS;
}

static void add_line(struct libscols_table *table, const char *label, const char *name,
                     const char *note) {
  char left[HEAP_TEXT], right[HEAP_TEXT], indented[HEAP_TEXT + 8];
  struct libscols_line *line = table_line(table, NULL);
  snprintf(left, sizeof left, "%s", label);
  snprintf(right, sizeof right, "%s", name);
  snprintf(indented, sizeof indented, "   %s", heap_shorten(left, 24));
  scols_line_set_data(line, 0, indented);
  scols_line_set_data(line, 1, heap_shorten(right, 38));
  scols_line_set_data(line, 2, note);
}

static void print_ring(const graph *g, const cycle_group *one) {
  struct libscols_table *table = table_new();
  char label[HEAP_TEXT], name[HEAP_TEXT];
  size_t count = drawn(one);
  scols_table_enable_noheadings(table, 1);
  for (int i = 0; i < 3; i++) scols_table_new_column(table, "", 0, 0);
  add_line(table, "", heap_name_and_value(g, one->nodes[0], name), "");
  for (size_t i = 0; i < count; i++) {
    bool back = i + 1 == one->steps, beyond = !back && i + 1 == count;
    heap_label(g, &one->edges[i], label);
    if (back) strcpy(name, "the first");
    else if (beyond) snprintf(name, sizeof name, "and %zu more", one->steps - count);
    else heap_name_and_value(g, one->nodes[i + 1], name);
    add_line(table, label, name, i == one->weak ? "<- make weak" : "");
  }
  table_print(table);
}

static json_t *json_ring(const graph *g, const cycle_group *one) {
  char label[HEAP_TEXT];
  json_t *steps = json_array();
  for (size_t i = 0; i < drawn(one); i++) {
    json_t *step = heap_json_node(g, one->nodes[i]);
    json_object_set_new(step, "label", json_string(heap_label(g, &one->edges[i], label)));
    json_object_set_new(step, "label_kind", json_string(heap_label_kind(one->edges[i].kind)));
    json_array_append_new(steps, step);
  }
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "class", heap_class(one->class),
                   "rings", heap_json_whole(one->components), "objects",
                   heap_json_whole(one->objects), "bytes", heap_json_whole(one->bytes),
                   "finalizers", heap_json_whole(one->finalizers), "length",
                   heap_json_whole(one->steps), "weak", heap_json_whole(one->weak), "steps", steps);
}

/* --- All --- */

static void print_groups(const graph *g, const cycle_group *groups, size_t count, size_t limit) {
  for (size_t i = 0; i < count && i < limit; i++) {
    if (i > 0) putchar('\n');
    print_head(i + 1, &groups[i]);
    print_ring(g, &groups[i]);
  }
  if (count == 0) puts("no rings: reference counts alone free everything here");
  if (count > limit)
    printf("\nand %zu more groups; to see them: --limit %zu\n", count - limit, count);
}

static void print_json(const graph *g, const cycle_group *groups, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(list, json_ring(g, &groups[i]));
  heap_json_print(json_pack("{s:o}", "groups", list));
}

static void next(const heapargs *what, const graph *g, const cycle_group *groups, size_t count) {
  char address[HEAP_ADDRESS];
  if (count == 0) print_next("what it holds most of", "ouro dom %s", what->word[0]);
  else
    print_next("what keeps it alive", "ouro path %s %s", what->word[0],
               heap_address(g, groups[0].nodes[0], address));
}

int cmd_cycles(int argc, char **argv) {
  heapargs what = {.least = 1, .most = 1, .missing = "which file? to write one: ouro snap PID"};
  heapfile h;
  cycle_group *groups;
  size_t count;
  cli_parse(&argp_cycles, argc, argv, &what);
  heapfile_open(&h, what.word[0], HEAPFILE_CLASSES);
  unsigned all = (1u << REACH_CLASSES) - 1;
  if (!cycles_find(&h.reach, all, &groups, &count)) cli_die(CLI_FAILED, "out of memory");
  if (what.json) {
    print_json(&h.graph, groups, count);
  } else {
    print_groups(&h.graph, groups, count, what.limit > 0 ? what.limit : LIMIT);
    next(&what, &h.graph, groups, count);
  }
  free(groups);
  heapfile_close(&h);
  return CLI_DONE;
}
