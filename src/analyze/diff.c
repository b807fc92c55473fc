/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "diff_view.h"

#define DIFF_SMALL ((uint64_t)16 << 10) /* bytes: smaller changes are not looked into ... */
#define DIFF_LARGE ((uint64_t)1 << 20)  /* ... of groups smaller than this */
#define DIFF_MANY 4                     /* members more from which a group can be what grew */
#define DIFF_NAMED 8                    /* members whose edges are asked for names */
#define DIFF_REPEATS 3 /* of a type on the way down: a list or a tree, not looked into */
#define DIFF_NESTED 8  /* the same of built-in containers, which programs nest by hand */
#define DIFF_DEEP 48

/* --- Rows ------------------------------------------------------------------------------------ */

/* Growth as a number that sorts: what shrank most comes last. */
static int64_t diff_delta(uint64_t before, uint64_t after) { return (int64_t)(after - before); }

static int diff_row_order(const void *a, const void *b) {
  const diff_row *x = a, *y = b;
  int64_t dx = diff_delta(x->bytes[0], x->bytes[1]), dy = diff_delta(y->bytes[0], y->bytes[1]);
  if (dx != dy) return dx < dy ? 1 : -1;
  int64_t ox = diff_delta(x->objects[0], x->objects[1]);
  int64_t oy = diff_delta(y->objects[0], y->objects[1]);
  if (ox != oy) return ox < oy ? 1 : -1;
  uint32_t most = x->type.length < y->type.length ? x->type.length : y->type.length;
  int words = most ? memcmp(x->type.text, y->type.text, most) : 0;
  return words ? words : (x->type.length > y->type.length) - (x->type.length < y->type.length);
}

static bool diff_row_changed(const diff_row *row) {
  return row->objects[0] != row->objects[1] || row->bytes[0] != row->bytes[1];
}

/* --- By type --------------------------------------------------------------------------------- */

typedef struct diff_types_table {
  diff_row *rows;
  size_t count, room;
  uint32_t *slots; /* row + 1, by the name's hash */
  size_t slot_count;
} diff_types_table;

static bool diff_same(snapshot_text a, snapshot_text b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

static diff_row *diff_type_row(diff_types_table *t, snapshot_text name) {
  size_t slot = diff_hash(name.text, name.length) & (t->slot_count - 1);
  while (t->slots[slot] && !diff_same(t->rows[t->slots[slot] - 1].type, name))
    slot = (slot + 1) & (t->slot_count - 1);
  if (!t->slots[slot]) {
    t->rows[t->count] = (diff_row){.type = name, .before = GRAPH_NONE, .after = GRAPH_NONE};
    t->slots[slot] = (uint32_t)++t->count;
  }
  return &t->rows[t->slots[slot] - 1];
}

/* Counts are by the file's types first, since many nodes share few of them. */
static bool diff_count_types(diff_types_table *t, const graph *g, int side) {
  size_t types = (size_t)snapshot_count(g->from).types;
  diff_row *sums = array_make(types + 1, sizeof *sums);
  if (!sums) return false;
  for (graph_node n = 0; n < g->nodes; n++) {
    diff_row *sum = &sums[g->type[n]];
    if (sum->objects[side]++ == 0) sum->after = n;
    sum->bytes[side] += graph_size(g, n);
  }
  for (size_t i = 0; i <= types; i++) {
    if (sums[i].objects[side] == 0) continue;
    diff_row *row = diff_type_row(t, snapshot_type_of(g->from, (uint32_t)i).name);
    row->objects[side] += sums[i].objects[side];
    row->bytes[side] += sums[i].bytes[side];
    *(side ? &row->after : &row->before) = sums[i].after;
  }
  array_free(sums, types + 1, sizeof *sums);
  return true;
}

static void diff_finish_rows(diff_row *rows, size_t *count) {
  size_t kept = 0;
  for (size_t i = 0; i < *count; i++)
    if (diff_row_changed(&rows[i])) rows[kept++] = rows[i];
  *count = kept;
  if (kept) qsort(rows, kept, sizeof *rows, diff_row_order);
}

bool diff_types(const graph *before, const graph *after, diff_row **rows, size_t *count) {
  diff_types_table t = {.slot_count = 64};
  t.room = (size_t)(snapshot_count(before->from).types + snapshot_count(after->from).types + 2);
  while (t.slot_count < 2 * t.room) t.slot_count *= 2;
  t.rows = calloc(t.room, sizeof *t.rows);
  t.slots = array_make(t.slot_count, sizeof *t.slots);
  bool good =
      t.rows && t.slots && diff_count_types(&t, before, 0) && diff_count_types(&t, after, 1);
  array_free(t.slots, t.slot_count, sizeof *t.slots);
  if (!good) {
    free(t.rows);
    return false;
  }
  diff_finish_rows(t.rows, &t.count);
  *rows = t.rows;
  *count = t.count;
  return true;
}

/* --- By holder ------------------------------------------------------------------------------- */

/* Children of one group, alike. */
typedef struct diff_group {
  diff_growth sum; /* bytes: with all that only its members keep */
  uint64_t key, type_hash, own[DIFF_HEAPS];
  bool space, descends;
  graph_node now[2]; /* the member of the group above whose children are counted at the moment */
  uint64_t now_bytes[2], most_bytes[2];
  size_t first[DIFF_HEAPS]; /* of its members, in the list of its heap */
} diff_group;

/* A group that is looked into. */
typedef struct diff_branch {
  const struct diff_branch *up;
  uint64_t place, type_hash;
  const diff_growth *sum; /* NULL: the root of all */
  uint64_t holder;        /* of what grows as fast as its members */
  graph_node before, after;
  snapshot_type_kind kind;
  bool top, space;
  int depth;
  const graph_node *members[DIFF_HEAPS];
  size_t counts[DIFF_HEAPS];
} diff_branch;

typedef struct diff_walk {
  diff_view views[DIFF_HEAPS];
  size_t heaps;
  diff_growth *rows;
  size_t count, room;
} diff_walk;

/* What looking into one group needs. */
typedef struct diff_level {
  const diff_branch *of;
  diff_names names[DIFF_HEAPS];
  bool named;
  diff_group *groups;
  size_t count, room;
  uint32_t *slots; /* group + 1, by key */
  size_t slot_count;
  graph_node *members[DIFF_HEAPS];
  size_t member_counts[DIFF_HEAPS];
} diff_level;

static void diff_level_finish(diff_walk *w, diff_level *l) {
  for (size_t h = 0; h < w->heaps; h++) {
    diff_names_finish(&l->names[h]);
    array_free(l->members[h], l->member_counts[h], sizeof(graph_node));
  }
  array_free(l->groups, l->room, sizeof *l->groups);
  array_free(l->slots, l->slot_count, sizeof *l->slots);
}

/* Names are asked for in all heaps or in none: a key must not depend on it. */
static bool diff_level_names(diff_walk *w, diff_level *l) {
  for (size_t h = 0; h < w->heaps; h++)
    if (l->of->top || l->of->counts[h] > DIFF_NAMED) return true;
  l->named = true;
  for (size_t h = 0; h < w->heaps; h++) {
    for (size_t i = 0; i < l->of->counts[h]; i++)
      if (!diff_view_name(&w->views[h], l->of->members[h][i], l->of->space, &l->names[h]))
        return false;
    diff_names_sort(&l->names[h]);
  }
  return true;
}

static uint64_t diff_level_key(const diff_level *l, const diff_view *v, size_t h, graph_node node,
                               bool *space) {
  *space = false;
  if (l->of->top) return diff_view_top_key(v, node, space);
  uint64_t key = v->type_hash[v->g->type[node]];
  const diff_name *name = l->named ? diff_names_find(&l->names[h], node) : NULL;
  if (!name) return key;
  *space = name->space;
  return diff_mix(key, name->hash);
}

static bool diff_level_grow(diff_level *l) {
  size_t room = l->room ? l->room * 2 : 16, slot_count = room * 2;
  diff_group *groups = l->groups ? array_resize(l->groups, l->room, room, sizeof *groups)
                                 : array_make(room, sizeof *groups);
  if (!groups) return false;
  l->groups = groups;
  l->room = room;
  uint32_t *slots = array_make(slot_count, sizeof *slots);
  if (!slots) return false;
  array_free(l->slots, l->slot_count, sizeof *slots);
  l->slots = slots;
  l->slot_count = slot_count;
  for (size_t i = 0; i < l->count; i++) {
    size_t slot = groups[i].key & (slot_count - 1);
    while (slots[slot]) slot = (slot + 1) & (slot_count - 1);
    slots[slot] = (uint32_t)(i + 1);
  }
  return true;
}

static diff_group *diff_level_find(diff_level *l, uint64_t key) {
  if (l->slot_count == 0) return NULL;
  size_t slot = key & (l->slot_count - 1);
  for (; l->slots[slot]; slot = (slot + 1) & (l->slot_count - 1))
    if (l->groups[l->slots[slot] - 1].key == key) return &l->groups[l->slots[slot] - 1];
  return NULL;
}

static diff_group *diff_level_add(diff_level *l, uint64_t key) {
  if (l->count == l->room && !diff_level_grow(l)) return NULL;
  size_t slot = key & (l->slot_count - 1);
  while (l->slots[slot]) slot = (slot + 1) & (l->slot_count - 1);
  l->slots[slot] = (uint32_t)++l->count;
  diff_group *group = &l->groups[l->count - 1];
  *group = (diff_group){.key = key, .now = {GRAPH_NONE, GRAPH_NONE}};
  group->sum.before = group->sum.after = GRAPH_NONE;
  return group;
}

static void diff_group_begin(diff_group *group, const diff_view *v, graph_node node, bool space,
                             const diff_branch *of) {
  uint32_t type = v->g->type[node];
  group->sum.type = snapshot_type_of(v->g->from, type).name;
  group->sum.kind = (snapshot_type_kind)v->type_kind[type];
  group->sum.class = of->sum ? of->sum->class : (reach_class)v->r->class[node];
  group->sum.place = diff_mix(of->place, group->key);
  group->type_hash = v->type_hash[type];
  group->space = space;
}

/* The holder is the member of the group above that keeps most of this group. */
static void diff_group_hold(diff_group *group, int side, graph_node member, uint64_t bytes) {
  if (group->now[side] != member) {
    group->now[side] = member;
    group->now_bytes[side] = 0;
  }
  group->now_bytes[side] += bytes;
  if (group->now_bytes[side] < group->most_bytes[side]) return;
  group->most_bytes[side] = group->now_bytes[side];
  *(side ? &group->sum.after : &group->sum.before) = member;
}

/* Each member is an example as likely as any other. */
static void diff_group_example(diff_group *group, uint64_t nth, graph_node node) {
  diff_growth *sum = &group->sum;
  if (sum->example_count < DIFF_EXAMPLES) {
    sum->examples[sum->example_count++] = node;
    return;
  }
  uint64_t at = (diff_mix(nth, group->key) >> 32) * (nth + 1) >> 32;
  if (at < DIFF_EXAMPLES) sum->examples[at] = node;
}

static void diff_group_count(diff_walk *w, diff_group *group, size_t h, graph_node member,
                             graph_node node) {
  const diff_view *v = &w->views[h];
  uint64_t bytes = v->weight[node];
  if (h == w->heaps - 1) diff_group_example(group, group->sum.objects[h], node);
  group->sum.objects[h]++;
  group->sum.bytes[h] += bytes;
  group->own[h] += graph_size(v->g, node);
  if (h == 0) diff_group_hold(group, 0, member, bytes);
  if (h == w->heaps - 1) diff_group_hold(group, 1, member, bytes);
}

static bool diff_level_count_below(diff_walk *w, diff_level *l, size_t h, graph_node member) {
  const diff_view *v = &w->views[h];
  graph_node place = l->of->top ? diff_view_top(v) : member;
  for (uint32_t i = v->first_child[place]; i < v->first_child[place + 1]; i++) {
    bool space;
    uint64_t key = diff_level_key(l, v, h, v->child[i], &space);
    diff_group *group = diff_level_find(l, key);
    if (!group) {
      group = diff_level_add(l, key);
      if (!group) return false;
      diff_group_begin(group, v, v->child[i], space, l->of);
    }
    diff_group_count(w, group, h, member, v->child[i]);
  }
  return true;
}

static bool diff_level_count(diff_walk *w, diff_level *l) {
  for (size_t h = 0; h < w->heaps; h++) {
    if (l->of->top && !diff_level_count_below(w, l, h, GRAPH_NONE)) return false;
    for (size_t i = 0; i < l->of->counts[h]; i++)
      if (!diff_level_count_below(w, l, h, l->of->members[h][i])) return false;
  }
  return true;
}

/* --- What a group is: a row, or looked into -------------------------------------------------- */

static bool diff_group_changed(const diff_walk *w, const diff_group *group) {
  size_t last = w->heaps - 1;
  return group->sum.objects[0] != group->sum.objects[last] ||
         group->sum.bytes[0] != group->sum.bytes[last];
}

/* How many times larger, at least 1; of nothing, as much as of one. */
static double diff_ratio(uint64_t before, uint64_t after) {
  double ratio = (double)after / (double)(before ? before : 1);
  return ratio > 1 ? ratio : 1;
}

/* Its bytes are more because its members are more: what one had at first, times how many came. */
static bool diff_group_is_front(const diff_walk *w, const diff_group *group, bool top) {
  size_t last = w->heaps - 1;
  uint64_t before = group->sum.objects[0], after = group->sum.objects[last];
  uint64_t more = after > before ? after - before : before - after;
  if (more < DIFF_MANY || (top && group->sum.kind == SNAPSHOT_FRAME)) return false;
  int64_t delta = diff_delta(group->sum.bytes[0], group->sum.bytes[last]);
  double bytes = (double)(delta < 0 ? -delta : delta);
  size_t model = before >= DIFF_MANY || after == 0 ? 0 : last;
  double each = (double)group->sum.bytes[model] / (double)group->sum.objects[model];
  return each * (double)more * 2 >= bytes;
}

/* Where a type repeats for the first time on the way down: the second branch of it. NULL: it does
 * not repeat often enough for a list or a tree. */
static const diff_branch *diff_repeats(const diff_branch *of, const diff_group *group) {
  const diff_branch *second = NULL, *first = NULL;
  snapshot_type_kind kind = group->sum.kind;
  bool nests = kind == SNAPSHOT_DICT || kind == SNAPSHOT_LIST || kind == SNAPSHOT_TUPLE;
  int count = 0, least = nests ? DIFF_NESTED : DIFF_REPEATS;
  for (const diff_branch *b = of; b && !b->top; b = b->up)
    if (b->type_hash == group->type_hash) second = first, first = b, count++;
  return count >= least ? second : NULL;
}

static bool diff_group_descends(const diff_walk *w, const diff_group *group,
                                const diff_branch *of) {
  size_t last = w->heaps - 1;
  uint64_t before = group->sum.bytes[0], after = group->sum.bytes[last];
  uint64_t delta = after > before ? after - before : before - after;
  if (delta < DIFF_SMALL && before < DIFF_LARGE && after < DIFF_LARGE) return false;
  if (before == group->own[0] && after == group->own[last]) return false;
  if (of->depth >= DIFF_DEEP || diff_repeats(of, group)) return false;
  return !diff_group_is_front(w, group, of->top);
}

static diff_growth *diff_walk_row(diff_walk *w) {
  diff_growth *rows = array_widen(w->rows, &w->room, w->count, sizeof *rows);
  if (!rows) return NULL;
  w->rows = rows;
  return &w->rows[w->count++];
}

/* The group above holds what came, unless its members came as fast: then what holds those does. */
static void diff_row_holder(const diff_walk *w, const diff_branch *of, const diff_group *group,
                            diff_growth *row) {
  size_t last = w->heaps - 1;
  row->holder = of->place;
  if (of->top) return;
  const uint64_t *above = of->sum->objects, *bytes = group->sum.bytes;
  if (above[last] <= above[0] || (above[0] == 0 && above[last] == 1)) return;
  if ((diff_ratio(above[0], above[last]) - 1) * 2 < diff_ratio(bytes[0], bytes[last]) - 1) return;
  row->holder = of->holder;
  row->before = of->before;
  row->after = of->after;
}

/* How many objects of the group's type lie below its members: of lists and trees. False: memory. */
static bool diff_count_repeats(const diff_view *v, const diff_branch *of, size_t h,
                               uint64_t type_hash, uint64_t *objects) {
  size_t count = 0, room = 256;
  graph_node *stack = array_make(room, sizeof *stack);
  for (size_t i = 0; stack && i <= of->counts[h]; i++) {
    while (stack && count > 0) {
      graph_node node = stack[--count];
      uint32_t from = v->first_child[node], to = v->first_child[node + 1];
      if (node != of->members[h][i - 1]) *objects += v->type_hash[v->g->type[node]] == type_hash;
      if (count + (to - from) + 1 > room) {
        size_t more = (count + (to - from) + 1) * 2;
        graph_node *wider = array_resize(stack, room, more, sizeof *stack);
        if (!wider) array_free(stack, room, sizeof *stack);
        stack = wider;
        room = more;
      }
      for (uint32_t e = from; stack && e < to; e++) stack[count++] = v->child[e];
    }
    if (stack && i < of->counts[h]) stack[count++] = of->members[h][i];
  }
  bool good = stack != NULL;
  array_free(stack, room, sizeof *stack);
  return good;
}

/* What holds the second of them holds the rest of the list. */
static bool diff_emit_repeats(diff_walk *w, const diff_branch *of, const diff_group *group,
                              const diff_branch *second, diff_growth *row) {
  row->holder = second->up->place;
  row->before = second->sum->before;
  row->after = second->sum->after;
  for (size_t h = 0; h < w->heaps; h++) {
    row->objects[h] = 0;
    if (!diff_count_repeats(&w->views[h], of, h, group->type_hash, &row->objects[h])) return false;
  }
  return true;
}

static bool diff_emit(diff_walk *w, const diff_branch *of, const diff_group *group) {
  size_t last = w->heaps - 1;
  if (group->descends && group->own[0] == group->own[last] &&
      group->sum.objects[0] == group->sum.objects[last])
    return true;
  diff_growth *row = diff_walk_row(w);
  if (!row) return false;
  *row = group->sum;
  if (of->top) row->before = row->after = GRAPH_NONE;
  row->own = group->descends;
  if (group->descends) memcpy(row->bytes, group->own, sizeof row->bytes);
  diff_row_holder(w, of, group, row);
  bool whole = group->descends || diff_group_is_front(w, group, of->top);
  const diff_branch *second = whole ? NULL : diff_repeats(of, group);
  return !second || diff_emit_repeats(w, of, group, second, row);
}

/* --- Down ------------------------------------------------------------------------------------ */

static bool diff_level_judge(diff_walk *w, diff_level *l) {
  for (size_t h = 0; h < w->heaps; h++) l->member_counts[h] = 0;
  for (size_t i = 0; i < l->count; i++) {
    diff_group *group = &l->groups[i];
    if (!diff_group_changed(w, group)) continue;
    group->descends = diff_group_descends(w, group, l->of);
    if (!diff_emit(w, l->of, group)) return false;
    for (size_t h = 0; h < w->heaps && group->descends; h++) {
      group->first[h] = l->member_counts[h];
      l->member_counts[h] += group->sum.objects[h];
    }
  }
  return true;
}

static void diff_level_put_below(diff_walk *w, diff_level *l, size_t h, graph_node place) {
  const diff_view *v = &w->views[h];
  for (uint32_t i = v->first_child[place]; i < v->first_child[place + 1]; i++) {
    bool space;
    diff_group *group = diff_level_find(l, diff_level_key(l, v, h, v->child[i], &space));
    if (group->descends) l->members[h][group->first[h]++] = v->child[i];
  }
}

/* The members of groups that are looked into, group by group; then `first` is the end of each. */
static bool diff_level_put(diff_walk *w, diff_level *l) {
  for (size_t h = 0; h < w->heaps; h++) {
    l->members[h] = array_make(l->member_counts[h], sizeof(graph_node));
    if (!l->members[h]) return false;
    if (l->member_counts[h] == 0) continue;
    if (l->of->top) diff_level_put_below(w, l, h, diff_view_top(&w->views[h]));
    for (size_t i = 0; i < l->of->counts[h]; i++)
      diff_level_put_below(w, l, h, l->of->members[h][i]);
  }
  return true;
}

static diff_branch diff_branch_of(const diff_walk *w, const diff_level *l,
                                  const diff_group *group) {
  diff_branch b = {.up = l->of,
                   .place = group->sum.place,
                   .type_hash = group->type_hash,
                   .sum = &group->sum,
                   .kind = group->sum.kind,
                   .space = group->space,
                   .depth = l->of->depth + 1};
  diff_growth held = group->sum;
  diff_row_holder(w, l->of, group, &held);
  b.holder = held.holder;
  b.before = l->of->top ? GRAPH_NONE : held.before;
  b.after = l->of->top ? GRAPH_NONE : held.after;
  for (size_t h = 0; h < w->heaps; h++) {
    b.counts[h] = group->sum.objects[h];
    b.members[h] = l->members[h] + (group->first[h] - b.counts[h]);
  }
  return b;
}

static bool diff_look_into(diff_walk *w, const diff_branch *of) {
  diff_level l = {.of = of};
  bool good = diff_level_names(w, &l) && diff_level_count(w, &l) && diff_level_judge(w, &l) &&
              diff_level_put(w, &l);
  for (size_t i = 0; good && i < l.count; i++) {
    if (!l.groups[i].descends) continue;
    diff_branch below = diff_branch_of(w, &l, &l.groups[i]);
    good = diff_look_into(w, &below);
  }
  diff_level_finish(w, &l);
  return good;
}

static int diff_growth_order(const void *a, const void *b) {
  const diff_growth *x = a, *y = b;
  return (x->place > y->place) - (x->place < y->place);
}

bool diff_groups(const reach *const *heaps, size_t heap_count, diff_growth **rows, size_t *count) {
  diff_walk w = {.heaps = heap_count};
  diff_branch top = {.top = true, .before = GRAPH_NONE, .after = GRAPH_NONE};
  bool good = true;
  for (size_t h = 0; h < heap_count && good; h++) good = diff_view_make(&w.views[h], heaps[h]);
  good = good && diff_view_settle(w.views, heap_count) && diff_look_into(&w, &top);
  for (size_t h = 0; h < heap_count; h++) diff_view_finish(&w.views[h]);
  if (!good) {
    free(w.rows);
    return false;
  }
  if (w.count) qsort(w.rows, w.count, sizeof *w.rows, diff_growth_order);
  *rows = w.rows;
  *count = w.count;
  return true;
}

bool diff_holders(const reach *before, const reach *after, diff_row **rows, size_t *count) {
  const reach *const heaps[] = {before, after};
  diff_growth *found;
  if (!diff_groups(heaps, 2, &found, count)) return false;
  diff_row *out = calloc(*count + 1, sizeof *out);
  for (size_t i = 0; out && i < *count; i++) {
    const diff_growth *f = &found[i];
    out[i] =
        (diff_row){.type = f->type, .holder = f->holder, .before = f->before, .after = f->after};
    memcpy(out[i].objects, f->objects, sizeof out[i].objects);
    memcpy(out[i].bytes, f->bytes, sizeof out[i].bytes);
  }
  free(found);
  if (!out) return false;
  diff_finish_rows(out, count);
  *rows = out;
  return true;
}
