/* SPDX-License-Identifier: MIT */
/*
 * References that C code holds, where growth by holder does not show them: from one snapshot by
 * types that stand out, from several by counts that grow though nobody refers to the objects, of
 * classes by the counts of one.
 */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "verdict_parts.h"

#define UNSEEN_CROWD 64 /* objects of a type, from which one snapshot says something */
#define UNSEEN_PART 20  /* of all objects' bytes, the same */
#define UNSEEN_REFERENCES 100
#define UNSEEN_SURE 16 /* references more, if three snapshots agree */

/* C code holds these for good reasons in every program: constants, interned names, static types. */
static bool unseen_is_expected(const graph *g, uint32_t type) {
  switch (snapshot_type_of(g->from, type).kind) {
  case SNAPSHOT_TYPE:
  case SNAPSHOT_CODE:
  case SNAPSHOT_MODULE:
  case SNAPSHOT_FUNCTION:
  case SNAPSHOT_STR:
  case SNAPSHOT_BYTES:
  case SNAPSHOT_NUMBER:
  case SNAPSHOT_CAPSULE: return true;
  default: return false;
  }
}

static bool unseen_told(const verdict_case *c, snapshot_text type) {
  verdict_word name = verdict_clean(type);
  for (size_t i = 0; i < c->v->count; i++) {
    const finding *f = &c->v->findings[i];
    if (f->class == VERDICT_UNSEEN && strstr(f->title, name.text)) return true;
  }
  return false;
}

/* --- One snapshot ---------------------------------------------------------------------------- */

typedef struct unseen_type {
  uint64_t objects, bytes;
  graph_node example;
} unseen_type;

static void unseen_count(const verdict_case *c, unseen_type *types) {
  const reach *r = c->last;
  const graph *g = c->g;
  for (graph_node n = 0; n < g->nodes; n++) {
    if (r->class[n] != REACH_UNSEEN || r->idom[n] != GRAPH_NONE) continue;
    if (g->flags[n] & SNAPSHOT_STATIC) continue;
    unseen_type *t = &types[g->type[n]];
    if (t->objects++ == 0 || r->retained[n] > r->retained[t->example]) t->example = n;
    t->bytes += r->retained[n];
  }
}

static void unseen_report_type(verdict_case *c, uint32_t type, const unseen_type *t) {
  finding *f = verdict_add(c, VERDICT_UNSEEN);
  if (!f) return;
  f->bytes = t->bytes;
  f->objects = t->objects;
  verdict_say_share(c, f, false);
  snapshot_type what = snapshot_type_of(c->g->from, type);
  verdict_say(f->title, "%s %s alive that no object refers to: C code holds them",
              verdict_number(t->objects).text, verdict_clean(what.name).text);
  verdict_say(verdict_line(f), "references that no object shows (C code)");
  verdict_say(verdict_line(f), "  %s × %s  %s", verdict_clean(what.name).text,
              verdict_number(t->objects).text, verdict_bytes(t->bytes).text);
  char *line = verdict_line(f);
  verdict_say(line, "example: count %s, references found %u",
              verdict_number(c->g->count[t->example]).text, graph_in_degree(c->g, t->example));
  verdict_say_value(line, ": ", c->g, t->example);
  verdict_advise(f, what.kind);
  verdict_say(f->next, "refs %%s");
}

static void unseen_of_one(verdict_case *c) {
  size_t count = (size_t)snapshot_count(c->g->from).types + 1;
  unseen_type *types = array_make(count, sizeof *types);
  if (!types) {
    c->failed = true;
    return;
  }
  unseen_count(c, types);
  uint64_t least = verdict_last(c)->objects / UNSEEN_PART;
  for (uint32_t i = 0; i < count && !c->failed; i++) {
    const unseen_type *t = &types[i];
    if (t->objects < UNSEEN_CROWD || t->bytes < least || unseen_is_expected(c->g, i)) continue;
    if (!verdict_is_noise(verdict_last(c), (int64_t)t->bytes)) unseen_report_type(c, i, t);
  }
  array_free(types, count, sizeof *types);
}

/* --- Several --------------------------------------------------------------------------------- */

typedef struct unseen_audit {
  audit_row *rows;
  size_t count;
} unseen_audit;

static uint64_t unseen_references(const verdict_case *c, const unseen_audit *audit, size_t h,
                                  snapshot_text type) {
  uint64_t references = 0;
  for (size_t i = 0; i < audit->count; i++) {
    snapshot_text name = snapshot_type_of(c->heaps[h]->of->from, audit->rows[i].type).name;
    if (name.length == type.length && memcmp(name.text, type.text, name.length) == 0)
      references += audit->rows[i].references;
  }
  return references;
}

/* More between each two snapshots, and enough in all. */
static bool unseen_grew(const verdict_case *c, const uint64_t *values) {
  uint64_t last = values[c->count - 1], least = c->count > 2 ? UNSEEN_SURE : UNSEEN_REFERENCES;
  if (last < values[0] + least) return false;
  uint64_t step = (last - values[0]) / (c->count - 1) / 4;
  if (step == 0) step = 1; /* C code takes some while modules are imported, and then no more */
  for (size_t h = 1; h < c->count; h++)
    if (values[h] < values[h - 1] + step) return false;
  return true;
}

static void unseen_report_row(verdict_case *c, const audit_row *row, const char *name,
                              const uint64_t *values) {
  finding *f = verdict_add(c, VERDICT_UNSEEN);
  if (!f) return;
  uint64_t more = values[c->count - 1] - values[0];
  f->objects = more < row->objects ? more : row->objects;
  f->bytes = row->objects ? row->bytes / row->objects * f->objects : 0;
  verdict_say_share(c, f, true);
  verdict_say(f->title,
              "%s more references to %s that no object shows: C code forgets to drop them",
              verdict_number(more).text, name);
  char *line = verdict_line(f);
  verdict_say(line, "counted beyond the references found: ");
  for (size_t h = 0; h < c->count; h++)
    verdict_say(line, "%s%s", h ? " → " : "", verdict_number(values[h]).text);
  line = verdict_line(f);
  verdict_say(
      line, "example: count %s, references found %s",
      verdict_number(c->g->count[row->example]).text,
      verdict_number(c->g->count[row->example] - reach_unexplained(c->g, row->example)).text);
  verdict_say_value(line, ": ", c->g, row->example);
  verdict_advise(f, snapshot_type_of(c->g->from, row->type).kind);
  verdict_say(f->next, "refs %%s");
}

static void unseen_compare(verdict_case *c, const unseen_audit *audits) {
  uint64_t values[VERDICT_HEAPS];
  const unseen_audit *last = &audits[c->count - 1];
  for (size_t i = 0; i < last->count && !c->failed; i++) {
    const audit_row *row = &last->rows[i];
    snapshot_type what = snapshot_type_of(c->g->from, row->type);
    if (unseen_is_expected(c->g, row->type) || row->references < UNSEEN_SURE) continue;
    for (size_t h = 0; h < c->count; h++)
      values[h] = unseen_references(c, &audits[h], h, what.name);
    if (unseen_grew(c, values) && !unseen_told(c, what.name))
      unseen_report_row(c, row, verdict_clean(what.name).text, values);
  }
}

/* The row of the class that most references to are unseen, NULL: none are. */
static const audit_row *unseen_class(const verdict_case *c, const unseen_audit *audit, size_t h) {
  const audit_row *best = NULL;
  for (size_t i = 0; i < audit->count; i++) {
    const audit_row *row = &audit->rows[i];
    if (snapshot_type_of(c->heaps[h]->of->from, row->type).kind != SNAPSHOT_TYPE) continue;
    if (row->most > (best ? best->most : 0)) best = row;
  }
  return best;
}

/* C code holds many classes, each once or twice. That one of them has more and more is another
 * thing: its objects do not let go of it when they die. */
static void unseen_compare_classes(verdict_case *c, const unseen_audit *audits) {
  uint64_t values[VERDICT_HEAPS];
  const audit_row *row = NULL;
  for (size_t h = 0; h < c->count; h++) {
    row = unseen_class(c, &audits[h], h);
    values[h] = row ? row->most : 0;
  }
  if (!row || !unseen_grew(c, values)) return;
  audit_row one = {.type = row->type, .references = row->most, .example = row->example};
  unseen_report_row(c, &one, verdict_object(c->g, row->example).text, values);
}

static void unseen_of_several(verdict_case *c) {
  unseen_audit audits[VERDICT_HEAPS] = {{0}};
  for (size_t h = 0; h < c->count && !c->failed; h++)
    c->failed = !audit_types(c->heaps[h]->of, &audits[h].rows, &audits[h].count);
  if (!c->failed) unseen_compare(c, audits);
  if (!c->failed) unseen_compare_classes(c, audits);
  for (size_t h = 0; h < c->count; h++) free(audits[h].rows);
}

void verdict_find_unseen(verdict_case *c) {
  if (c->count == 1) unseen_of_one(c);
  else unseen_of_several(c);
}
