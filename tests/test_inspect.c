/* SPDX-License-Identifier: MIT */
/* Looking at objects: referents, referrers, paths, the census, the check. */
#include "test.h"

#include "support/pairs.h"

static ouro_heap *heap;
static ouro_type *pairs;

static void open_heap(void) {
  heap = quiet_heap("inspect");
  pairs = plain_pairs(heap);
}

typedef struct notes {
  char names[256];
  int count, most;
} notes;

static bool note(void *ctx, ouro_object *other, const char *name) {
  notes *n = ctx;
  (void)other;
  n->count++;
  strcat(strcat(n->names, name), " ");
  return n->count != n->most;
}

static notes referents(const void *object, int most) {
  notes n = {.most = most};
  ouro_each_referent(object, note, &n);
  return n;
}

static notes referrers(const void *object, int most) {
  notes n = {.most = most};
  ouro_each_referrer(object, note, &n);
  return n;
}

TEST(fields_have_their_names_or_offsets) {
  open_heap();
  ouro_type_spec spec = pair_spec("nameless");
  spec.ref_names = NULL;
  pair *x = make_pair(pairs, 1, NULL, NULL), *y = make_pair(pairs, 2, x, ouro_ref(x));
  CHECK_STR(referents(y, 0).names, "a b ");
  CHECK_STR(referents(y, 1).names, "a ");
  CHECK_EQ(referents(x, 0).count, 0);
  pair *z = make_pair(ouro_type_new(heap, &spec), 3, NULL, ouro_ref(x));
  CHECK_STR(referents(z, 0).names, "+16 ");
  CHECK_EQ(referrers(x, 0).count, 3);
  CHECK_EQ(referrers(x, 2).count, 2);
}

typedef struct row {
  ouro_object object;
  size_t length;
  void *items[];
} row;

static ouro_type *rows(uint16_t per_item, uint32_t flags) {
  ouro_type_spec spec = {.name = "row", .size = sizeof(row), .item_size = 8, .flags = flags};
  spec.items = (ouro_items){.kind = OURO_ITEMS_INLINE,
                            .at = offsetof(row, items),
                            .length = offsetof(row, length),
                            .stride = (uint16_t)(8 * per_item),
                            .per_item = per_item};
  return ouro_type_new(heap, &spec);
}

TEST(items_have_their_index) {
  open_heap();
  pair *x = make_pair(pairs, 1, NULL, NULL);
  row *r = ouro_new_items(rows(1, 0), 3);
  r->length = 3;
  r->items[0] = ouro_ref(x), r->items[2] = ouro_ref(x);
  CHECK_STR(referents(r, 0).names, "[0] [2] ");
  CHECK_STR(referrers(x, 0).names, "[0] [2] ");
  row *s = ouro_new_items(rows(2, OURO_ACYCLIC), 4);
  s->length = 2;
  s->items[1] = ouro_ref(x), s->items[2] = ouro_ref(x);
  CHECK_STR(referents(s, 0).names, "[0] [1] ");
  CHECK_EQ(referrers(x, 0).count, 4); /* an untracked one is found as well */
}

static void visit_both(const void *self, size_t from, size_t to, ouro_visit_fn visit, void *arg) {
  const pair *p = self;
  void *refs[] = {p->a, p->b};
  for (size_t i = from; i < to && i < 2; i++)
    if (refs[i]) visit(refs[i], arg);
}

static size_t two(const void *self) { return (void)self, 2; }

static void name_it(const void *self, size_t index, char *out, size_t room) {
  (void)self;
  snprintf(out, room, "reference number %zu with a name that is too long", index);
}

TEST(references_of_traverse_are_numbered_or_named) {
  open_heap();
  ouro_type_spec spec = {.name = "hidden", .size = sizeof(pair), .traverse = visit_both};
  pair *x = make_pair(pairs, 1, NULL, NULL);
  CHECK_STR(referents(make_pair(ouro_type_new(heap, &spec), 1, ouro_ref(x), ouro_ref(x)), 0).names,
            "reference 0 reference 0 ");
  spec.length = two;
  CHECK_STR(referents(make_pair(ouro_type_new(heap, &spec), 1, ouro_ref(x), ouro_ref(x)), 0).names,
            "reference 0 reference 1 ");
  spec.name_ref = name_it;
  notes n = referents(make_pair(ouro_type_new(heap, &spec), 1, NULL, ouro_ref(x)), 0);
  CHECK_STR(n.names, "reference number 1 with a name  "); /* cut to 31 bytes */
}

/* --- paths --- */

TEST(a_path_longer_than_its_room) {
  open_heap();
  pair *chain = make_chain(pairs, 100), *last = chain;
  while (last->a) last = last->a;
  ouro_path_step path[3] = {{0}};
  CHECK_EQ(ouro_path_to_root(last, path, 3), 100);
  CHECK(path[0].object == OURO_OBJECT(chain) && path[2].object == OURO_OBJECT(chain->a->a));
  CHECK_EQ(ouro_path_to_root(last, NULL, 0), 100);
  CHECK_EQ(ouro_path_to_root(chain, path, 3), 1);
}

TEST(immortal_objects_are_roots) {
  open_heap();
  pair *x = make_pair(pairs, 1, NULL, NULL), *y = make_pair(pairs, 2, x, NULL);
  x->a = ouro_ref(y);
  ouro_immortalize(y);
  ouro_path_step path[4];
  CHECK_EQ(ouro_path_to_root(x, path, 4), 2);
  CHECK(path[0].object == OURO_OBJECT(y));
}

static int64_t path_in_clear = -2;

static void ask_for_a_path(void *self) {
  ouro_path_step path[2];
  path_in_clear = ouro_path_to_root(self, path, 2);
}

TEST(a_dying_object_is_held_from_nowhere) {
  open_heap();
  ouro_type_spec spec = pair_spec("asking pair");
  spec.clear = ask_for_a_path;
  ouro_unref(make_pair(ouro_type_new(heap, &spec), 1, NULL, NULL));
  CHECK_EQ(path_in_clear, 0);
}

/* --- the census --- */

TEST(most_bytes_come_first) {
  open_heap();
  ouro_type *big = ouro_type_new(heap, &(ouro_type_spec){.name = "big", .size = 400});
  ouro_new(big);
  make_chain(pairs, 5);
  ouro_type_count out[2];
  CHECK_EQ(ouro_census(heap, out, 2), 2u);
  CHECK(out[0].type == big && out[0].objects == 1 && out[0].bytes >= 400);
  CHECK(out[1].type == pairs && out[1].objects == 5);
  CHECK_EQ(ouro_census(heap, out, 1), 2u);
  CHECK_EQ(ouro_census(heap, NULL, 0), 2u);
  CHECK_EQ(ouro_census(quiet_heap("empty"), out, 2), 0u);
}

/* --- walking --- */

static bool stop_at_three(void *ctx, ouro_object *o) { return (void)o, ++*(int *)ctx < 3; }

TEST(a_visit_can_end_early) {
  open_heap();
  make_chain(pairs, 10);
  int seen = 0;
  ouro_each_object(heap, -1, stop_at_three, &seen);
  CHECK_EQ(seen, 3);
}

TEST(untracked_objects_are_not_listed_but_looked_through) {
  open_heap();
  pair *x = make_pair(pairs, 1, NULL, NULL), *p = make_pair(pairs, 2, x, NULL);
  CHECK(ouro_is_tracked(p));
  ouro_untrack(p);
  CHECK(!ouro_is_tracked(p));
  CHECK_EQ(ouro_generation_of(p), -1);
  int seen = 0;
  ouro_each_object(heap, -1, stop_at_three, &seen);
  CHECK_EQ(seen, 1);
  CHECK_EQ(referrers(x, 0).count, 1);
  p->b = ouro_ref(p); /* untracked: its cycle stays */
  ouro_unref(p);
  CHECK_EQ(ouro_collect(heap, 2), 0);
  ouro_track(p);
  CHECK_EQ(ouro_collect(heap, 2), 2);
  CHECK(objects_ok(heap));
}
