/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "verdict_parts.h"

#define VERDICT_MOST 8
#define VERDICT_MINOR 20   /* findings of less than this part of the largest say nothing */
#define VERDICT_HOLDERS 5  /* shown where nothing can be told */
#define VERDICT_STEP 10    /* each interval has at least this part of an even share of growth */
#define VERDICT_NARROW 0.8 /* what keeps so much of another is what there is to see of it */

/* --- What parts ask for ---------------------------------------------------------------------- */

finding *verdict_add(verdict_case *c, verdict_class class) {
  verdict *v = c->v;
  if (v->count == c->room) {
    size_t room = c->room ? c->room * 2 : VERDICT_MOST;
    finding *findings = realloc(v->findings, room * sizeof *findings);
    if (!findings) {
      c->failed = true;
      return NULL;
    }
    v->findings = findings;
    graph_node *holders = realloc(c->holders, room * sizeof *holders);
    if (!holders) {
      c->failed = true;
      return NULL;
    }
    c->holders = holders;
    c->room = room;
  }
  c->holders[v->count] = GRAPH_NONE;
  finding *f = &v->findings[v->count++];
  memset(f, 0, sizeof *f);
  f->class = class;
  return f;
}

void verdict_hold(verdict_case *c, graph_node holder) { c->holders[c->v->count - 1] = holder; }

path_finder *verdict_finder(verdict_case *c) {
  if (!c->finder) c->finder = path_finder_make(c->g);
  if (!c->finder) c->failed = true;
  return c->finder;
}

const verdict_facts *verdict_first(const verdict_case *c) { return &c->facts[0]; }

const verdict_facts *verdict_last(const verdict_case *c) { return &c->facts[c->count - 1]; }

int64_t verdict_growth_of_all(const verdict_case *c) {
  return (int64_t)(verdict_base(verdict_last(c)) - verdict_base(verdict_first(c)));
}

void verdict_say_share(const verdict_case *c, finding *f, bool growth) {
  const verdict_facts *last = verdict_last(c);
  int64_t more = verdict_growth_of_all(c), objects = (int64_t)(last->objects - c->facts[0].objects);
  f->of_growth = growth && c->count > 1;
  uint64_t base = f->of_growth ? 0 : last->resident;
  if (f->of_growth) base = (uint64_t)(more > objects ? more : objects > 0 ? objects : 0);
  if (f->of_growth && base < f->bytes) base = f->bytes; /* something else went meanwhile */
  f->share = base ? (double)f->bytes / (double)base : 0;
  if (f->share > 1) f->share = 1;
}

bool verdict_grew(const verdict_case *c, const uint64_t *values) {
  int64_t delta = (int64_t)(values[c->count - 1] - values[0]);
  int64_t step = delta / (int64_t)(c->count - 1) / VERDICT_STEP;
  if (delta <= 0 || verdict_is_noise(verdict_last(c), delta)) return false;
  for (size_t h = 1; h < c->count; h++)
    if ((int64_t)(values[h] - values[h - 1]) < step) return false;
  return true;
}

/* --- When nothing was found ------------------------------------------------------------------ */

/* Down to where it spreads: a module keeps what its one large dictionary keeps. */
static graph_node rest_narrow(const reach *r, graph_node node) {
  for (int depth = 0; depth < 64; depth++) {
    graph_node below;
    if (reach_largest(r, node, &below, 1) == 0) return node;
    if ((double)r->retained[below] < VERDICT_NARROW * (double)r->retained[node]) return node;
    node = below;
  }
  return node;
}

static void rest_say_holder(verdict_case *c, graph_node node, finding *f) {
  path p;
  char name[VERDICT_LINE] = "";
  path_finder *finder = verdict_finder(c);
  if (!finder || !verdict_path_choose(finder, c->g, node, &p)) {
    c->failed = true;
    return;
  }
  verdict_path_name(c->g, &p, name);
  path_free(&p);
  verdict_say(verdict_line(f), "%10s  %.60s  %s", verdict_bytes(c->last->retained[node]).text, name,
              verdict_object(c->g, node).text);
}

static void rest_say_holders(verdict_case *c, finding *f) {
  graph_node largest[VERDICT_HOLDERS];
  size_t count = reach_largest(c->last, GRAPH_NONE, largest, VERDICT_HOLDERS);
  verdict_say(verdict_line(f), "what keeps most alive:");
  for (size_t i = 0; i < count && !c->failed; i++) {
    graph_node node = rest_narrow(c->last, largest[i]);
    if (i == 0) verdict_say(f->next, "dom %%s %s", verdict_address(c->g, node).text);
    rest_say_holder(c, node, f);
  }
}

static void rest_of_one(verdict_case *c) {
  finding *f = verdict_add(c, VERDICT_CANNOT_TELL);
  if (!f) return;
  f->bytes = verdict_last(c)->live;
  f->objects = verdict_last(c)->live_objects;
  verdict_say_share(c, f, false);
  verdict_say(f->title, "one snapshot does not show growth: %s in %s objects are alive",
              verdict_bytes(f->bytes).text, verdict_number(f->objects).text);
  rest_say_holders(c, f);
  verdict_say(f->advice, "take another one later, and ask about both");
}

static void rest_say_parts(const verdict_case *c, finding *f) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  if (last->resident_known)
    verdict_say(verdict_line(f), "resident: %s → %s", verdict_bytes(first->resident).text,
                verdict_bytes(last->resident).text);
  verdict_say(verdict_line(f), "objects: %s → %s, %s → %s", verdict_bytes(first->objects).text,
              verdict_bytes(last->objects).text, verdict_number(first->all_objects).text,
              verdict_number(last->all_objects).text);
  verdict_ledger_lines(c, verdict_outside_rows, first->outside_rows, last->outside_rows, 2, f);
  verdict_ledger_lines(c, verdict_kept_rows, first->kept_rows, last->kept_rows, 2, f);
}

static void rest_of_several(verdict_case *c) {
  int64_t growth = verdict_growth_of_all(c) - (verdict_last(c)->kept - verdict_first(c)->kept);
  bool still = verdict_is_quiet(verdict_last(c), growth);
  for (size_t h = 1; h + 1 < c->count && !still; h++) /* grew at first, and then no more */
    still = verdict_base(&c->facts[h]) + (uint64_t)(growth / 10) / (c->count - 1) >=
            verdict_base(verdict_last(c));
  finding *f = verdict_add(c, still ? VERDICT_NO_GROWTH : VERDICT_CANNOT_TELL);
  if (!f) return;
  f->bytes = growth > 0 ? (uint64_t)growth : 0;
  if (!still) verdict_say_share(c, f, true);
  if (still)
    verdict_say(f->title, "memory does not grow: %s, after %s at first",
                verdict_bytes(verdict_base(verdict_last(c))).text,
                verdict_bytes(verdict_base(verdict_first(c))).text);
  else
    verdict_say(f->title, "memory grew by %s, and no one thing that grows all the time explains it",
                verdict_bytes(f->bytes).text);
  rest_say_parts(c, f);
  if (!still) verdict_say(f->advice, "take three snapshots further apart, under the same load");
  if (!still) verdict_say(f->next, "dom %%s");
}

void verdict_find_rest(verdict_case *c) {
  if (c->count == 1) rest_of_one(c);
  else if (c->v->count == 0) rest_of_several(c);
}

/* --- The whole ------------------------------------------------------------------------------- */

/* What explains growth, then what could be better, then that there is nothing to say. */
static int finding_rank(const finding *f) {
  switch (f->class) {
  case VERDICT_CHURN:
  case VERDICT_WASTE: return 1;
  case VERDICT_NO_GROWTH:
  case VERDICT_CANNOT_TELL: return 2;
  default: return 0;
  }
}

static int finding_order(const void *a, const void *b) {
  const finding *x = a, *y = b;
  if (finding_rank(x) != finding_rank(y)) return finding_rank(x) - finding_rank(y);
  return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* What grows a little beside something large is mostly what pays for that. */
static void verdict_drop_minor(verdict *v) {
  size_t kept = 0;
  uint64_t least = v->count && finding_rank(&v->findings[0]) == 0 ? v->findings[0].bytes : 0;
  for (size_t i = 0; i < v->count && kept < VERDICT_MOST; i++) {
    const finding *f = &v->findings[i];
    bool minor = f->class == VERDICT_GROWTH && f->bytes < least / VERDICT_MINOR;
    if (!minor) v->findings[kept++] = *f;
  }
  v->count = kept;
}

static void verdict_say_unseen(const verdict_case *c) {
  const verdict_facts *last = verdict_last(c);
  char *line = c->v->unseen;
  if (!snapshot_complete(c->g->from)) verdict_say(line, "the file ends early; ");
  if (c->g->damaged) verdict_say(line, "parts of the file are damaged; ");
  if (!last->ledger) verdict_say(line, "no ledger: memory beside objects was not looked at; ");
  else if (last->unknown && !verdict_is_noise(last, (int64_t)last->unknown))
    verdict_say(line, "%s of resident memory belong to nobody known; ",
                verdict_bytes(last->unknown).text);
  snapshot_text blocks = snapshot_fact(c->g->from, "unreached.blocks");
  if (blocks.length)
    verdict_say(line, "%s blocks that no object shows; ", verdict_clean(blocks).text);
  size_t length = strlen(line);
  if (length > 1 && line[length - 2] == ';') line[length - 2] = '\0';
}

static void verdict_say_numbers(verdict_case *c) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  c->v->resident[0] = first->resident;
  c->v->resident[1] = last->resident;
  c->v->objects_bytes[0] = first->objects;
  c->v->objects_bytes[1] = last->objects;
  c->v->seconds = last->time > first->time && first->time ? (double)(last->time - first->time) : 0;
}

typedef void verdict_part(verdict_case *c);

static void verdict_ask_all(verdict_case *c, const graph_progress *progress) {
  static verdict_part *const parts[] = {
      verdict_find_growth, verdict_find_unseen, verdict_find_garbage, verdict_find_uncollectable,
      verdict_find_memory, verdict_find_churn,  verdict_find_waste,   verdict_find_rest};
  size_t count = sizeof parts / sizeof *parts;
  for (size_t i = 0; i < count && !c->failed; i++) {
    if (progress && progress->show)
      progress->show(progress->to, "judging", (double)i / (double)count);
    parts[i](c);
  }
}

bool verdict_find(verdict *v, const reach *const *heaps, size_t count,
                  const graph_progress *progress) {
  *v = (verdict){0};
  verdict_case c = {.v = v, .heaps = heaps, .count = count, .last = heaps[count - 1]};
  c.g = c.last->of;
  for (size_t h = 0; h < count; h++) verdict_facts_read(&c.facts[h], heaps[h]);
  verdict_say_numbers(&c);
  verdict_ask_all(&c, progress);
  path_finder_free(c.finder);
  free(c.holders);
  if (c.failed) {
    verdict_finish(v);
    return false;
  }
  verdict_say_unseen(&c);
  qsort(v->findings, v->count, sizeof *v->findings, finding_order);
  verdict_drop_minor(v);
  return true;
}

void verdict_finish(verdict *v) {
  free(v->findings);
  v->findings = NULL;
  v->count = 0;
}
