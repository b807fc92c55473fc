/* SPDX-License-Identifier: MIT */
/*
 * CPython's old objects as an embedder of the collector (see cycle/embedder.h).
 *
 * A slot is 32 bytes of address space: every object has a head of 16 bytes and a body of as many at
 * least, so heads are at least 32 bytes apart. Slots of regions come first, those of the heap's
 * window behind them, from its first arena on. Who is in a slot is asked of the bitmap of known
 * heads, so that no address is looked at that does not hold an object, and a leaf is never touched.
 */
#ifndef OURO_EXT_GC_EMBED_H
#define OURO_EXT_GC_EMBED_H

#include "base/bits.h"
#include "cycle/cycle.h"
#include "known.h"
#include "os/os.h"
#include "pool/tune.h"
#include "roots.h"
#include "shape.h"
#include "stock.h"

/* The giant that is gathered and tested. */
typedef struct pygiant {
  bool foreign;  /* some member is for CPython to judge */
  bool together; /* in the test: the members looked at are neighbours in their list */
  size_t members;
  gclink *first, *last; /* of these */
  shape_slots slots;    /* in the test */
} pygiant;

typedef struct pyheap {
  uintptr_t window;
  const uint64_t *near, *far;
  uint64_t far_words;  /* those of the regions that there were when the cycle began */
  uint64_t near_words; /* what is added to a word's place in the window, modulo 2^64 */
  size_t pages;
  const gclayout *layout;
  uint64_t uncollectable; /* found by the cycle in progress */
  pygiant giant;
  gclink condemned;  /* members of a giant that are being destroyed */
  uint64_t judge_ns; /* longest, since it was read: with how many members, mostly of which type */
  size_t judge_members;
  char judge_type[64];
} pyheap;

/* What the objects of one word have in common. */
typedef struct pygroup {
  char *base;   /* where slot 0 of the word begins */
  uint64_t odd; /* heads that lie 16 bytes into their slot */
} pygroup;

#define CYCLE_PREFIX pycycle
#define CYCLE_EMBEDDER pyheap
#define CYCLE_OBJECT PyObject *
#define CYCLE_GROUP pygroup
#define CYCLE_CLOCK(e) ((void)(e), os_clock_ns())
#define CYCLE_PREFETCH(o) __builtin_prefetch(o)
#define CYCLE_EXPECT(o) shape_expect(o)
#define CYCLE_PLACE(e, o, slot) pyheap_place(e, o, slot)
#define CYCLE_LEAVES(o) pyheap_may_leave(Py_TYPE(o))
#define CYCLE_SCANNED(e, o) pyheap_scanned(o)
#define CYCLE_VISITED int
#define CYCLE_GO_ON 0
#define CYCLE_SWEEPS(e, g, word, bits) pyheap_sweeps(e, g, bits)
#define CYCLE_JUDGE(e, members, destroyed) pyheap_judge(e, members, destroyed)
#define CYCLE_GATHERED(e, set) pyheap_gathered(e, set)
#define CYCLE_DECIDES(e, g, word, bits, first) pyheap_decides(e, g, word, bits, first)
#define CYCLE_HIDE(e, n) pyheap_hide(e, n)

#define PYHEAP_SLOT 32u
#define PYHEAP_FIRST_WORD (OURO_FIRST_ARENA * OURO_ARENA_BYTES / PYHEAP_SLOT / 64)
#define PYHEAP_REGION_WORDS (GCKNOWN_REGION_WORDS / 2) /* words of slots, each two of the bitmap */

/* Implemented in judge.c. Once, before the first cycle. */
void judge_start(void);
/* In a forked child: the members of a batch in which a thread was that is not there any more are on
 * lists that nobody has. As in CPython, they are lost. */
void judge_lose(const pyheap *e, const cycle_set *members);
/* Members that are being destroyed stay known when all are forgotten: where in its slot a head lies
 * is asked until its end. */
void judge_note_condemned(const pyheap *e);
size_t pyheap_judge(pyheap *e, const cycle_set *members, size_t *destroyed);

/* By cycle/embedder.h. */
bool pyheap_sweeps(const pyheap *e, const pygroup *g, uint64_t bits);

/* Of a giant, by cycle/embedder.h. */
void pyheap_gathered(pyheap *e, const cycle_set *members);
bool pyheap_decides(pyheap *e, const pygroup *g, uint64_t word, uint64_t *bits, bool first);
bool pyheap_hide(pyheap *e, size_t n);

/* Before a cycle: what it may look at. */
static inline void pyheap_prepare(pyheap *e) {
  const gcknown *k = &gcknown_all;
  e->window = k->window;
  e->near = k->near;
  e->far = k->far;
  e->giant = (pygiant){.foreign = false};
  e->far_words = k->regions * PYHEAP_REGION_WORDS;
  e->near_words = e->far_words - PYHEAP_FIRST_WORD;
  uint64_t near = (k->highest + 1) / 2;
  uint64_t words = e->far_words + (near > PYHEAP_FIRST_WORD ? near - PYHEAP_FIRST_WORD : 0);
  e->pages = (words + CYCLE_PAGE_SLOTS / 64 - 1) / (CYCLE_PAGE_SLOTS / 64);
}

/* --- where objects lie --- */

static inline size_t embed_pages(const pyheap *e) { return e->pages; }

/* The two words of the bitmap behind a word of slots. */
static inline const uint64_t *pyheap_known(const pyheap *e, uint64_t word) {
  return word < e->far_words ? e->far + 2 * word : e->near + 2 * (word - e->near_words);
}

static inline char *pyheap_base(const pyheap *e, uint64_t word) {
  if (word >= e->far_words) return (char *)(e->window + (word - e->near_words) * 64 * PYHEAP_SLOT);
  uintptr_t number = gcknown_all.numbers[word / PYHEAP_REGION_WORDS];
  return (char *)((number << GCKNOWN_REGION_SHIFT) + word % PYHEAP_REGION_WORDS * 64 * PYHEAP_SLOT);
}

/* The even bits of a word, side by side in the lower half. */
static inline uint64_t pyheap_even(uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return (x | x >> 16) & 0xffffffff;
}

static inline uint64_t pyheap_evens(const uint64_t *known, unsigned shift) {
  return pyheap_even(known[0] >> shift) | pyheap_even(known[1] >> shift) << 32;
}

/* Out of line: objects that are older than the hook or too large for a pool. */
static OURO_NOINLINE bool pyheap_far_slot(const pyheap *e, uintptr_t head, uint64_t *slot) {
  uint32_t region = gcknown_region(head);
  size_t offset = head & (((uintptr_t)1 << GCKNOWN_REGION_SHIFT) - 1);
  uint64_t word = region * PYHEAP_REGION_WORDS + offset / PYHEAP_SLOT / 64;
  if (word >= e->far_words) return false;
  *slot = word * 64 + offset / PYHEAP_SLOT % 64;
  return e->far[2 * word + offset / 16 / 64 % 2] >> offset / 16 % 64 & 1;
}

CYCLE_INLINE uint64_t pyheap_near_slot(const pyheap *e, uintptr_t offset) {
  return e->near_words * 64 + offset / PYHEAP_SLOT;
}

CYCLE_INLINE bool embed_slot(const pyheap *e, PyObject *o, uint64_t *slot) {
  uintptr_t head = (uintptr_t)gclink_of(o), offset = head ^ e->window;
  if (OURO_UNLIKELY(offset >> OURO_WINDOW_SHIFT)) {
    uint64_t far = 0; /* so that *slot stays in a register */
    bool known = pyheap_far_slot(e, head, &far);
    *slot = far;
    return known;
  }
  *slot = pyheap_near_slot(e, offset);
  return e->near[offset / 16 / 64] >> offset / 16 % 64 & 1;
}

/* By arithmetic; the bit that says whether it is known is on its way. */
CYCLE_INLINE bool pyheap_place(const pyheap *e, PyObject *o, uint64_t *slot) {
  uintptr_t offset = (uintptr_t)gclink_of(o) ^ e->window;
  *slot = pyheap_near_slot(e, offset);
  __builtin_prefetch(&e->near[offset / 16 / 64]);
  return OURO_LIKELY(offset >> OURO_WINDOW_SHIFT == 0);
}

static inline pygroup embed_group(const pyheap *e, uint64_t word) {
  return (pygroup){pyheap_base(e, word), pyheap_evens(pyheap_known(e, word), 1)};
}

static inline PyObject *embed_object(const pyheap *e, const pygroup *g, uint64_t slot) {
  (void)e;
  unsigned in_word = slot % 64;
  return (PyObject *)(void *)(g->base + in_word * PYHEAP_SLOT + (g->odd >> in_word & 1) * 16 +
                              sizeof(gclink));
}

static inline bool embed_page(const pyheap *e, uint64_t page) {
  (void)e, (void)page;
  return true;
}

/* An object that is being destroyed may look tracked (its head then links the trashcan's list), but
 * nobody refers to it. */
static inline bool pyheap_is_alive(const PyObject *o) {
  return gclink_tracked(gclink_of(o)) && Py_REFCNT(o) > 0;
}

static inline uint64_t embed_live(const pyheap *e, uint64_t word, uint64_t bits, bool old) {
  (void)old; /* all that are known are */
  const uint64_t *known = pyheap_known(e, word);
  if (!(known[0] | known[1])) return 0;
  pygroup g = {pyheap_base(e, word), pyheap_evens(known, 1)};
  bits &= g.odd | pyheap_evens(known, 0);
  for (uint64_t rest = bits; rest; rest &= rest - 1)
    if (!pyheap_is_alive(embed_object(e, &g, ouro_lowest_bit(rest)))) bits &= ~(rest & -rest);
  return bits;
}

/* --- what they hold --- */

/* Immortal objects count at least 2^31, in every version. */
static inline uint32_t embed_count(const pyheap *e, PyObject *o) {
  (void)e;
  Py_ssize_t count = Py_REFCNT(o);
  return count >= INT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static inline size_t embed_length(const pyheap *e, const pygroup *g, PyObject *o) {
  (void)e, (void)g;
  return shape_length(o);
}

CYCLE_INLINE void embed_traverse(pyheap *e, const pygroup *g, PyObject *o, size_t from, size_t to,
                                 visitproc visit, void *arg) {
  (void)g;
  if (Py_TYPE(o) == e->giant.slots.type) shape_visit_slots(&e->giant.slots, o, visit, arg);
  else shape_traverse(o, from, to, visit, arg);
}

static inline bool pyheap_may_leave(const PyTypeObject *t) {
  return t == &PyTuple_Type || t == &PyDict_Type;
}

/* As CPython's full collections do, tuples and dicts that cannot be part of a cycle are untracked
 * (rule C10). */
static inline void pyheap_scanned(PyObject *o) {
  if (pyheap_may_leave(Py_TYPE(o)) && shape_untrack(o)) gcknown_forget(o);
}

static inline void embed_roots(pyheap *e, visitproc visit, void *arg) {
  (void)e;
  gcroots_visit(visit, arg);
}

static inline void embed_weak(pyheap *e, PyObject *o, visitproc visit, void *arg) {
  (void)e;
  for (PyObject *weak = shape_first_weak(o); weak; weak = shape_next_weak(weak)) visit(weak, arg);
}

/* --- the end of garbage: CPython's, but for giants of well-known types (judge.c) --- */

static inline uint64_t embed_special(const pyheap *e, const pygroup *g, uint64_t word,
                                     uint64_t bits) {
  (void)e, (void)g, (void)word, (void)bits;
  return 0;
}

static inline bool embed_prepare(pyheap *e, PyObject **garbage, size_t n, int stage) {
  (void)e, (void)garbage, (void)n, (void)stage;
  return false;
}

/* Condemned members are on a list of ours, so no list of CPython's shows them. */
static inline void pyheap_end(pyheap *e, PyObject *o, cycle_part part) {
  inquiry clear = Py_TYPE(o)->tp_clear;
  switch (part) {
  case CYCLE_CONDEMN: gclink_move(gclink_of(o), &e->condemned); break;
  case CYCLE_KEEP: Py_INCREF(o); break;
  case CYCLE_DROP:
    if (clear) clear(o);
    if (PyErr_Occurred()) PyErr_WriteUnraisable(NULL);
    break;
  case CYCLE_FREE: Py_DECREF(o); break;
  }
}

static inline uint64_t embed_destroy(pyheap *e, const pygroup *g, uint64_t word, uint64_t bits,
                                     cycle_part part) {
  (void)word;
  for (uint64_t rest = bits; rest; rest &= rest - 1)
    pyheap_end(e, embed_object(e, g, ouro_lowest_bit(rest)), part);
  return bits;
}

/* A count lower than the references found: as in CPython, the object stays. */
static inline void embed_broken(pyheap *e, PyObject *o, uint32_t count, uint32_t found) {
  (void)e, (void)o, (void)count, (void)found;
}

#endif
