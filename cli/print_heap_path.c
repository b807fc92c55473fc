/* SPDX-License-Identifier: MIT */
/* A path, drawn: one reference per line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "print_heap.h"
#include "table.h"

/* --- Steps --- */

static snapshot_edge edge_into(const graph *g, const path *p, size_t step) {
  snapshot_edge edge = {0};
  graph_label(g, p->nodes[step - 1], p->nodes[step], &edge);
  return edge;
}

/* `x.__dict__['name']` is what the program calls `x.name`: the dictionary between is left out. */
static bool is_namespace(const graph *g, graph_node between, const snapshot_edge *in,
                         const snapshot_edge *out) {
  snapshot_text_kind kind;
  snapshot_text key, name = snapshot_name(g->from, in->label);
  bool dict = snapshot_type_of(g->from, g->type[between]).kind == SNAPSHOT_DICT;
  return dict && snapshot_label_named(in->kind) && name.length == 8 &&
         memcmp(name.text, "__dict__", 8) == 0 && out->kind == SNAPSHOT_VALUE &&
         snapshot_text_of(g->from, out->label, &kind, &key) && kind == SNAPSHOT_KEY_STR;
}

/* The label of the reference into node `step`, or of the two through a namespace. Returns how many
 * steps it is. */
static size_t label_step(const graph *g, const path *p, size_t step, char label[HEAP_TEXT]) {
  char key[HEAP_TEXT];
  snapshot_text_kind kind;
  snapshot_text text;
  snapshot_edge into = edge_into(g, p, step), beyond;
  heap_label(g, &into, label);
  if (step + 1 == p->length || into.kind == SNAPSHOT_VALUE) return 1;
  beyond = edge_into(g, p, step + 1);
  if (!is_namespace(g, p->nodes[step], &into, &beyond)) return 1;
  snapshot_text_of(g->from, beyond.label, &kind, &text);
  snprintf(label, HEAP_TEXT, ".%.300s", heap_clean(text, key));
  return 2;
}

/* --- Drawn --- */

/* Of a longer path these many steps at either end are drawn. */
#define STEPS_DRAWN 12
#define INDENT_MOST 16
#define LABEL_ROOM 30
#define NAME_ROOM 44

typedef struct drawing {
  const graph *g;
  const path *p;
  struct libscols_table *table;
  size_t indent;
  size_t lines;
} drawing;

/* Deep steps are no further to the right, and labels get what the indent leaves. */
static void add_line(drawing *d, const char *label, const char *name) {
  char left[2 * HEAP_TEXT], right[HEAP_TEXT];
  size_t deeper = d->lines > INDENT_MOST / 2 ? INDENT_MOST : 2 * d->lines;
  size_t blank = d->indent + deeper, room = LABEL_ROOM - deeper;
  struct libscols_line *line = table_line(d->table, NULL);
  memset(left, ' ', blank);
  snprintf(left + blank, HEAP_TEXT, "%s", label);
  strcat(heap_shorten(left + blank, room), "  ");
  snprintf(right, sizeof right, "%s", name);
  scols_line_set_data(line, 0, left);
  scols_line_set_data(line, 1, heap_shorten(right, NAME_ROOM - d->indent));
  d->lines++;
}

/* The line of its own on which a path begins: it may be longer than a label. */
static void print_first(drawing *d) {
  char holder[HEAP_TEXT] = "", name[HEAP_TEXT];
  graph_node first = d->p->nodes[0];
  if (d->p->end == PATH_ROOT) heap_root(d->g, d->p->root, holder);
  if (d->p->end == PATH_UNSEEN)
    snprintf(holder, sizeof holder, "%" PRIu32 " unseen", reach_unexplained(d->g, first));
  heap_shorten(holder, LABEL_ROOM - 2);
  heap_name_and_value(d->g, first, name);
  heap_shorten(name, NAME_ROOM + (holder[0] == '\0' ? LABEL_ROOM - d->indent : 0));
  printf("%*s%s%s%s\n", (int)d->indent, "", holder, holder[0] != '\0' ? ": " : "", name);
  d->lines = 1;
}

/* Draws the step into node `step`, or the two through a namespace; returns how many. */
static size_t add_step(drawing *d, size_t step) {
  char label[HEAP_TEXT], name[HEAP_TEXT];
  size_t steps = label_step(d->g, d->p, step, label);
  add_line(d, label, heap_name_and_value(d->g, d->p->nodes[step + steps - 1], name));
  return steps;
}

static void add_gap(drawing *d, size_t steps) {
  char text[64], count[DURATION_TEXT];
  snprintf(text, sizeof text, "%s more", duration_format_count(steps, count));
  add_line(d, text, "");
}

static void add_steps(drawing *d) {
  size_t length = d->p->length;
  bool whole = length <= 2 * STEPS_DRAWN + 2;
  for (size_t step = 1; step < length;) {
    if (!whole && step >= STEPS_DRAWN && step < length - STEPS_DRAWN) {
      add_gap(d, length - STEPS_DRAWN - step);
      step = length - STEPS_DRAWN;
    }
    step += add_step(d, step);
  }
}

void print_heap_path(const graph *g, const path *p, size_t indent, const char *note) {
  drawing d = {.g = g, .p = p, .indent = indent};
  if (p->end == PATH_NONE)
    printf("%*snothing leads to it: garbage that waits for the collector\n", (int)indent, "");
  if (p->length == 0) return;
  print_first(&d);
  d.table = table_new();
  scols_table_enable_noheadings(d.table, 1);
  scols_table_new_column(d.table, "", 0, 0);
  scols_table_new_column(d.table, "", 0, SCOLS_FL_TRUNC);
  add_steps(&d);
  if (note != NULL) add_line(&d, "", note);
  table_print(d.table);
}

/* --- On one line --- */

/* What the program calls the first object, or else what holds it. */
static void begin_place(const graph *g, const path *p, char out[HEAP_TEXT]) {
  snapshot_text_kind kind;
  snapshot_text text;
  bool titled = snapshot_text_of(g->from, graph_address(g, p->nodes[0]), &kind, &text);
  if (titled && kind == SNAPSHOT_TITLE) {
    heap_clean(text, out);
    return;
  }
  if (p->end == PATH_ROOT) heap_root(g, p->root, out);
  if (p->end != PATH_ROOT || out[0] == '\0') heap_type(g, p->nodes[0], out);
}

const char *heap_place(const graph *g, const path *p, char out[HEAP_TEXT]) {
  char label[HEAP_TEXT];
  if (p->end == PATH_NONE || p->length == 0) return strcpy(out, "garbage");
  begin_place(g, p, out);
  for (size_t step = 1; step < p->length;) {
    size_t used = strlen(out);
    step += label_step(g, p, step, label);
    if (used + strlen(label) + 2 > HEAP_TEXT) break;
    if (strchr(".[", label[0]) == NULL) strcat(out, " ");
    strcat(out, label);
  }
  return out;
}

/* --- JSON --- */

static const char *end_word(path_end end) {
  return end == PATH_ROOT ? "root" : end == PATH_UNSEEN ? "unseen" : "garbage";
}

static json_t *json_root(const graph *g, uint32_t root) {
  char text[HEAP_TEXT];
  snapshot_root what = snapshot_nth_root(g->from, root);
  return json_pack("{s:s, s:s}", "kind", heap_root_kind(what.kind), "name",
                   heap_clean(what.text, text));
}

static json_t *json_step(const graph *g, const path *p, size_t step) {
  char text[HEAP_TEXT];
  snapshot_edge edge;
  json_t *node = heap_json_node(g, p->nodes[step]);
  if (step == 0 || !graph_label(g, p->nodes[step - 1], p->nodes[step], &edge)) return node;
  json_object_set_new(node, "label", json_string(heap_label(g, &edge, text)));
  json_object_set_new(node, "label_kind", json_string(heap_label_kind(edge.kind)));
  return node;
}

json_t *heap_json_path(const graph *g, const path *p) {
  json_t *whole = json_object(), *steps = json_array();
  json_object_set_new(whole, "end", json_string(end_word(p->end)));
  json_object_set_new(whole, "root", p->end == PATH_ROOT ? json_root(g, p->root) : json_null());
  for (size_t i = 0; i < p->length; i++) json_array_append_new(steps, json_step(g, p, i));
  json_object_set_new(whole, "steps", steps);
  return whole;
}
