/* SPDX-License-Identifier: MIT */
#include "verdict_path.h"

#include <stdio.h>
#include <string.h>

#include "diff_view.h"

#define CHOICES 16
#define LASTING 8    /* steps more that a path from what lasts may have */
#define OLDER_COST 8 /* the same, for each older call */
#define OLDER_MOST 64
#define DRAWN 8          /* lines of a path; of a longer one the middle is left out */
#define CONTENT_EDGES 64 /* of an object that are looked at */
#define INSIDE_DEPTH 6   /* steps down into what grows */
#define LABEL 20         /* columns of names on the left */

/* --- Choosing -------------------------------------------------------------------------------- */

static snapshot_type_kind step_kind(const graph *g, graph_node node) {
  return snapshot_type_of(g->from, g->type[node]).kind;
}

static bool ends_with(snapshot_text text, const char *end) {
  size_t length = strlen(end);
  return text.length >= length && memcmp(text.text + text.length - length, end, length) == 0;
}

static bool is_text(snapshot_text text, const char *other) {
  return text.length == strlen(other) && ends_with(text, other);
}

static bool is_same(snapshot_text a, snapshot_text b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

/* How many calls of its thread are older: those are written after it. */
static size_t choice_older(const graph *g, uint32_t root) {
  size_t older = 0, roots = (size_t)snapshot_count(g->from).roots;
  snapshot_root own = snapshot_nth_root(g->from, root);
  for (size_t i = (size_t)root + 1; i < roots && older < OLDER_MOST; i++) {
    snapshot_root other = snapshot_nth_root(g->from, i);
    older += other.kind == SNAPSHOT_ROOT_FRAME && is_same(other.text, own.text);
  }
  return older;
}

/* What lasts says more: a module's name before a call in progress, of calls the one that began
 * first. A longer way there is worth it. */
static size_t choice_cost(const graph *g, const path *p) {
  if (p->end == PATH_UNSEEN) return SIZE_MAX / 2;
  if (p->end == PATH_NONE) return SIZE_MAX;
  switch (snapshot_nth_root(g->from, p->root).kind) {
  case SNAPSHOT_ROOT_MODULE:
  case SNAPSHOT_ROOT_UNCOLLECTABLE: return p->length;
  case SNAPSHOT_ROOT_TYPE: return p->length + 1;
  case SNAPSHOT_ROOT_FRAME: return p->length + LASTING + OLDER_COST * choice_older(g, p->root);
  default: return p->length + 2;
  }
}

bool verdict_path_choose(path_finder *f, const graph *g, graph_node target, path *chosen) {
  path paths[CHOICES];
  size_t count = path_find(f, target, paths, CHOICES), best = 0;
  for (size_t i = 1; i < count; i++)
    if (choice_cost(g, &paths[i]) < choice_cost(g, &paths[best])) best = i;
  for (size_t i = 0; i < count; i++)
    if (i != best) path_free(&paths[i]);
  if (count > 0) *chosen = paths[best];
  return count > 0;
}

/* --- Judging --------------------------------------------------------------------------------- */

static verdict_holder holder_of_instance(snapshot_text type) {
  if (is_text(type, "weakref.WeakKeyDictionary")) return HOLDER_REGISTRY;
  if (ends_with(type, "Handler")) return HOLDER_HANDLER;
  if (ends_with(type, ".Task") || ends_with(type, ".Future")) return HOLDER_TASK;
  if (ends_with(type, "ContextVar") || ends_with(type, "hamt")) return HOLDER_TASK;
  return HOLDER_NONE;
}

/* HOLDER_NONE: such an object is on the way to many things. */
static verdict_holder holder_of_step(const graph *g, graph_node node) {
  snapshot_type type = snapshot_type_of(g->from, g->type[node]);
  switch (type.kind) {
  case SNAPSHOT_LRU_CACHE: return HOLDER_CACHE;
  case SNAPSHOT_CELL: return HOLDER_CLOSURE;
  case SNAPSHOT_GENERATOR:
  case SNAPSHOT_TASK:
  case SNAPSHOT_CONTEXT: return HOLDER_TASK;
  case SNAPSHOT_TRACEBACK: return HOLDER_TRACEBACK;
  case SNAPSHOT_FRAME: return HOLDER_FRAME;
  case SNAPSHOT_THREAD_LOCAL: return HOLDER_THREAD;
  case SNAPSHOT_TYPE: return HOLDER_CLASS;
  case SNAPSHOT_MODULE: return HOLDER_GLOBAL;
  default: return holder_of_instance(type.name);
  }
}

/* By the field of the thread that holds it, which the text ends with. */
static verdict_holder holder_of_thread(snapshot_text text) {
  if (ends_with(text, "context")) return HOLDER_TASK;
  if (ends_with(text, "generators' hook") || ends_with(text, "generators' finalizer"))
    return HOLDER_TASK; /* of the event loop */
  if (ends_with(text, "exception")) return HOLDER_TRACEBACK;
  return ends_with(text, "call in progress") ? HOLDER_FRAME : HOLDER_THREAD;
}

static verdict_holder holder_of_root(const graph *g, const path *p) {
  if (p->end != PATH_ROOT) return HOLDER_NONE;
  snapshot_root root = snapshot_nth_root(g->from, p->root);
  switch (root.kind) {
  case SNAPSHOT_ROOT_MODULE:
  case SNAPSHOT_ROOT_NATIVE: return HOLDER_GLOBAL;
  case SNAPSHOT_ROOT_FRAME: return HOLDER_FRAME;
  case SNAPSHOT_ROOT_THREAD: return holder_of_thread(root.text);
  case SNAPSHOT_ROOT_INTERPRETER: return HOLDER_REGISTRY;
  case SNAPSHOT_ROOT_TYPE: return HOLDER_CLASS;
  default: return HOLDER_NONE;
  }
}

/* A frame is kept by something: a traceback, a generator. */
static verdict_holder holder_of_frame(const graph *g, const path *p, size_t frame) {
  for (size_t i = frame; i-- > 0;) {
    snapshot_type_kind kind = step_kind(g, p->nodes[i]);
    if (kind == SNAPSHOT_TRACEBACK || kind == SNAPSHOT_EXCEPTION) return HOLDER_TRACEBACK;
    if (kind == SNAPSHOT_GENERATOR || kind == SNAPSHOT_TASK) return HOLDER_TASK;
  }
  return HOLDER_FRAME;
}

/* Lists of listeners are called after what they are for. */
static bool is_callback_word(snapshot_text name) {
  static const char *const words[] = {"handler",  "listener", "callback", "subscriber",
                                      "observer", "hooks",    "watchers"};
  char lower[VERDICT_WORD];
  size_t length = name.length < sizeof lower - 1 ? name.length : sizeof lower - 1;
  for (size_t i = 0; i < length; i++)
    lower[i] =
        name.text[i] >= 'A' && name.text[i] <= 'Z' ? (char)(name.text[i] + 32) : name.text[i];
  lower[length] = '\0';
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strstr(lower, words[i])) return true;
  return false;
}

static snapshot_text step_name(const graph *g, const path *p, size_t step) {
  snapshot_edge edge;
  snapshot_text text = {NULL, 0};
  snapshot_text_kind kind;
  if (step == 0 || !graph_label(g, p->nodes[step - 1], p->nodes[step], &edge)) return text;
  if (snapshot_label_named(edge.kind)) return snapshot_name(g->from, edge.label);
  if (edge.kind != SNAPSHOT_VALUE || !snapshot_text_of(g->from, edge.label, &kind, &text))
    text.length = 0;
  return text;
}

/* A dictionary that an object has, and that a call has that object: what is asked by key, and does
 * not end with a function. */
static bool is_kept_table(const graph *g, const path *p) {
  if (step_kind(g, p->nodes[p->length - 1]) != SNAPSHOT_DICT) return false;
  for (size_t i = 0; i + 1 < p->length; i++)
    if (step_kind(g, p->nodes[i]) == SNAPSHOT_INSTANCE) return true;
  return false;
}

verdict_holder verdict_path_holder(const graph *g, const path *p) {
  verdict_holder holder = HOLDER_NONE;
  size_t step = p->length;
  while (step-- > 0 && holder == HOLDER_NONE) {
    holder = holder_of_step(g, p->nodes[step]);
    if (holder == HOLDER_FRAME) holder = holder_of_frame(g, p, step);
  }
  if (holder == HOLDER_NONE) holder = holder_of_root(g, p);
  if (holder == HOLDER_FRAME && is_kept_table(g, p)) return HOLDER_CACHE;
  if (holder != HOLDER_GLOBAL && holder != HOLDER_CLASS) return holder;
  return is_callback_word(step_name(g, p, p->length - 1)) ? HOLDER_HANDLER : holder;
}

static verdict_holder content_of_kind(snapshot_type_kind kind) {
  switch (kind) {
  case SNAPSHOT_FUNCTION:
  case SNAPSHOT_METHOD:
  case SNAPSHOT_PARTIAL: return HOLDER_HANDLER;
  case SNAPSHOT_TASK:
  case SNAPSHOT_GENERATOR:
  case SNAPSHOT_CONTEXT: return HOLDER_TASK;
  case SNAPSHOT_TRACEBACK: return HOLDER_TRACEBACK;
  case SNAPSHOT_FRAME: return HOLDER_FRAME;
  default: return HOLDER_NONE;
  }
}

/* A traceback or a context a few steps below: most of what this object alone keeps. */
static verdict_holder content_below(const reach *r, graph_node node, int depth) {
  const graph *g = r->of;
  uint32_t end = g->first_out[node + 1], first = g->first_out[node];
  verdict_holder found = HOLDER_NONE;
  if (end - first > CONTENT_EDGES) end = first + CONTENT_EDGES;
  for (uint32_t e = first; e < end && found == HOLDER_NONE; e++) {
    graph_node below = g->out[e];
    if (r->idom[below] != node || r->retained[below] < r->retained[node] / 2) continue;
    snapshot_type_kind kind = step_kind(g, below);
    bool decides = kind == SNAPSHOT_TRACEBACK || kind == SNAPSHOT_CONTEXT;
    if (decides) found = content_of_kind(kind);
    else if (depth > 1) found = content_below(r, below, depth - 1);
  }
  return found;
}

verdict_holder verdict_content_holder(const reach *r, graph_node example) {
  snapshot_type type = snapshot_type_of(r->of->from, r->of->type[example]);
  verdict_holder holder = content_of_kind(type.kind);
  if (holder != HOLDER_NONE) return holder;
  holder = content_below(r, example, 3);
  if (holder == HOLDER_NONE) holder = holder_of_instance(type.name);
  return holder == HOLDER_REGISTRY ? HOLDER_NONE : holder;
}

/* --- Drawing --------------------------------------------------------------------------------- */

/* Whether the step leads to the dictionary that is an owner's namespace: it is drawn with the next
 * one, as code writes it. */
static bool is_hidden(const graph *g, const path *p, size_t step) {
  if (step == 0 || step + 1 >= p->length || step_kind(g, p->nodes[step]) != SNAPSHOT_DICT)
    return false;
  snapshot_type_kind owner = step_kind(g, p->nodes[step - 1]);
  if (owner == SNAPSHOT_MODULE) return true;
  snapshot_edge edge;
  return graph_label(g, p->nodes[step - 1], p->nodes[step], &edge) &&
         snapshot_label_named(edge.kind) && diff_is_space_name(snapshot_name(g->from, edge.label));
}

/* "the user:…": of keys only the beginning up to the first digit, as it is the same for all. */
static verdict_word common_key(snapshot_text text) {
  verdict_word key = verdict_clean(text);
  size_t end = strcspn(key.text, "0123456789");
  if (end > 16) end = 16;
  while (end > 0 && ((unsigned char)key.text[end] & 0xC0) == 0x80) end--;
  key.text[end] = '\0';
  return key;
}

static void say_key(const graph *g, uint64_t key, bool name, bool many, char line[VERDICT_LINE]) {
  snapshot_text_kind kind;
  snapshot_text text;
  if (!snapshot_text_of(g->from, key, &kind, &text)) verdict_say(line, "[…]");
  else if (name) verdict_say(line, ".%s", verdict_clean(text).text);
  else if (kind == SNAPSHOT_KEY_INT)
    verdict_say(line, "[%s]", many ? "…" : verdict_clean(text).text);
  else if (many) verdict_say(line, "['%s…']", common_key(text).text);
  else verdict_say(line, "['%s']", verdict_clean(text).text);
}

/* `name`: from a namespace. `many`: one of many such references, none in particular. */
static void say_label(const graph *g, const snapshot_edge *edge, bool name, bool many,
                      char line[VERDICT_LINE]) {
  snapshot_text text = snapshot_label_named(edge->kind) ? snapshot_name(g->from, edge->label)
                                                        : (snapshot_text){NULL, 0};
  switch (edge->kind) {
  case SNAPSHOT_INDEX:
    verdict_say(line, many ? "[…]" : "[%s]", verdict_number(edge->label).text);
    break;
  case SNAPSHOT_KEY: verdict_say(line, "key"); break;
  case SNAPSHOT_VALUE: say_key(g, edge->label, name, many, line); break;
  case SNAPSHOT_ATTRIBUTE: verdict_say(line, ".%s", verdict_clean(text).text); break;
  case SNAPSHOT_LOCAL: verdict_say(line, "local %s", verdict_clean(text).text); break;
  case SNAPSHOT_CELLVAR: verdict_say(line, "closure's %s", verdict_clean(text).text); break;
  case SNAPSHOT_INTERNAL: verdict_say(line, "%s", verdict_clean(text).text); break;
  default: verdict_say(line, "·"); break;
  }
}

/* Columns, not bytes. */
static size_t line_width(const char *line) {
  size_t width = 0;
  for (; *line; line++) width += ((unsigned char)*line & 0xC0) != 0x80;
  return width;
}

static void pad_line(char line[VERDICT_LINE], size_t column) {
  verdict_say(line, " ");
  while (line_width(line) < column) verdict_say(line, " ");
}

static const char *root_word(snapshot_root_kind kind) {
  switch (kind) {
  case SNAPSHOT_ROOT_FRAME: return "call in progress, thread";
  case SNAPSHOT_ROOT_THREAD: return "thread";
  case SNAPSHOT_ROOT_INTERPRETER: return "interpreter";
  case SNAPSHOT_ROOT_TYPE: return "static type";
  case SNAPSHOT_ROOT_UNCOLLECTABLE: return "gc.garbage";
  default: return "root";
  }
}

/* Modules, classes and frames say themselves what they are. */
static void draw_root(const graph *g, const path *p, finding *f) {
  char *line = verdict_line(f);
  if (p->end == PATH_UNSEEN) {
    verdict_say(line, "references that no object shows (C code)  %s",
                verdict_object(g, p->nodes[0]).text);
    return;
  }
  snapshot_root root = snapshot_nth_root(g->from, p->root);
  snapshot_type_kind kind = step_kind(g, p->nodes[0]);
  if (kind == SNAPSHOT_MODULE && verdict_title(g, p->nodes[0]).length == 0)
    verdict_say(line, "module %s", verdict_clean(root.text).text);
  else if (kind == SNAPSHOT_MODULE || kind == SNAPSHOT_TYPE || kind == SNAPSHOT_FRAME)
    verdict_say(line, "%s", verdict_object(g, p->nodes[0]).text);
  else
    verdict_say(line, "%s %s  %s", root_word(root.kind), verdict_clean(root.text).text,
                verdict_object(g, p->nodes[0]).text);
}

static void draw_step(const graph *g, const path *p, size_t step, size_t depth, finding *f) {
  snapshot_edge edge;
  char *line = verdict_line(f);
  for (size_t i = 0; i < depth; i++) verdict_say(line, "  ");
  if (graph_label(g, p->nodes[step - 1], p->nodes[step], &edge))
    say_label(g, &edge, is_hidden(g, p, step - 1), false, line);
  pad_line(line, 2 * depth + LABEL);
  verdict_say(line, "%s", verdict_object(g, p->nodes[step]).text);
}

/* Steps that get a line, and of them the first `head` and the last ones. */
static size_t count_shown(const graph *g, const path *p) {
  size_t shown = 0;
  for (size_t i = 1; i < p->length && shown <= 2 * DRAWN; i++) shown += !is_hidden(g, p, i);
  return shown;
}

static size_t path_depth(const graph *g, const path *p) {
  size_t shown = count_shown(g, p);
  return shown > DRAWN ? DRAWN : shown;
}

void verdict_path_draw(const graph *g, const path *p, finding *f) {
  if (p->end == PATH_NONE || p->length == 0) return;
  draw_root(g, p, f);
  bool whole = count_shown(g, p) <= DRAWN;
  size_t depth = 1, step = 1;
  for (; step < p->length && (whole || depth < DRAWN / 2); step++)
    if (!is_hidden(g, p, step)) draw_step(g, p, step, depth++, f);
  if (step >= p->length) return;
  size_t tail = p->length - DRAWN / 2;
  verdict_say(verdict_line(f), "%*s… %s references more", (int)(2 * depth), "",
              verdict_number(tail - step + p->left_out).text);
  for (step = tail, depth++; step < p->length; step++)
    if (!is_hidden(g, p, step)) draw_step(g, p, step, depth++, f);
}

void verdict_path_draw_end(const graph *g, const path *p, graph_node example, const char *what,
                           finding *f) {
  snapshot_edge edge;
  char *line = verdict_line(f);
  size_t depth = p->end == PATH_NONE ? 0 : path_depth(g, p) + 1;
  for (size_t i = 0; i < depth; i++) verdict_say(line, "  ");
  if (p->length > 0 && graph_label(g, p->nodes[p->length - 1], example, &edge))
    say_label(g, &edge, false, true, line);
  else verdict_say(line, "…");
  pad_line(line, 2 * depth + LABEL);
  verdict_say(line, "%s", what);
}

/* The child in the dominator tree that keeps most of what `node` does; GRAPH_NONE: it is spread. */
static graph_node main_part(const reach *r, graph_node node) {
  const graph *g = r->of;
  graph_node best = GRAPH_NONE;
  uint32_t end = g->first_out[node + 1], first = g->first_out[node];
  if (end - first > CONTENT_EDGES) end = first + CONTENT_EDGES;
  for (uint32_t e = first; e < end; e++)
    if (r->idom[g->out[e]] == node && r->retained[g->out[e]] > r->retained[node] / 2)
      best = g->out[e];
  return best;
}

static bool is_variable(const graph *g, graph_node node, uint32_t e) {
  return e >= g->first_out[node] && e < g->first_out[node + 1] &&
         ends_with(snapshot_type_of(g->from, g->type[g->out[e]]).name, "ContextVar");
}

/* In a context a value stands beside its variable, which the program has a name for. */
static bool say_variable(path_finder *f, const graph *g, graph_node node, graph_node below,
                         char line[VERDICT_LINE]) {
  char name[VERDICT_LINE] = "";
  path p;
  uint32_t e = g->first_out[node];
  while (e < g->first_out[node + 1] && g->out[e] != below) e++;
  uint32_t variable = is_variable(g, node, e + 1) ? e + 1 : e - 1;
  if (!is_variable(g, node, variable)) return false;
  if (!verdict_path_choose(f, g, g->out[variable], &p)) return false;
  verdict_path_name(g, &p, name);
  verdict_say(line, "[%s]", name);
  path_free(&p);
  return true;
}

static void say_inside(path_finder *f, const graph *g, graph_node node, graph_node below,
                       char line[VERDICT_LINE]) {
  snapshot_edge edge;
  if (!graph_label(g, node, below, &edge)) return;
  if (line[0]) verdict_say(line, " ");
  if (edge.kind != SNAPSHOT_UNNAMED || !say_variable(f, g, node, below, line))
    say_label(g, &edge, false, true, line);
}

void verdict_path_draw_inside(path_finder *f, const reach *r, graph_node example, finding *to) {
  const graph *g = r->of;
  char line[VERDICT_LINE] = "";
  graph_node node = example;
  for (int depth = 0; depth < INSIDE_DEPTH; depth++) {
    graph_node below = main_part(r, node);
    if (below == GRAPH_NONE || g->type[below] == g->type[example]) break;
    say_inside(f, g, node, below, line);
    node = below;
  }
  if (node == example) return;
  char *told = verdict_line(to);
  verdict_say(told, "most of each is in %s: %s, %s", line, verdict_object(g, node).text,
              verdict_bytes(r->retained[node]).text);
  verdict_say_value(told, ", as ", g, node);
}

/* --- What grows ------------------------------------------------------------------------------ */

static graph_node part_of_kind(const graph *g, graph_node node, snapshot_type_kind kind) {
  uint32_t end = g->first_out[node + 1], first = g->first_out[node];
  if (end - first > CONTENT_EDGES) end = first + CONTENT_EDGES;
  for (uint32_t e = first; e < end; e++)
    if (step_kind(g, g->out[e]) == kind) return g->out[e];
  return GRAPH_NONE;
}

/* What code calls a class, a function, or the function of a method or partial. */
static snapshot_text code_title(const graph *g, graph_node node) {
  snapshot_type_kind kind = step_kind(g, node);
  if (kind == SNAPSHOT_METHOD || kind == SNAPSHOT_PARTIAL) {
    node = part_of_kind(g, node, SNAPSHOT_FUNCTION);
    kind = node == GRAPH_NONE ? SNAPSHOT_OTHER : SNAPSHOT_FUNCTION;
  }
  bool named = kind == SNAPSHOT_FUNCTION || kind == SNAPSHOT_TYPE;
  return named ? verdict_title(g, node) : (snapshot_text){NULL, 0};
}

verdict_word verdict_growing(const graph *g, const diff_growth *row) {
  verdict_word word = verdict_clean(row->type);
  if (row->example_count == 0) return word;
  snapshot_text title = code_title(g, row->examples[0]);
  for (size_t i = 1; i < row->example_count; i++)
    if (!is_same(title, code_title(g, row->examples[i]))) return word;
  size_t length = strlen(word.text);
  if (title.length > 0 && length < 24)
    snprintf(word.text + length, VERDICT_WORD - length, " %.70s", verdict_clean(title).text);
  return word;
}

/* --- Names ----------------------------------------------------------------------------------- */

static void name_begin(const graph *g, const path *p, size_t step, char line[VERDICT_LINE]) {
  snapshot_type_kind kind = step_kind(g, p->nodes[step]);
  snapshot_text title = verdict_title(g, p->nodes[step]);
  line[0] = '\0';
  if (kind == SNAPSHOT_FRAME) verdict_say(line, "call ");
  if (title.length == 0 && step == 0 && p->end == PATH_ROOT)
    title = snapshot_nth_root(g->from, p->root).text;
  if (title.length > 0) verdict_say(line, "%s", verdict_clean(title).text);
  else verdict_say(line, "%s", verdict_type(g, p->nodes[step]).text);
}

static bool names_itself(snapshot_type_kind kind) {
  return kind == SNAPSHOT_MODULE || kind == SNAPSHOT_TYPE || kind == SNAPSHOT_FUNCTION ||
         kind == SNAPSHOT_FRAME;
}

/* From the last step that has a name of its own: what is before it says nothing more. */
void verdict_path_name(const graph *g, const path *p, char line[VERDICT_LINE]) {
  size_t step = p->length - 1;
  while (step > 0 && !(names_itself(step_kind(g, p->nodes[step])) &&
                       verdict_title(g, p->nodes[step]).length > 0))
    step--;
  name_begin(g, p, step, line);
  if (p->length - step > 8) {
    verdict_say(line, " …");
    step = p->length - 4;
  }
  for (step++; step < p->length; step++) {
    snapshot_edge edge;
    if (is_hidden(g, p, step) || !graph_label(g, p->nodes[step - 1], p->nodes[step], &edge))
      continue;
    bool joins = edge.kind == SNAPSHOT_INDEX || edge.kind == SNAPSHOT_VALUE ||
                 edge.kind == SNAPSHOT_ATTRIBUTE;
    if (edge.kind == SNAPSHOT_UNNAMED || edge.kind == SNAPSHOT_KEY) continue;
    if (!joins) verdict_say(line, " ");
    say_label(g, &edge, is_hidden(g, p, step - 1), false, line);
  }
}
