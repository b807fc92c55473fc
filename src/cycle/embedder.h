/* SPDX-License-Identifier: MIT */
/*
 * What the collector asks of whose objects it collects: its embedder.
 *
 * The collector is a template. A file that wants an instance defines
 *
 *     CYCLE_PREFIX    the prefix of the instance's names, e.g. native: native_start, native_step
 *     CYCLE_EMBEDDER  the type E of the embedder's own state
 *     CYCLE_OBJECT    a small value type that names an object
 *     CYCLE_GROUP     a struct: what the objects of one word have in common, looked up once for all
 *                     of them; all zero: nothing is known
 *     CYCLE_CLOCK(e)  nanoseconds, e.g. os_clock_ns()
 *     CYCLE_PREFETCH(o)  the object will be looked at soon; may be empty
 *     CYCLE_EXPECT(o)  a live object's references will be looked at soon; may be empty
 *     CYCLE_PLACE(e, o, slot)  where a referenced object lies if embed_slot says that it lies
 *                     anywhere, told without a look at memory, which comes into the cache
 *                     meanwhile: true, and *slot. false: ask embed_slot at once
 *     CYCLE_LEAVES(o)  whether CYCLE_SCANNED has anything to do with such an object
 *     CYCLE_SCANNED(e, o)  a live object was scanned to its end, in which no slot was found: it may
 *                     leave the embedder's care; may be empty
 *     CYCLE_VISITED, CYCLE_GO_ON  what visitors return, as the embedder's own traverse functions
 *                     want it: a type and a value of it (void and nothing, or int and 0)
 *     CYCLE_SWEEPS(e, g, word, bits)  whether these objects of a word, garbage, may be destroyed as
 *                     embed_destroy says without anything else: none is special, nor is any
 *                     CYCLE_JUDGE to be asked. At the end of a collection in one go
 *     CYCLE_JUDGE(e, members, destroyed)  for runtimes with a collector of their own, which must
 *                     have the last word: hands it the members of this const cycle_set, which it
 *                     tests and destroys; returns how many it found unreachable, and *destroyed.
 *                     CYCLE_NOT_JUDGED: the members are tested and destroyed as embed_* says
 *     CYCLE_GATHERED(e, set)  a giant is being gathered into this const cycle_set, whose newest
 *                     word has all its members now. In slices, so nothing is certain yet: what can
 *                     be made ready for the test. May be empty
 *     CYCLE_DECIDES(e, g, word, bits, first)  leaves in *bits, a giant's members of a word, those
 *                     that still live, as embed_live(e, word, *bits, true), and says whether they
 *                     may be tested and destroyed as embed_* says. Asked of each word in the go in
 *                     which the test is, of the first one with `first`. False: CYCLE_JUDGE is asked
 *     CYCLE_HIDE(e, n)  the members about whom CYCLE_DECIDES was asked last are garbage, n of them,
 *                     and none is special. True: there were no others, and they are condemned all
 *                     at once. False: embed_destroy is to condemn them
 *
 * then the functions below as `static inline`, then includes "cycle/cycle.h" for the types and
 * "cycle/template.h" for the bodies. No call goes through a pointer (measured: 1.2-2.0 times
 * slower).
 *
 * Places. Objects lie in *pages* of CYCLE_PAGE_SLOTS *slots*; slot s is in page s / 4096 and in
 * word s / 64. All the collector remembers is keyed by slot, in tables of its own: never in
 * objects, never by pointer. A slot may become free and be taken by another object at any time
 * between two slices; what the collector believed about it then is wrong in the harmless
 * direction, as each batch is tested exactly before anything is destroyed. Sets of slots of one
 * word are bits.
 *
 *   size_t   embed_pages(const E *e)
 *     pages [0, n) exist. They keep their numbers for as long as a cycle is in progress; pages that
 *     appear meanwhile have higher numbers and wait for the next cycle.
 *   bool     embed_page(const E *e, uint64_t page)
 *     whether it may hold anything that a cycle may collect.
 *   uint64_t embed_live(const E *e, uint64_t word, uint64_t bits, bool old)
 *     which of these slots hold a live, tracked object that is not being destroyed; `old`: and one
 *     that a cycle may collect (not young, not frozen). Asked of slots of pages that embed_page
 *     has accepted and of slots that embed_slot gave, whoever is in them by then. Hot.
 *   bool     embed_slot(const E *e, OBJECT o, uint64_t *slot)
 *     where a referenced object lies. False: it cannot be in a cycle (a leaf). Must not touch the
 *     object where that can be avoided. Hot.
 *   GROUP    embed_group(const E *e, uint64_t word)
 *     what is known about the objects of a word.
 *   OBJECT   embed_object(const E *e, const GROUP *g, uint64_t slot)
 *     the object in a slot of the group's word that is known to hold one, or held one lately and
 *     is only to be prefetched: arithmetic only.
 *   uint32_t embed_count(const E *e, OBJECT o)
 *     its reference count; UINT32_MAX if it is immortal.
 *   size_t   embed_length(const E *e, const GROUP *g, OBJECT o)
 *     how many references it has room for: the upper border for embed_traverse. Cheap.
 *   void     embed_traverse(E *e, const GROUP *g, OBJECT o, size_t from, size_t to, visit, arg)
 *     visit(referent, arg) for its references numbered [from, to), as it owns each of them exactly
 *     once. Always inline, so that visit is. An object that cannot be divided has embed_length 1.
 *   void     embed_roots(E *e, visit, void *arg)
 *     visits objects known to be alive, to mark from. May visit none.
 *   void     embed_weak(E *e, OBJECT o, visit, void *arg)
 *     visits the weak references to o that are objects themselves: they are destroyed in the same
 *     batch as o, so that their callbacks are not called where both are garbage.
 *   uint64_t embed_special(const E *e, const GROUP *g, uint64_t word, uint64_t bits)
 *     for which of these objects something must happen before they are destroyed: they have a
 *     finalizer that has not run, weak references, or must be kept.
 *   bool     embed_prepare(E *e, OBJECT *garbage, size_t n, int stage)
 *     called for a batch that had special members, all unreachable. Stage 0: takes a reference to
 *     each member that must be kept instead of being destroyed. Stage 1: clears weak references,
 *     calls their callbacks, then finalizers. Runs the program's code. True: references may have
 *     changed; the collector drops members that are not alive any more, repeats its test and drops
 *     what is reachable again. Stage 1 is repeated while there are special members (a finalizer may
 *     make weak references to garbage), a few times; then they wait for the next collection. The
 *     embedder itself holds references to all members while it runs finalizers, so that `garbage`
 *     stays valid, and none when it returns.
 *   uint64_t embed_destroy(E *e, const GROUP *g, uint64_t word, uint64_t bits, cycle_part part)
 *     the four parts of destruction, each for all members of a batch (at once, or for a giant
 *     batch over slices) before the next begins. CYCLE_CONDEMN: nobody sees them from now on;
 *     returns those that go on, the others stay alive after all (the results of the other parts are
 *     not looked at). CYCLE_KEEP: unreferencing them has no effect from now on, if it had until
 *     then: nobody unreferences what nobody sees, so all members need not be written to in the go
 *     in which they are condemned. CYCLE_DROP: drops their references; may run the program's code
 *     (of other objects that die with them), so a group must not hold what the program can move.
 *     CYCLE_FREE: frees their memory.
 *   void     embed_broken(E *e, OBJECT o, uint32_t count, uint32_t found)
 *     more references to o were found than it counts: its count or a traverse is wrong. It is
 *     treated as alive.
 */
#ifndef OURO_SRC_CYCLE_EMBEDDER_H
#define OURO_SRC_CYCLE_EMBEDDER_H

#define CYCLE_PAGE_SLOTS 4096u

#define CYCLE_NOT_JUDGED SIZE_MAX

typedef enum cycle_part { CYCLE_CONDEMN, CYCLE_KEEP, CYCLE_DROP, CYCLE_FREE } cycle_part;

#endif
