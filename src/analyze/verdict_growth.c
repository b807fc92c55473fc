/* SPDX-License-Identifier: MIT */
/* Reachable objects that grow, by holder; objects that only unseen references hold, by type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict_parts.h"

#define GROWTH_MOST 8     /* holders looked at */
#define GROWTH_MINOR 0.05 /* of what grew most: less is not worth a line */
#define GROWTH_CROWD 8    /* references more from which an object on a path is what holds many */

/* Rows of one holder. */
typedef struct growth_case {
  const diff_growth *main; /* the row that grew most */
  uint64_t holder;
  reach_class class;
  graph_node node; /* the holder in the last heap, GRAPH_NONE: not known yet */
  uint64_t bytes[VERDICT_HEAPS];
  bool merged;
} growth_case;

static int64_t growth_delta(const verdict_case *c, const uint64_t *values) {
  return (int64_t)(values[c->count - 1] - values[0]);
}

static void growth_count(const verdict_case *c, growth_case *into, const diff_growth *row) {
  for (size_t h = 0; h < c->count; h++) into->bytes[h] += row->bytes[h];
}

/* Rows without a holder stand for themselves until a path says who it is. */
static bool growth_same(const growth_case *a, const diff_growth *row) {
  return row->holder != 0 && a->holder == row->holder && a->class == row->class;
}

static int growth_by_holder(const void *a, const void *b) {
  const diff_growth *x = a, *y = b;
  if (x->holder != y->holder) return x->holder < y->holder ? -1 : 1;
  if (x->class != y->class) return x->class < y->class ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* As many objects as before, and larger ones: what grows is they themselves, a table mostly. With
 * what they hold that is one case. */
static void growth_turn_to_selves(const verdict_case *c, diff_growth *rows, size_t row_count) {
  for (size_t i = 0; i < row_count; i++) {
    diff_growth *row = &rows[i];
    if (row->objects[0] != row->objects[c->count - 1] || row->example_count == 0) continue;
    row->holder = row->place;
    row->after = row->examples[0];
  }
}

static bool growth_is_self(const diff_growth *row) { return row->holder == row->place; }

/* What tells more of a case: what came rather than what got larger, then more bytes. */
static bool growth_tells_more(const verdict_case *c, const diff_growth *row,
                              const diff_growth *other) {
  if (growth_is_self(row) != growth_is_self(other)) return growth_is_self(other);
  return growth_delta(c, row->bytes) > growth_delta(c, other->bytes);
}

/* One case per holder, in the order of their signatures. NULL: out of memory. */
static growth_case *growth_cases(const verdict_case *c, diff_growth *rows, size_t row_count,
                                 size_t *count) {
  growth_case *cases = calloc(row_count + 1, sizeof *cases);
  *count = 0;
  if (!cases) return NULL;
  growth_turn_to_selves(c, rows, row_count);
  if (row_count) qsort(rows, row_count, sizeof *rows, growth_by_holder);
  for (size_t i = 0; i < row_count; i++) {
    const diff_growth *row = &rows[i];
    growth_case *into = *count ? &cases[*count - 1] : NULL;
    if (!into || !growth_same(into, row)) {
      into = &cases[(*count)++];
      *into = (growth_case){
          .main = row, .holder = row->holder, .class = row->class, .node = row->after};
    }
    if (growth_tells_more(c, row, into->main)) {
      into->main = row;
      into->node = row->after;
    }
    growth_count(c, into, row);
  }
  return cases;
}

/* --- Whose it is ----------------------------------------------------------------------------- */

/* The nearest object above the last of the path that refers to many. */
static size_t growth_crowded(const graph *g, const path *p) {
  for (size_t i = p->length - 1; i-- > 0;)
    if (graph_out_degree(g, p->nodes[i]) >= GROWTH_CROWD) return i;
  return p->length >= 2 ? p->length - 2 : 0;
}

/* Objects in several containers have no single holder: the one that most examples are reached
 * through is it. */
static graph_node growth_vote(verdict_case *c, const diff_growth *row) {
  graph_node nodes[DIFF_EXAMPLES], best = GRAPH_NONE;
  size_t count = 0, most = 0;
  for (size_t i = 0; i < row->example_count; i++) {
    path p;
    path_finder *finder = verdict_finder(c);
    if (!finder || !verdict_path_choose(finder, c->g, row->examples[i], &p)) {
      c->failed = true;
      return GRAPH_NONE;
    }
    if (p.end == PATH_ROOT && p.length >= 2) nodes[count++] = p.nodes[growth_crowded(c->g, &p)];
    path_free(&p);
  }
  for (size_t i = 0; i < count; i++) {
    size_t votes = 0;
    for (size_t j = 0; j < count; j++) votes += nodes[j] == nodes[i];
    if (votes > most) most = votes, best = nodes[i];
  }
  return best;
}

/* Cases that turn out to have the same holder are one. */
static void growth_merge(const verdict_case *c, growth_case **cases, size_t count) {
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count; j++) {
      bool same = cases[i]->node != GRAPH_NONE && cases[i]->node == cases[j]->node;
      if (!same || cases[i]->merged || cases[j]->merged) continue;
      cases[j]->merged = true;
      for (size_t h = 0; h < c->count; h++) cases[i]->bytes[h] += cases[j]->bytes[h];
    }
}

/* --- The finding ----------------------------------------------------------------------------- */

static void growth_say_snapshots(const verdict_case *c, const growth_case *k, finding *f) {
  char *line = verdict_line(f);
  for (size_t h = 0; h < c->count; h++)
    verdict_say(line, "%s%s", h ? " → " : "", verdict_bytes(k->bytes[h]).text);
  if (c->v->seconds > 0) verdict_say(line, " in %.0f s", c->v->seconds);
  const uint64_t *objects = k->main->objects;
  verdict_say(line, "; %s → %s objects", verdict_number(objects[0]).text,
              verdict_number(objects[c->count - 1]).text);
}

/* Counts that references explain: nobody unseen holds it too. */
static void growth_say_count(const verdict_case *c, graph_node node, finding *f) {
  if (!graph_counted(c->g, node)) return;
  uint32_t count = c->g->count[node], unseen = reach_unexplained(c->g, node);
  char *line = verdict_line(f);
  verdict_say(line, "its count is %s; %s references found", verdict_number(count).text,
              unseen ? verdict_number(count - unseen).text : "all");
}

static verdict_word growth_example(const verdict_case *c, const growth_case *k) {
  verdict_word word;
  uint64_t objects = k->main->objects[c->count - 1];
  verdict_word bytes = verdict_bytes(k->bytes[c->count - 1]);
  verdict_word type = verdict_growing(c->g, k->main);
  snprintf(word.text, sizeof word.text, "%.50s × %.20s  %.18s", type.text,
           verdict_number(objects).text, bytes.text);
  return word;
}

/* "8,000 more Session held by module global shop.cache.CACHE", "a larger list: ...". */
static void growth_title(const verdict_case *c, const growth_case *k, const path *p, finding *f) {
  char name[VERDICT_LINE];
  int64_t delta = growth_delta(c, k->main->objects);
  verdict_word type = verdict_growing(c->g, k->main);
  const char *kind = verdict_holder_name(f->holder);
  verdict_path_name(c->g, p, name);
  if (growth_is_self(k->main)) verdict_say(f->title, "a larger %.60s: ", type.text);
  else if (delta <= 0) verdict_say(f->title, "larger %.60s held by ", type.text);
  else
    verdict_say(f->title, "%s more %.60s held by ", verdict_number((uint64_t)delta).text,
                type.text);
  verdict_say(f->title, "%s%s%s", kind, kind[0] ? " " : "", name);
}

/* What the path says, unless what grows says more; a closure says more than a global. */
static verdict_holder growth_holder(const verdict_case *c, const growth_case *k, const path *p) {
  verdict_holder holder = verdict_path_holder(c->g, p);
  if (holder != HOLDER_GLOBAL && holder != HOLDER_CLASS && holder != HOLDER_NONE &&
      holder != HOLDER_FRAME)
    return holder;
  verdict_holder content = k->main->example_count > 0 && !growth_is_self(k->main)
                               ? verdict_content_holder(c->last, k->main->examples[0])
                               : HOLDER_NONE;
  return content == HOLDER_NONE ? holder : content;
}

static void growth_report(verdict_case *c, const growth_case *k) {
  path p;
  path_finder *finder = verdict_finder(c);
  if (!finder || !verdict_path_choose(finder, c->g, k->node, &p)) {
    c->failed = true;
    return;
  }
  bool given_up = p.end == PATH_ROOT && snapshot_nth_root(c->g->from, p.root).kind ==
                                            SNAPSHOT_ROOT_UNCOLLECTABLE; /* another class says it */
  finding *f =
      given_up ? NULL : verdict_add(c, p.end == PATH_UNSEEN ? VERDICT_UNSEEN : VERDICT_GROWTH);
  if (f) {
    graph_node example = k->main->example_count ? k->main->examples[0] : k->node;
    f->bytes = (uint64_t)growth_delta(c, k->bytes);
    int64_t objects = growth_delta(c, k->main->objects);
    f->objects = objects > 0 ? (uint64_t)objects : 0;
    verdict_say_share(c, f, true);
    f->holder = f->class == VERDICT_UNSEEN ? HOLDER_NONE : growth_holder(c, k, &p);
    growth_title(c, k, &p, f);
    verdict_path_draw(c->g, &p, f);
    if (!growth_is_self(k->main)) {
      verdict_path_draw_end(c->g, &p, example, growth_example(c, k).text, f);
      verdict_path_draw_inside(finder, c->last, example, f);
    }
    growth_say_snapshots(c, k, f);
    growth_say_count(c, k->node, f);
    verdict_hold(c, k->node);
    verdict_advise(f, snapshot_type_of(c->g->from, c->g->type[k->node]).kind);
    verdict_say(f->next, "path %%s %s", verdict_target(c->g, example).text);
  }
  path_free(&p);
}

/* Nothing in the snapshot refers to them, and they are counted: C code took references. */
static void growth_report_unseen(verdict_case *c, const growth_case *k) {
  finding *f = verdict_add(c, VERDICT_UNSEEN);
  if (!f) return;
  const diff_growth *row = k->main;
  graph_node example = row->example_count ? row->examples[0] : GRAPH_NONE;
  int64_t objects = growth_delta(c, row->objects);
  f->bytes = (uint64_t)growth_delta(c, k->bytes);
  f->objects = objects > 0 ? (uint64_t)objects : 0;
  verdict_say_share(c, f, true);
  verdict_say(f->title, "%s more %s alive that no object refers to: C code holds them",
              verdict_number(f->objects).text, verdict_growing(c->g, row).text);
  if (example != GRAPH_NONE) {
    verdict_say(verdict_line(f), "references that no object shows (C code)");
    verdict_say(verdict_line(f), "  %-*s%s", 20, "", growth_example(c, k).text);
    char *line = verdict_line(f);
    verdict_say(line, "example: count %s, references found %u",
                verdict_number(c->g->count[example]).text, graph_in_degree(c->g, example));
    verdict_say_value(line, ": ", c->g, example);
    verdict_say(f->next, "refs %%s");
  }
  path_finder *finder = verdict_finder(c);
  if (finder && example != GRAPH_NONE) verdict_path_draw_inside(finder, c->last, example, f);
  growth_say_snapshots(c, k, f);
  verdict_advise(f, row->kind);
}

/* --- All ------------------------------------------------------------------------------------- */

/* The GROWTH_MOST cases that grew most, by more than noise and all the time. */
static size_t growth_choose(const verdict_case *c, growth_case *cases, size_t count,
                            growth_case **chosen) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    int64_t delta = growth_delta(c, cases[i].bytes);
    if (delta <= 0 || !verdict_grew(c, cases[i].bytes)) continue;
    size_t at = found < GROWTH_MOST ? found++ : GROWTH_MOST - 1;
    if (at == GROWTH_MOST - 1 && found == GROWTH_MOST && chosen[at] &&
        growth_delta(c, chosen[at]->bytes) >= delta)
      continue;
    for (; at > 0 && growth_delta(c, chosen[at - 1]->bytes) < delta; at--)
      chosen[at] = chosen[at - 1];
    chosen[at] = &cases[i];
  }
  return found;
}

static bool growth_refers(const graph *g, graph_node from, graph_node to) {
  for (uint32_t e = g->first_in[to]; e < g->first_in[to + 1]; e++)
    if (g->in[e] == from) return true;
  return false;
}

/* Objects that two below the holder refer to are nearer to one of these. */
static bool growth_is_shared(const verdict_case *c, const growth_case *k) {
  if (k->main->example_count == 0 || growth_is_self(k->main)) return false;
  graph_node example = k->main->examples[0];
  return c->last->idom[example] == k->node && !growth_refers(c->g, k->node, example);
}

static void growth_resolve(verdict_case *c, growth_case **chosen, size_t count) {
  for (size_t i = 0; i < count && !c->failed; i++) {
    growth_case *k = chosen[i];
    if (k->class != REACH_ROOT || (k->node != GRAPH_NONE && !growth_is_shared(c, k))) continue;
    graph_node voted = growth_vote(c, k->main);
    if (voted != GRAPH_NONE) k->node = voted;
  }
  growth_merge(c, chosen, count);
}

static void growth_judge(verdict_case *c, diff_growth *rows, size_t row_count) {
  growth_case *chosen[GROWTH_MOST + 1] = {0};
  size_t case_count;
  growth_case *cases = growth_cases(c, rows, row_count, &case_count);
  if (!cases) {
    c->failed = true;
    return;
  }
  size_t count = growth_choose(c, cases, case_count, chosen);
  growth_resolve(c, chosen, count);
  for (size_t i = 0; i < count && !c->failed; i++) {
    const growth_case *k = chosen[i];
    double delta = (double)growth_delta(c, k->bytes);
    bool minor = delta < GROWTH_MINOR * (double)growth_delta(c, chosen[0]->bytes);
    if (k->merged || minor) continue;
    if (k->node != GRAPH_NONE) growth_report(c, k);
    else if (k->class == REACH_UNSEEN) growth_report_unseen(c, k);
  }
  free(cases);
}

void verdict_find_growth(verdict_case *c) {
  diff_growth *rows;
  size_t count;
  if (c->count < 2) return;
  if (!diff_groups(c->heaps, c->count, &rows, &count)) {
    c->failed = true;
    return;
  }
  growth_judge(c, rows, count);
  free(rows);
}
