/* SPDX-License-Identifier: MIT */
/*
 * Random operations on referents and weak references, whose callbacks drop others, make new ones,
 * let other referents die and collect; against arrays that say what must have happened.
 */
#include "test.h"

#include "object/tune.h"
#include "object/weak.h"
#include "support/story.h"

enum { REFERENTS = 24, WEAKS = 60, LOG = 4096 };

typedef enum action { NOTHING, DROP_WEAK, DROP_REFERENT, MAKE_WEAK, COLLECT, LOOK, ACTIONS } action;

typedef struct order {
  ouro_object object;
  uint32_t serial, target;
  action action;
} order;

/* The real side. */
static node *referents[REFERENTS];
static ouro_weak *weaks[WEAKS];
static ouro_type *order_type;
static uint32_t real_serial;

/* The model. A weak reference without callback has serial 0. */
static struct { bool alive, loop; } m_referents[REFERENTS];
static struct {
  bool used, gone, told;
  uint32_t referent, serial, target;
  action action;
} m_weaks[WEAKS];
static uint32_t m_serial;

/* What happened: serials of callbacks, and what LOOK saw. */
static uint32_t real_log[LOG], m_log[LOG];
static size_t real_length, m_length;

static void real_say(uint32_t what) {
  CHECK_LT(real_length, (size_t)LOG);
  real_log[real_length++] = what;
}

static void m_say(uint32_t what) {
  CHECK_LT(m_length, (size_t)LOG);
  m_log[m_length++] = what;
}

/* --- the real side ---------------------------------------------------------------------------- */

static void real_make_weak(uint32_t at, uint32_t referent, bool told, action act, uint32_t target);

static void real_act(action act, uint32_t target) {
  uint32_t weak = target % WEAKS, referent = target % REFERENTS;
  node *loops = referents[referent];
  switch (act) {
  case DROP_WEAK: forget(&weaks[weak]); break;
  case DROP_REFERENT:
    if (loops && !loops->left) forget(&referents[referent]);
    break;
  case MAKE_WEAK:
    if (!weaks[weak] && loops) real_make_weak(weak, referent, true, NOTHING, 0);
    break;
  case COLLECT: ouro_collect(world, (int)(target % 3)); break;
  case LOOK:
    if (weaks[weak]) real_say(ouro_weak_is_gone(weaks[weak]) ? UINT32_MAX : UINT32_MAX - 1);
    break;
  default: break;
  }
}

static void obey(ouro_weak *weak, ouro_object *closure) {
  order *o = (order *)(void *)closure;
  CHECK(ouro_weak_is_gone(weak));
  real_say(o->serial);
  real_act(o->action, o->target);
}

static void real_make_weak(uint32_t at, uint32_t referent, bool told, action act, uint32_t target) {
  order *o = told ? ouro_new(order_type) : NULL;
  if (o) {
    o->serial = ++real_serial;
    o->action = act;
    o->target = target;
  }
  weaks[at] = ouro_weak_new(referents[referent], told ? obey : NULL, o);
  CHECK(weaks[at]);
  ouro_unref(o);
}

/* --- the model -------------------------------------------------------------------------------- */

static void m_make_weak(uint32_t at, uint32_t referent, bool told, action act, uint32_t target) {
  m_weaks[at].used = true;
  m_weaks[at].gone = m_weaks[at].told = false;
  m_weaks[at].referent = referent;
  m_weaks[at].serial = told ? ++m_serial : 0;
  m_weaks[at].action = act;
  m_weaks[at].target = target;
}

static void m_kill(uint32_t referent);

static void m_act(action act, uint32_t target) {
  uint32_t weak = target % WEAKS, referent = target % REFERENTS;
  switch (act) {
  case DROP_WEAK: m_weaks[weak].used = false; break;
  case DROP_REFERENT:
    if (m_referents[referent].alive && !m_referents[referent].loop) m_kill(referent);
    break;
  case MAKE_WEAK:
    if (!m_weaks[weak].used && m_referents[referent].alive)
      m_make_weak(weak, referent, true, NOTHING, 0);
    break;
  case LOOK:
    if (m_weaks[weak].used) m_say(m_weaks[weak].gone ? UINT32_MAX : UINT32_MAX - 1);
    break;
  default: break;
  }
}

static int by_serial(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Those told, youngest first, whatever becomes of them meanwhile. */
static void m_tell(uint32_t referent) {
  uint32_t told[WEAKS][3];
  size_t n = 0;
  for (uint32_t i = 0; i < WEAKS; i++) {
    if (!m_weaks[i].used || m_weaks[i].told || m_weaks[i].referent != referent) continue;
    m_weaks[i].told = true;
    if (!m_weaks[i].serial) continue;
    told[n][0] = m_weaks[i].serial;
    told[n][1] = m_weaks[i].action;
    told[n++][2] = m_weaks[i].target;
  }
  qsort(told, n, sizeof told[0], by_serial);
  for (size_t i = 0; i < n; i++) {
    m_say(told[i][0]);
    m_act((action)told[i][1], told[i][2]);
  }
}

static void m_clear(uint32_t referent) {
  m_referents[referent].alive = false;
  for (uint32_t i = 0; i < WEAKS; i++)
    if (m_weaks[i].referent == referent) m_weaks[i].gone = true;
}

/* Deaths within deaths come at once, to a certain depth; from there on the last one waits least. */
static uint32_t m_depth, m_waiting[REFERENTS];
static size_t m_waiting_count;

static void m_kill(uint32_t referent) {
  m_clear(referent);
  if (m_depth >= TUNE_DEPTH) {
    m_waiting[m_waiting_count++] = referent;
    return;
  }
  m_depth++;
  m_tell(referent);
  while (m_depth == 1 && m_waiting_count) m_tell(m_waiting[--m_waiting_count]);
  m_depth--;
}

static void m_kill_collected(uint32_t referent) {
  m_clear(referent);
  m_tell(referent);
}

/* --- both ------------------------------------------------------------------------------------- */

static void make_referent(uint32_t at) {
  if (referents[at]) return;
  referents[at] = make_node("x", NULL);
  m_referents[at].alive = true;
  m_referents[at].loop = test_random() % 3 == 0;
  if (m_referents[at].loop) ouro_assign(&referents[at]->left, referents[at]);
}

/* A loop becomes garbage and is collected: told the same way. */
static void kill_referent(uint32_t at) {
  if (!referents[at]) return;
  bool loop = m_referents[at].loop;
  forget(&referents[at]);
  if (loop) CHECK_EQ(ouro_collect(world, 2), 1);
  if (loop) m_kill_collected(at);
  else m_kill(at);
}

static void make_weak(uint32_t at, uint32_t referent) {
  if (weaks[at] || !referents[referent]) return;
  bool told = test_random() % 4 != 0;
  action act = (action)(test_random() % ACTIONS);
  uint32_t target = (uint32_t)test_random() % 1000;
  real_make_weak(at, referent, told, act, target);
  m_make_weak(at, referent, told, act, target);
}

static size_t m_count(uint32_t referent) {
  size_t told = 0, plain = 0;
  for (uint32_t i = 0; i < WEAKS; i++) {
    if (!m_weaks[i].used || m_weaks[i].gone || m_weaks[i].referent != referent) continue;
    if (m_weaks[i].serial) told++;
    else plain = 1; /* all of these are one */
  }
  return told + plain;
}

static void compare(void) {
  CHECK_EQ(real_length, m_length);
  for (size_t i = 0; i < m_length; i++) CHECK_EQ(real_log[i], m_log[i]);
  real_length = m_length = 0;
  for (uint32_t i = 0; i < WEAKS; i++) {
    CHECK_EQ(weaks[i] != NULL, m_weaks[i].used);
    if (!weaks[i]) continue;
    node *there = ouro_weak_get(weaks[i]);
    CHECK(there == (m_weaks[i].gone ? NULL : referents[m_weaks[i].referent]));
    ouro_unref(there);
  }
  for (uint32_t i = 0; i < REFERENTS; i++) {
    CHECK_EQ(referents[i] != NULL, m_referents[i].alive);
    if (referents[i]) CHECK_EQ(ouro_weak_count(referents[i]), m_count(i));
  }
  const char *broken = weak_check(world);
  if (broken) TEST_FAIL("%s", broken);
}

static void one_operation(void) {
  uint32_t referent = (uint32_t)(test_random() % REFERENTS), weak = test_random() % WEAKS;
  switch (test_random() % 8) {
  case 0: kill_referent(referent); break;
  case 1:
    forget(&weaks[weak]);
    m_weaks[weak].used = false;
    break;
  case 2:
  case 3: make_referent(referent); break;
  default: make_weak(weak, referent); break;
  }
}

static void open_model(void) {
  open_world();
  const ouro_type_spec spec = {.name = "order", .size = sizeof(order)};
  static const uint16_t refs[] = {offsetof(node, left), 0};
  const ouro_type_spec quiet = {.name = "quiet", .size = sizeof(node), .refs = refs};
  order_type = ouro_type_new(world, &spec);
  node_type = ouro_type_new(world, &quiet);
}

static void run(uint32_t operations) {
  uint64_t told = 0;
  for (uint32_t i = 0; i < operations; i++) {
    one_operation();
    told += m_length;
    compare();
    if (i % 500 == 0) check_world();
  }
  CHECK_LT((uint64_t)operations / 40, told); /* enough happened: some 6 in 100 */
  ouro_heap_destroy(world);
}

TEST(random_operations) {
  open_model();
  run(100000);
}

TEST(random_operations_with_a_collection_at_every_allocation) {
  open_model();
  ouro_gc_set_stress(world, 1);
  run(3000);
}
