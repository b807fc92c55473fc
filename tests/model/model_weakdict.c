/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a weak-value dictionary, a weak-key dictionary and a weak set that share
 * their objects, against arrays. Some objects are garbage loops, which the collector ends; some
 * values keep other objects, so that one death brings others.
 */
#include "test.h"

#include "object/weak.h"
#include "support/story.h"

enum { OBJECTS = 40, NONE = -1 };

/* Objects compare by their number modulo 10 in dictionaries and sets, so that several are equal. */
typedef struct thing {
  ouro_object object;
  struct thing *keeps, *self;
  int number;
} thing;

static ouro_type *thing_type;
static thing *things[OBJECTS]; /* held from here: */
static bool held[OBJECTS];

static int same_as(int number) { return number % 10; }

static uint64_t thing_hash(const void *self) {
  return (uint64_t)same_as(((const thing *)self)->number) % 4 * 0x9E3779B97F4A7C15u;
}

static int thing_equal(const void *a, const void *b) {
  return same_as(((const thing *)a)->number) == same_as(((const thing *)b)->number);
}

static ouro_weakvaluedict *values;
static ouro_weakkeydict *keys;
static ouro_weakset *set;

/* The model. An object lives while it is held, while something that lives keeps it, and while a
 * dictionary holds it: as a key in `values` whose value lives, as a value in `keys` whose key
 * lives. Entries are kept by the key's class. */
typedef struct entry {
  int key, value;
} entry;
static struct {
  bool alive;
  int keeps;
} m[OBJECTS];
static entry m_values[10], m_keys[10];
static int m_set[10];

static void open_model(void) {
  open_world();
  static const uint16_t refs[] = {offsetof(thing, keeps), offsetof(thing, self), 0};
  const ouro_type_spec spec = {.name = "thing",
                               .size = sizeof(thing),
                               .refs = refs,
                               .hash = thing_hash,
                               .equal = thing_equal};
  thing_type = ouro_type_new(world, &spec);
  values = ouro_weakvaluedict_new(world);
  keys = ouro_weakkeydict_new(world);
  set = ouro_weakset_new(world);
  for (int i = 0; i < 10; i++) {
    m_values[i] = m_keys[i] = (entry){NONE, NONE};
    m_set[i] = NONE;
  }
}

/* --- who lives: the least set that the rules above allow, from what is held ------------------- */

static bool m_reach(bool *reached) {
  bool more = false;
  for (int i = 0; i < OBJECTS; i++) {
    if (!reached[i] || m[i].keeps == NONE || reached[m[i].keeps]) continue;
    more = reached[m[i].keeps] = true;
  }
  for (int i = 0; i < 10; i++) {
    entry *v = &m_values[i], *k = &m_keys[i];
    if (v->key != NONE && reached[v->value] && !reached[v->key]) more = reached[v->key] = true;
    if (k->key != NONE && reached[k->key] && !reached[k->value]) more = reached[k->value] = true;
  }
  return more;
}

/* What nothing outside reaches but what dictionaries hold among themselves also lives: neither
 * counts nor the collector end that (rule W3). So entries whose weak side lives count as roots. */
static void m_settle(void) {
  bool reached[OBJECTS];
  for (bool again = true; again;) {
    again = false;
    for (int i = 0; i < OBJECTS; i++) reached[i] = m[i].alive && held[i];
    for (int i = 0; i < 10; i++) {
      if (m_values[i].key != NONE) reached[m_values[i].key] = true;
      if (m_keys[i].key != NONE) reached[m_keys[i].value] = true;
    }
    while (m_reach(reached)) {}
    for (int i = 0; i < OBJECTS; i++)
      if (m[i].alive && !reached[i]) m[i].alive = false, again = true;
    for (int i = 0; i < 10; i++) {
      if (m_values[i].key != NONE && !m[m_values[i].value].alive) m_values[i].key = NONE;
      if (m_keys[i].key != NONE && !m[m_keys[i].key].alive) m_keys[i].key = NONE;
      if (m_set[i] != NONE && !m[m_set[i]].alive) m_set[i] = NONE;
    }
  }
}

/* --- operations ------------------------------------------------------------------------------- */

static void make(int at) {
  if (m[at].alive) return;
  things[at] = ouro_new(thing_type);
  CHECK(things[at]);
  things[at]->number = at;
  if (test_random() % 3 == 0) ouro_assign(&things[at]->self, things[at]);
  m[at].alive = held[at] = true;
  m[at].keeps = NONE;
}

static void let_keep(int at, int other) {
  if (!m[at].alive || !m[other].alive) return;
  ouro_assign(&things[at]->keeps, things[other]);
  m[at].keeps = other;
}

static void let_go(int at) {
  if (!m[at].alive || !held[at]) return;
  held[at] = false;
  ouro_unref(things[at]);
}

static void put(int key, int value) {
  if (!m[key].alive || !m[value].alive) return;
  entry *v = &m_values[same_as(key)], *k = &m_keys[same_as(key)];
  if (test_random() % 2) {
    CHECK(ouro_weakvaluedict_put(values, things[key], things[value]));
    *v = (entry){v->key == NONE ? key : v->key, value};
  } else {
    CHECK(ouro_weakkeydict_put(keys, things[key], things[value]));
    *k = (entry){k->key == NONE ? key : k->key, value};
  }
}

static void add(int member) {
  if (!m[member].alive) return;
  int *there = &m_set[same_as(member)];
  CHECK(ouro_weakset_add(set, things[member]));
  if (*there == NONE) *there = member;
}

/* The looked-up object need not be the one that was put: any equal one will do. */
static void remove_one(int at) {
  if (!m[at].alive) return;
  int class = same_as(at);
  ouro_ref(things[at]);
  switch (test_random() % 3) {
  case 0:
    CHECK_EQ(ouro_weakvaluedict_remove(values, things[at]), m_values[class].key != NONE);
    m_values[class].key = NONE;
    break;
  case 1:
    CHECK_EQ(ouro_weakkeydict_remove(keys, things[at]), m_keys[class].key != NONE);
    m_keys[class].key = NONE;
    break;
  default:
    CHECK_EQ(ouro_weakset_remove(set, things[at]), m_set[class] != NONE);
    m_set[class] = NONE;
  }
  ouro_unref(things[at]);
}

/* --- comparing -------------------------------------------------------------------------------- */

static void look_up(int at) {
  ouro_object *found;
  int class = same_as(at);
  CHECK_EQ(ouro_weakvaluedict_get(values, things[at], &found), m_values[class].key != NONE);
  if (found) CHECK(found == OURO_OBJECT(things[m_values[class].value]));
  ouro_unref(found);
  CHECK_EQ(ouro_weakkeydict_get(keys, things[at], &found), m_keys[class].key != NONE);
  if (found) CHECK(found == OURO_OBJECT(things[m_keys[class].value]));
  ouro_unref(found);
  CHECK_EQ(ouro_weakset_has(set, things[at]), m_set[class] != NONE);
}

static void check_entry(const entry *e, ouro_object *key, ouro_object *value) {
  CHECK(key == OURO_OBJECT(things[e->key]) && value == OURO_OBJECT(things[e->value]));
  ouro_unref(key);
  ouro_unref(value);
}

static void visit_all(void) {
  ouro_object *key, *value;
  size_t position = 0, n = 0;
  for (; ouro_weakvaluedict_next(values, &position, &key, &value); n++)
    check_entry(&m_values[same_as(((thing *)(void *)key)->number)], key, value);
  CHECK_EQ(n, ouro_weakvaluedict_length(values));
  position = n = 0;
  for (; ouro_weakkeydict_next(keys, &position, &key, &value); n++)
    check_entry(&m_keys[same_as(((thing *)(void *)key)->number)], key, value);
  CHECK_EQ(n, ouro_weakkeydict_length(keys));
  position = n = 0;
  for (; ouro_weakset_next(set, &position, &key); n++) {
    CHECK(key == OURO_OBJECT(things[m_set[same_as(((thing *)(void *)key)->number)]]));
    ouro_unref(key);
  }
  CHECK_EQ(n, ouro_weakset_length(set));
}

static size_t living(void) {
  size_t n = 0;
  for (int i = 0; i < OBJECTS; i++) n += m[i].alive;
  return n;
}

static bool count_thing(void *ctx, ouro_object *o) {
  *(size_t *)ctx += ouro_type_of(o) == thing_type;
  return true;
}

static void compare(void) {
  size_t n = 0, lengths[3] = {0};
  ouro_each_object(world, -1, count_thing, &n);
  CHECK_EQ(n, living());
  for (int i = 0; i < 10; i++) {
    lengths[0] += m_values[i].key != NONE;
    lengths[1] += m_keys[i].key != NONE;
    lengths[2] += m_set[i] != NONE;
  }
  CHECK_EQ(ouro_weakvaluedict_length(values), lengths[0]);
  CHECK_EQ(ouro_weakkeydict_length(keys), lengths[1]);
  CHECK_EQ(ouro_weakset_length(set), lengths[2]);
  for (int i = 0; i < OBJECTS; i++)
    if (m[i].alive) look_up(i);
  visit_all();
  const char *broken = weak_check(world);
  if (broken) TEST_FAIL("%s", broken);
}

static void one_operation(void) {
  int at = (int)(test_random() % OBJECTS), other = (int)(test_random() % OBJECTS);
  switch (test_random() % 8) {
  case 0:
  case 1: make(at); break;
  case 2:
  case 3: let_go(at); break;
  case 4: let_keep(at, other); break;
  case 5: add(at); break;
  case 6: put(at, other); break;
  default: remove_one(at); break;
  }
}

static void run(int operations) {
  size_t most = 0;
  for (int i = 0; i < operations; i++) {
    one_operation();
    while (ouro_collect(world, 2) > 0) {} /* the end of one loop may make garbage of another */
    m_settle();
    compare();
    if (ouro_weakkeydict_length(keys) > most) most = ouro_weakkeydict_length(keys);
    if (i % 500 == 0) check_world();
  }
  CHECK_LT(0u, most);
  ouro_heap_destroy(world);
}

TEST(random_operations) {
  open_model();
  run(6000);
}

TEST(random_operations_with_a_collection_at_every_allocation) {
  open_model();
  ouro_gc_set_stress(world, 1);
  run(600);
}
