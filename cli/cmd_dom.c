/* SPDX-License-Identifier: MIT */
/* ouro dom: who alone keeps how much alive, as a tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "table.h"

#define LIMIT 10
#define DEPTH 3
#define LIMIT_MOST 1000
#define BELOW 4 /* children of what is not on top, unless --limit says otherwise */
/* Smaller ones are left out, in permille of what is above them and of all; but the first few below
 * what holds much are shown in any case, and all where --limit is given. */
#define OF_ABOVE 10
#define OF_ALL 5
#define MUCH 50
#define SHOWN 3

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    HEAPARGS_JSON_OPTION,
    HEAPARGS_LIMIT_OPTION("at most N below each (default 10 on top, 4 below)"),
    {"depth", HEAPARGS_DEPTH, "N", 0, "so many levels (default 3)", 0},
    {0}};

const struct argp argp_dom = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE [TYPE|ADDRESS]",
    .doc = "Shows who alone keeps what alive: RETAINED is what would be freed if all references to "
           "an object went. Below each object stand those that only it holds, largest first."
           "\vExample:  ouro dom app.snap --depth 5"};

typedef struct tree {
  const heapfile *h;
  size_t limit, below, depth;
  bool all; /* small ones, too */
  uint64_t whole;
  path_finder *finder;
  struct libscols_table *table; /* NULL: JSON */
} tree;

enum { COLUMN_OBJECT, COLUMN_RETAINED, COLUMN_SHARE, COLUMN_OWN };

/* What code calls it: the reference that its dominator has, or where none dominates it and it has
 * no title, how to get there. */
static void label_of(const tree *t, graph_node n, char out[HEAP_TEXT]) {
  const graph *g = &t->h->graph;
  graph_node above = t->h->reach.idom[n];
  snapshot_edge edge;
  snapshot_text_kind kind;
  snapshot_text title;
  path p;
  out[0] = '\0';
  if (above != GRAPH_NONE) {
    if (graph_label(g, above, n, &edge) && edge.kind != SNAPSHOT_UNNAMED) heap_label(g, &edge, out);
  } else if (!snapshot_text_of(g->from, graph_address(g, n), &kind, &title)) {
    if (path_find(t->finder, n, &p, 1) == 0) cli_die(CLI_FAILED, "out of memory");
    if (p.length > 1) heap_place(g, &p, out);
    path_free(&p);
  }
}

/* Characters of what an object is called: with a label, that and the two blanks between leave the
 * name what they do not need. */
#define NAME_ROOM 44
#define LABEL_ROOM 18
#define BOTH_ROOM 48

/* ".cache  dict at 0x...", "['name']  str at 0x...: 'Berlin'" */
static void describe(const tree *t, graph_node n, char out[2 * HEAP_TEXT]) {
  char name[HEAP_TEXT], label[HEAP_TEXT];
  label_of(t, n, label);
  heap_name_and_value(&t->h->graph, n, name);
  bool labelled = label[0] != '\0';
  heap_shorten(label, LABEL_ROOM);
  size_t used = strlen(label) < LABEL_ROOM ? strlen(label) : LABEL_ROOM;
  heap_shorten(name, labelled ? BOTH_ROOM - used : NAME_ROOM);
  snprintf(out, (size_t)2 * HEAP_TEXT, "%.*s%s%.*s", HEAP_TEXT - 4, label, labelled ? "  " : "",
           HEAP_TEXT - 4, name);
}

static const char *share_of(const tree *t, uint64_t bytes, char out[DURATION_TEXT]) {
  if (bytes < t->whole / 1000) return strcpy(out, "< 0.1 %");
  return duration_format_share(bytes, t->whole, out);
}

static struct libscols_line *add_line(const tree *t, struct libscols_line *above, graph_node n) {
  char text[2 * HEAP_TEXT], cell[SIZE_TEXT], share[DURATION_TEXT];
  uint64_t retained = t->h->reach.retained[n];
  struct libscols_line *line = table_line(t->table, above);
  describe(t, n, text);
  scols_line_set_data(line, COLUMN_OBJECT, text);
  scols_line_set_data(line, COLUMN_RETAINED, size_format(retained, false, cell));
  scols_line_set_data(line, COLUMN_SHARE, share_of(t, retained, share));
  scols_line_set_data(line, COLUMN_OWN, size_format(graph_size(&t->h->graph, n), false, cell));
  return line;
}

static json_t *json_object_of(const tree *t, graph_node n) {
  char label[HEAP_TEXT];
  json_t *object = heap_json_node(&t->h->graph, n);
  json_object_set_new(object, "retained", heap_json_whole(t->h->reach.retained[n]));
  label_of(t, n, label);
  if (label[0] != '\0') json_object_set_new(object, "label", json_string(label));
  return object;
}

static json_t *add_below(const tree *t, struct libscols_line *above, graph_node n, size_t depth);

/* One object and what is below it; NULL where no JSON is asked for. */
static json_t *add_object(const tree *t, struct libscols_line *above, graph_node n, size_t depth) {
  struct libscols_line *line = t->table != NULL ? add_line(t, above, n) : NULL;
  json_t *object = t->table == NULL ? json_object_of(t, n) : NULL;
  json_t *children = depth > 1 ? add_below(t, line, n, depth - 1) : NULL;
  if (object != NULL && children != NULL) json_object_set_new(object, "below", children);
  return object;
}

static json_t *add_all(const tree *t, struct libscols_line *above, const graph_node *nodes,
                       size_t count, size_t depth) {
  json_t *list = t->table == NULL ? json_array() : NULL;
  for (size_t i = 0; i < count; i++) {
    json_t *object = add_object(t, above, nodes[i], depth);
    if (object != NULL) json_array_append_new(list, object);
  }
  return list;
}

static uint64_t least_below(const tree *t, graph_node n) {
  uint64_t of_all = t->whole / 1000 * OF_ALL;
  uint64_t of_above = n == GRAPH_NONE ? 0 : t->h->reach.retained[n] / 1000 * OF_ABOVE;
  return of_above > of_all ? of_above : of_all;
}

static json_t *add_below(const tree *t, struct libscols_line *above, graph_node n, size_t depth) {
  size_t room = n == GRAPH_NONE ? t->limit : t->below;
  graph_node *nodes = malloc(room * sizeof *nodes);
  if (nodes == NULL) cli_die(CLI_FAILED, "out of memory");
  size_t count = reach_largest(&t->h->reach, n, nodes, room);
  bool much = n == GRAPH_NONE || t->h->reach.retained[n] > t->whole / 1000 * MUCH;
  size_t shown = t->all ? count : much ? SHOWN : 0;
  while (count > shown && t->h->reach.retained[nodes[count - 1]] < least_below(t, n)) count--;
  json_t *list = add_all(t, above, nodes, count, depth);
  free(nodes);
  return list;
}

/* The largest ones of a type, by insertion: there are few places. */
static size_t largest_of(const tree *t, const heaptarget *target, graph_node *nodes) {
  const uint64_t *retained = t->h->reach.retained;
  size_t count = 0;
  for (graph_node n = 0; n < t->h->graph.nodes; n++) {
    if (!heaptarget_has(target, &t->h->graph, n)) continue;
    if (count == t->limit && retained[n] <= retained[nodes[count - 1]]) continue;
    size_t at = count < t->limit ? count++ : count - 1;
    for (; at > 0 && retained[nodes[at - 1]] < retained[n]; at--) nodes[at] = nodes[at - 1];
    nodes[at] = n;
  }
  return count;
}

static json_t *add_targets(const tree *t, const heaptarget *target) {
  graph_node *nodes = malloc(t->limit * sizeof *nodes);
  if (nodes == NULL) cli_die(CLI_FAILED, "out of memory");
  size_t count = largest_of(t, target, nodes);
  json_t *list = add_all(t, NULL, nodes, count, t->depth);
  free(nodes);
  return list;
}

static void new_table(tree *t) {
  t->table = table_new();
  scols_table_new_column(t->table, "OBJECT", 0, SCOLS_FL_TREE | SCOLS_FL_TRUNC);
  scols_table_new_column(t->table, "RETAINED", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(t->table, "SHARE", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(t->table, "OWN", 0, SCOLS_FL_RIGHT);
}

/* The heaviest one as the example for the next command. */
static void next(const tree *t, const heapargs *what) {
  char address[HEAP_ADDRESS];
  graph_node heaviest;
  if (what->words > 1) {
    print_next("what keeps it alive", "ouro path %s %s", what->word[0], what->word[1]);
  } else if (reach_largest(&t->h->reach, GRAPH_NONE, &heaviest, 1) > 0) {
    heap_address(&t->h->graph, heaviest, address);
    print_next("what keeps it alive", "ouro path %s %s", what->word[0], address);
  }
}

static json_t *json_whole(const tree *t, json_t *list) {
  const uint64_t *bytes = t->h->reach.bytes;
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "bytes", heap_json_whole(t->whole), "held",
                   heap_json_whole(bytes[REACH_ROOT]), "unseen",
                   heap_json_whole(bytes[REACH_UNSEEN]), "garbage",
                   heap_json_whole(bytes[REACH_GARBAGE]), "top", list);
}

int cmd_dom(int argc, char **argv) {
  heapargs what = {.least = 1, .most = 2, .missing = "which file? to write one: ouro snap PID"};
  heapfile h;
  cli_parse(&argp_dom, argc, argv, &what);
  heapfile_open(&h, what.word[0], HEAPFILE_ALL);
  tree t = {.h = &h, .limit = what.limit > 0 ? what.limit : LIMIT, .whole = heapfile_bytes(&h)};
  if (t.limit > LIMIT_MOST) t.limit = LIMIT_MOST;
  t.all = what.limit > 0;
  t.below = what.limit > 0 ? t.limit : BELOW;
  t.depth = what.depth > 0 ? what.depth : DEPTH;
  t.finder = path_finder_make(&h.graph);
  if (t.finder == NULL) cli_die(CLI_FAILED, "out of memory");
  heaptarget target = {.node = GRAPH_NONE};
  if (what.words > 1) heaptarget_find(&target, &h, what.word[1]);
  if (!what.json) new_table(&t);
  json_t *list =
      what.words > 1 ? add_targets(&t, &target) : add_below(&t, NULL, GRAPH_NONE, t.depth);
  if (what.json) {
    heap_json_print(json_whole(&t, list));
  } else {
    table_print(t.table);
    next(&t, &what);
  }
  path_finder_free(t.finder);
  heaptarget_free(&target);
  heapfile_close(&h);
  return CLI_DONE;
}
