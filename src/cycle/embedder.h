/* SPDX-License-Identifier: MIT */
/*
 * What the collector asks of whose objects it collects: its embedder.
 *
 * The collector is a template. A file that wants an instance defines
 *
 *     CYCLE_PREFIX    the prefix of the instance's names, e.g. native: native_start, native_step
 *     CYCLE_EMBEDDER  the type E of the embedder's own state
 *     CYCLE_OBJECT    a small value type that names an object; CYCLE_NONE: the value for none
 *
 * then the functions below as `static inline`, then includes "cycle/cycle.h" for the types and
 * "cycle/template.h" for the bodies. No call goes through a pointer: that
 * measured 1.2-2.0 times as slow. State is a `cycle` (cycle.h), all zero at first; one instance per
 * translation unit.
 *
 * Places. Objects lie in *pages* of CYCLE_PAGE_SLOTS *slots*; slot s is in page s / 4096. All the
 * collector remembers is keyed by slot, in tables of its own: never in objects, never by pointer.
 * A slot may become free and be taken by another object at any time between two slices; what the
 * collector believed about it then is wrong in the harmless direction, as each batch is tested
 * exactly before anything is destroyed.
 *
 *   size_t   embed_pages(const E *e)
 *     pages [0, n) exist. They keep their numbers for as long as a cycle is in progress; pages that
 *     appear meanwhile have higher numbers and wait for the next cycle.
 *   bool     embed_slot(const E *e, OBJECT o, uint64_t *slot)
 *     where a referenced object lies. False: it cannot be in a cycle (a leaf, untracked). Must not
 *     touch the object where that can be avoided. Hot.
 *   OBJECT   embed_at(const E *e, uint64_t slot)
 *     the live object in the slot that a cycle may collect (old, tracked, not frozen, not being
 *     destroyed), or CYCLE_NONE. Any slot of an existing page may be asked for.
 *   OBJECT   embed_object(const E *e, uint64_t slot)
 *     the object in a slot known to hold one, of any age: arithmetic only.
 *   void     embed_prefetch(const E *e, uint64_t slot)
 *     the object in this slot, if there is one, will be looked at soon. May do nothing.
 *   bool     embed_alive(const E *e, uint64_t slot)
 *     whether the slot still holds a live tracked object, of any age: asked for the members of a
 *     batch after the program's code has run.
 *   uint64_t embed_live(const E *e, uint64_t word)
 *     bit i: slot 64 word + i may hold such an object (a superset; embed_at decides).
 *   uint32_t embed_count(const E *e, OBJECT o)
 *     its reference count; UINT32_MAX if it is immortal.
 *   size_t   embed_length(const E *e, OBJECT o)
 *     how many references it has room for: the upper border for embed_traverse. Cheap.
 *   void     embed_traverse(E *e, OBJECT o, size_t from, size_t to, visit, void *arg)
 *     visit(referent, arg) for its references numbered [from, to), as it owns each of them exactly
 *     once. Always inline, so that visit is. An object that cannot be divided has embed_length 1.
 *   void     embed_roots(E *e, visit, void *arg)
 *     visits objects known to be alive, to mark from. May visit none.
 *   void     embed_weak(E *e, OBJECT o, visit, void *arg)
 *     visits the weak references to o that are objects themselves: they are destroyed in the same
 *     batch as o, so that their callbacks are not called where both are garbage.
 *   bool     embed_special(const E *e, OBJECT o)
 *     something must happen before o is destroyed: it has a finalizer that has not run, weak
 *     references, or must be kept.
 *   bool     embed_prepare(E *e, OBJECT *garbage, size_t n, int stage)
 *     called for a batch that had special members, all unreachable. Stage 0: takes a reference to each
 *     member that must be kept instead of being destroyed. Stage 1: clears weak references, calls
 *     their callbacks, then finalizers. Runs the program's code. True: references may have changed;
 *     the collector drops members that are not embed_alive any more, repeats its test and drops
 *     what is reachable again; after stage 1 also what is special again (a new object in a dead
 *     member's slot, a weak reference made by a finalizer). The embedder itself holds references
 *     to all members while it runs finalizers, so that `garbage` stays valid, and none when it
 *     returns.
 *   void     embed_condemn(E *e, OBJECT *garbage, size_t n)
 *   void     embed_clear(E *e, OBJECT *garbage, size_t n)
 *   void     embed_release(E *e, OBJECT *garbage, size_t n)
 *     the three parts of destruction, each for all members of a batch (in one call, or for a giant
 *     batch in several, over slices) before the next begins. condemn: nobody sees them from now on,
 *     and unreferencing them has no effect. clear: drops their references; may run the program's
 *     code (of other objects that die with them). release: frees their memory.
 *   uint64_t embed_clock(E *e)
 *     nanoseconds.
 *   void     embed_broken(E *e, OBJECT o, uint32_t count, uint32_t found)
 *     more references to o were found than it counts: its count or a traverse is wrong. It is
 *     treated as alive.
 */
#ifndef OURO_SRC_CYCLE_EMBEDDER_H
#define OURO_SRC_CYCLE_EMBEDDER_H

#define CYCLE_PAGE_SLOTS 4096u

#endif
