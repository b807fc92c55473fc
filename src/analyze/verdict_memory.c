/* SPDX-License-Identifier: MIT */
/* Memory beside objects: native, free and kept, given out again and again, badly used. */
#include <stdlib.h>

#include "verdict_parts.h"

#define MEMORY_ROUGH 8 /* objects' sizes are known to this part: less beside them is not native */
#define MEMORY_PART 20 /* of the resident memory: what native and kept bytes must reach */
#define KEPT_PART 4    /* of the resident memory: much, though it does not grow */
#define KEPT_LEAST ((int64_t)8 << 20)
#define OWNED_DEPTH 64 /* dominators looked at */
#define OWNED_TYPES 8
#define OWNED_LEAST 8 /* objects more */
#define OWNED_EACH 16 /* bytes for each of them */
#define CHURN_TIMES 5 /* as many objects as there are are made anew */
#define CHURN_LEAST 200000
#define CHURN_BRIEF 2     /* seconds: a shorter time is not known well enough to be a divisor */
#define CHURN_RATE 200000 /* a second: less is what any program at work does */
#define WASTE_PART 10     /* of all objects' bytes */
#define WASTE_LEAST ((uint64_t)512 << 10)
#define WASTE_ROWS 2

/* --- Lines of the ledger --------------------------------------------------------------------- */

static size_t ledger_grown(const verdict_row *rows, const uint64_t *first, const uint64_t *last,
                           uint64_t told) {
  size_t best = FACTS_ROWS;
  for (size_t i = 0; i < FACTS_ROWS && rows[i].key; i++) {
    if (told >> i & 1 || last[i] <= first[i]) continue;
    if (best == FACTS_ROWS || last[i] - first[i] > last[best] - first[best]) best = i;
  }
  return best;
}

void verdict_ledger_lines(const verdict_case *c, const verdict_row *rows, const uint64_t *first,
                          const uint64_t *last, size_t room, finding *f) {
  uint64_t told = 0;
  for (size_t i = 0; i < room; i++) {
    size_t row = ledger_grown(rows, first, last, told);
    if (row == FACTS_ROWS || (i > 0 && last[row] - first[row] < 64 << 10)) return;
    told |= (uint64_t)1 << row;
    char *line = verdict_line(f);
    verdict_say(line, "%s: ", rows[row].label);
    if (c->count > 1) verdict_say(line, "%s → ", verdict_bytes(first[row]).text);
    verdict_say(line, "%s", verdict_bytes(last[row]).text);
  }
}

/* --- Native ---------------------------------------------------------------------------------- */

static bool memory_is_small(const verdict_case *c, int64_t bytes) {
  const verdict_facts *last = verdict_last(c);
  return verdict_is_quiet(last, bytes) || bytes < (int64_t)(verdict_base(last) / MEMORY_PART);
}

static uint64_t memory_positive(int64_t value) { return value > 0 ? (uint64_t)value : 0; }

/* --- Native memory that objects own ---------------------------------------------------------- */

static bool memory_is_below(const reach *r, graph_node node, graph_node holder) {
  for (int depth = 0; depth < OWNED_DEPTH && node != GRAPH_NONE; depth++, node = r->idom[node])
    if (node == holder) return true;
  return false;
}

static uint64_t memory_count_below(const verdict_case *c, uint32_t type, graph_node holder) {
  uint64_t count = 0;
  for (graph_node n = 0; n < c->g->nodes; n++)
    if (c->g->type[n] == type && c->last->class[n] != REACH_GARBAGE)
      count += memory_is_below(c->last, n, holder);
  return count;
}

/* The finding whose holder keeps most of the objects of this type. */
static finding *memory_keeper(const verdict_case *c, uint32_t type, uint64_t objects) {
  for (size_t i = 0; i < c->v->count; i++) {
    if (c->holders[i] == GRAPH_NONE) continue;
    if (memory_count_below(c, type, c->holders[i]) * 2 >= objects) return &c->v->findings[i];
  }
  return NULL;
}

/* Objects of types written in C have buffers that nobody measures. Where ever more of them are kept
 * by a holder that was found, what grows beside objects is theirs, and goes with them. */
static bool memory_is_owned(verdict_case *c, uint64_t bytes) {
  diff_row *rows;
  size_t count, tried = 0;
  bool owned = false;
  if (!diff_types(c->heaps[0]->of, c->g, &rows, &count)) {
    c->failed = true;
    return true;
  }
  for (size_t i = 0; i < count && !owned && tried < OWNED_TYPES; i++) {
    if (rows[i].after == GRAPH_NONE || rows[i].objects[1] < rows[i].objects[0] + OWNED_LEAST)
      continue;
    uint32_t type = c->g->type[rows[i].after];
    if (snapshot_type_of(c->g->from, type).kind != SNAPSHOT_OTHER) continue;
    uint64_t objects = rows[i].objects[1] - rows[i].objects[0];
    finding *f = bytes / objects >= OWNED_EACH ? memory_keeper(c, type, objects) : NULL;
    tried++;
    if (!f) continue;
    verdict_say(verdict_line(f), "with it %s outside of objects, about %s for each %s",
                verdict_bytes(bytes).text, verdict_bytes(bytes / objects).text,
                verdict_clean(rows[i].type).text);
    f->bytes += bytes;
    verdict_say_share(c, f, true);
    owned = true;
  }
  free(rows);
  return owned;
}

static void memory_native(verdict_case *c) {
  uint64_t values[VERDICT_HEAPS];
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  int64_t more = last->outside - first->outside;
  int64_t objects = (int64_t)(last->objects - first->objects);
  if (memory_is_small(c, more) || more < objects / MEMORY_ROUGH) return;
  for (size_t h = 0; h < c->count; h++) values[h] = memory_positive(c->facts[h].outside);
  if (!verdict_grew(c, values) || memory_is_owned(c, (uint64_t)more)) return;
  finding *f = verdict_add(c, VERDICT_NATIVE);
  if (!f) return;
  f->bytes = (uint64_t)more;
  verdict_say_share(c, f, true);
  verdict_say(f->title, "%s more memory outside Python's objects", verdict_bytes(f->bytes).text);
  verdict_ledger_lines(c, verdict_outside_rows, first->outside_rows, last->outside_rows, 4, f);
  verdict_say(verdict_line(f), "objects meanwhile: %s → %s", verdict_bytes(first->objects).text,
              verdict_bytes(last->objects).text);
  verdict_advise(f, SNAPSHOT_OTHER);
  if (snapshot_number(c->g->from, "pid", 0))
    verdict_say(f->next, "ledger %s", verdict_clean(snapshot_fact(c->g->from, "pid")).text);
}

/* --- Free and kept --------------------------------------------------------------------------- */

/* How much is kept that matters: what came, or all of it where it is a large part. Free pages are
 * about to go, or to be used again. */
static int64_t memory_kept(const verdict_case *c) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  int64_t more = last->kept - first->kept - (last->ready - first->ready);
  if (c->count > 1 && !memory_is_small(c, more)) return more;
  int64_t all = last->kept - last->ready;
  return all >= KEPT_LEAST && all >= (int64_t)(last->resident / KEPT_PART) ? all : 0;
}

static void memory_retained(verdict_case *c) {
  static const uint64_t none[FACTS_ROWS];
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  int64_t bytes = memory_kept(c);
  finding *f = bytes > 0 ? verdict_add(c, VERDICT_RETAINED) : NULL;
  if (!f) return;
  bool grew = c->count > 1 && bytes != last->kept - last->ready;
  f->bytes = (uint64_t)bytes;
  verdict_say_share(c, f, grew);
  verdict_say(f->title, "%s of free memory that allocators keep%s", verdict_bytes(f->bytes).text,
              grew ? ", more than at first: no leak" : ": no leak");
  verdict_ledger_lines(c, verdict_kept_rows, grew ? first->kept_rows : none, last->kept_rows, 4, f);
  verdict_say(verdict_line(f), "objects: %s → %s; resident %s → %s",
              verdict_bytes(first->objects).text, verdict_bytes(last->objects).text,
              verdict_bytes(first->resident).text, verdict_bytes(last->resident).text);
  verdict_advise(f, SNAPSHOT_OTHER);
  if (snapshot_number(c->g->from, "pid", 0))
    verdict_say(f->next, "give-back %s", verdict_clean(snapshot_fact(c->g->from, "pid")).text);
}

void verdict_find_memory(verdict_case *c) {
  if (!verdict_first(c)->ledger || !verdict_last(c)->ledger) return;
  if (c->count > 1) memory_native(c);
  memory_retained(c);
}

/* --- Churn ----------------------------------------------------------------------------------- */

void verdict_find_churn(verdict_case *c) {
  const verdict_facts *first = verdict_first(c), *last = verdict_last(c);
  if (c->count < 2 || !first->blocks_known || !last->blocks_known) return;
  uint64_t made = last->blocks > first->blocks ? last->blocks - first->blocks : 0;
  if (made < CHURN_LEAST || made / CHURN_TIMES < last->all_objects) return;
  if (c->v->seconds > CHURN_BRIEF && (double)made < CHURN_RATE * c->v->seconds) return;
  for (size_t i = 0; i < c->v->count; i++)
    if (c->v->findings[i].class != VERDICT_WASTE) return; /* something grows: that comes first */
  finding *f = verdict_add(c, VERDICT_CHURN);
  if (!f) return;
  f->objects = made;
  verdict_say(f->title, "%s blocks were made and freed while memory did not grow",
              verdict_number(made).text);
  char *line = verdict_line(f);
  verdict_say(line, "%s for each object that is alive",
              verdict_number(made / (last->all_objects ? last->all_objects : 1)).text);
  if (c->v->seconds > 0)
    verdict_say(line, ", %s a second",
                verdict_number((uint64_t)((double)made / c->v->seconds)).text);
  verdict_say(verdict_line(f), "objects: %s → %s", verdict_number(first->all_objects).text,
              verdict_number(last->all_objects).text);
  verdict_advise(f, SNAPSHOT_OTHER);
}

/* --- Waste ----------------------------------------------------------------------------------- */

static void waste_title(const verdict_case *c, const waste_row *row, finding *f) {
  verdict_word type = verdict_clean(snapshot_type_of(c->g->from, row->type).name);
  verdict_word objects = verdict_number(row->objects), bytes = verdict_bytes(row->bytes);
  switch (row->kind) {
  case WASTE_EMPTY_ROOM:
    verdict_say(f->title, "%s %s are far larger than their contents: %s are empty", objects.text,
                type.text, bytes.text);
    break;
  case WASTE_EQUAL:
    verdict_say(f->title, "%s equal %s are stored again and again: %s", objects.text, type.text,
                bytes.text);
    break;
  default:
    verdict_say(f->title, "%s instances of %s have a dictionary each: slots would save %s",
                objects.text, type.text, bytes.text);
    break;
  }
}

static const char *waste_advice(waste_kind kind) {
  switch (kind) {
  case WASTE_EMPTY_ROOM:
    return "copy those that stay: dict(d), list(l); or build them only when something goes in";
  case WASTE_EQUAL: return "store each value once: sys.intern(text), or a dictionary of values";
  default: return "give the class __slots__, or @dataclass(slots=True)";
  }
}

static void waste_report(verdict_case *c, const waste_row *row) {
  path p;
  path_finder *finder = verdict_finder(c);
  finding *f = finder ? verdict_add(c, VERDICT_WASTE) : NULL;
  if (!f) return;
  f->bytes = row->bytes;
  f->objects = row->objects;
  f->share = verdict_last(c)->objects ? (double)row->bytes / (double)verdict_last(c)->objects : 0;
  waste_title(c, row, f);
  if (!verdict_path_choose(finder, c->g, row->example, &p)) {
    c->failed = true;
    return;
  }
  if (p.end == PATH_ROOT) verdict_path_draw(c->g, &p, f);
  if (p.end == PATH_ROOT) f->holder = verdict_path_holder(c->g, &p);
  path_free(&p);
  char *line = verdict_line(f);
  verdict_say(line, "the example has %s", verdict_bytes(graph_size(c->g, row->example)).text);
  verdict_say_value(line, ": ", c->g, row->example);
  verdict_say(f->advice, "%s", waste_advice(row->kind));
  verdict_say(f->next, "path %%s %s", verdict_target(c->g, row->example).text);
}

void verdict_find_waste(verdict_case *c) {
  waste_row *rows;
  size_t count, told = 0;
  if (!waste_find(c->g, &rows, &count)) {
    c->failed = true;
    return;
  }
  for (size_t i = 0; i < count && told < WASTE_ROWS && !c->failed; i++) {
    if (rows[i].bytes < WASTE_LEAST || rows[i].bytes < verdict_last(c)->objects / WASTE_PART)
      continue;
    waste_report(c, &rows[i]);
    told++;
  }
  free(rows);
}
