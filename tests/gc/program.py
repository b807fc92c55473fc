# SPDX-License-Identifier: MIT
"""A random program over a random graph: the same for one seed whatever collects its garbage."""

import contextlib
import gc
import hashlib
import os
import random
import signal

import kinds
from hiding import PLACES
from kinds import KINDS, WEIGHTS
from model import World, Wrong, demand

DEPTH = 4  # of places in places


class Stock:
    """What the program asks of a collector. CPython's own does all of it at once."""

    def step(self, ms):
        pass

    def cycles(self):
        gc.collect()

    def quiet(self):
        return contextlib.nullcontext()


class Ouro:
    """`step` takes a slice of at most `ms`; `cycles` ends the cycle and finishes two more: what was
    garbage when it was called is found by the first at the latest, what that left by the second."""

    def __init__(self):
        import ouro.gc

        self.step, self.quiet = ouro.gc.step, ouro.gc.quiet

    def cycles(self):
        import ouro

        for _ in range(3):
            gc.collect(1)
            before = ouro.gc.stats()["cycles"]
            turns = 0
            while self.step(5) and ouro.gc.stats()["cycles"] == before:
                turns += 1
                demand(turns < 100_000, "a cycle does not end")


class Program:
    def __init__(self, seed, collector, size):
        self.rng = random.Random(seed)
        self.noise_rng = random.Random(seed + 1)
        self.collector = collector
        self.world = World(self.rng)
        self.depth = 0
        self.forked = False
        self.size = size
        kinds.hooks["noise"] = self.noise
        KINDS["ring"].size = self.rng.choice((600, 3000, 20000))

    def run(self):
        thresholds = gc.get_threshold()
        gc.set_threshold(*self.rng.choice(((700, 10, 10), (100, 3, 5), (30, 2, 3))))
        try:
            for _ in range(self.rng.randrange(5, 25)):
                self.make()
            self.events(self.size)
            self.world.check()
            self.world.root_serials.clear()
            self.world.roots.clear()
            self.barrier()
        finally:
            gc.set_threshold(*thresholds)
        return hashlib.sha256(repr(self.world.report).encode()).hexdigest()[:16]

    def events(self, count):
        for _ in range(count):
            self.rng.choices(EVENTS, EVENT_WEIGHTS)[0](self)

    def inner(self):
        """Some more events, in the middle of another."""
        self.depth += 1
        self.events(self.rng.randrange(1, 6))
        self.depth -= 1

    def noise(self):
        """What a finalizer may do. Not from the program's own random numbers: nobody knows when."""
        what = self.noise_rng.randrange(5)
        if what == 0:
            gc.collect(self.noise_rng.randrange(3))
        elif what == 1:
            self.collector.step(0.01)
        elif what == 2:
            gc.get_objects()
        elif what == 3:
            for _ in range(100):
                pair = []
                pair.append(pair)

    # --- The graph ---

    def some(self, condition=lambda kind: True):
        """A random serial that can be fetched, or None."""
        found = [s for s in self.world.paths() if condition(KINDS[self.world.kinds[s]])]
        return self.rng.choice(found) if found else None

    def some_wrapping(self):
        return self.rng.choice(list(kinds.WRAPPINGS)) if self.rng.random() < 0.2 else None

    def make(self):
        name = self.rng.choices(list(KINDS), [WEIGHTS.get(name, 1) for name in KINDS])[0]
        found = list(self.world.paths())
        count = min(len(found), self.rng.choice((0, 1, 1, 2, 3, 6)))
        count = self.rng.randrange(20, 60) if self.rng.random() < 0.02 and found else count
        serials = [self.rng.choice(found) for _ in range(count)]
        serial, node = self.world.make(name, serials, [self.some_wrapping() for _ in serials])
        self.world.add_root(serial, node)
        if KINDS[name].weakable and self.rng.random() < 0.4:
            self.world.watch(serial, self.rng.random() < 0.5)

    def link(self):
        holder = self.some(lambda kind: not kind.fixed)
        target = self.some()
        if holder is None or len(self.world.edges[holder]) >= KINDS[self.world.kinds[holder]].most:
            return
        at = self.rng.randint(0, len(self.world.edges[holder]))
        self.world.insert(holder, at, target, self.some_wrapping())

    def link_in_ring(self):
        """Some nodes in a ring that no root need hold."""
        holders = [self.some(lambda kind: not kind.fixed and not kind.unordered)
                   for _ in range(self.rng.randrange(1, 5))]
        for holder, target in zip(holders, holders[1:] + holders[:1]):
            if holder is not None and len(self.world.edges[holder]) < 3:
                self.world.insert(holder, 0, target, self.some_wrapping())

    def with_edge(self):
        holder = self.some(lambda kind: not kind.fixed)
        if holder is None or not self.world.edges[holder]:
            return None
        return holder, self.rng.randrange(len(self.world.edges[holder]))

    def unlink(self):
        found = self.with_edge()
        if found:
            self.world.remove(*found)

    def move(self):
        """A reference from a container to the roots: the container may have been looked at."""
        found = self.with_edge()
        if found:
            serial, value = self.world.remove(*found)
            self.world.add_root(serial, kinds.unwrap(value))

    def drop(self):
        if self.world.roots:
            self.world.take_root(self.rng.randrange(len(self.world.roots)))

    def drop_most(self):
        for _ in range(len(self.world.roots) * 2 // 3):
            self.drop()

    def duplicate(self):
        serial = self.some()
        if serial is not None:
            self.world.add_root(serial, self.world.fetch(serial))

    def hide(self):
        world = self.world
        if not world.roots or self.depth >= DEPTH:
            return
        box, serials = [], []
        for _ in range(min(len(world.roots), self.rng.choice((1, 1, 2, 3)))):
            serial, node = world.take_root(self.rng.randrange(len(world.roots)))
            serials.append(serial)
            box.append(node)
        del node
        world.hidden += serials
        nodes = self.rng.choice(PLACES)(box, self.inner)
        for serial in serials:
            world.hidden.remove(serial)
        back = {world.serial_of(node): node for node in nodes}
        demand(set(back) == set(serials), "hidden were", serials, "and came back", list(back))
        if self.rng.random() < 0.7:
            for serial, node in sorted(back.items()):
                world.add_root(serial, node)

    def remember(self):
        serial = self.some(lambda kind: kind.weakable)
        if serial is not None:
            self.world.remember(serial)

    def follow(self):
        """A weak reference to what may be garbage makes it reachable, and so all it holds."""
        if not self.world.watches:
            return
        serial, reference, _ = self.rng.choice(self.world.watches)
        node = reference()
        if node is not None and not kinds.closed(node):
            self.world.limbo.append(node)

    def forget_limbo(self):
        self.world.check()
        self.world.limbo.clear()
        self.world.held.clear()

    # --- The collector ---

    def step(self):
        for _ in range(self.rng.randrange(1, 12)):
            self.collector.step(10 ** self.rng.uniform(-3, 0))

    def small_steps(self):
        for _ in range(self.rng.randrange(1, 60)):
            self.collector.step(0.001)

    def young(self):
        gc.collect(self.rng.randrange(2))

    def promote(self):
        gc.collect(1)

    def full(self):
        gc.collect()

    def storm(self):
        kept = []
        for i in range(self.rng.choice((200, 1000, 5000))):
            pair = [i]
            pair.append(pair if i % 3 else {})
            if i % 7 == 0:
                kept.append(pair)

    def frozen(self):
        if self.depth < DEPTH:
            gc.freeze()
            self.world.frozen += 1
            self.inner()
            self.world.frozen -= 1
            if not self.world.frozen:
                gc.unfreeze()

    def disabled(self):
        if self.depth < DEPTH:
            gc.disable()
            self.inner()
            gc.enable()

    def quiet(self):
        if self.depth < DEPTH:
            with self.collector.quiet():
                self.inner()

    def lists(self):
        if not self.world.frozen:
            found = list(self.world.paths())
            self.world.check_lists([self.rng.choice(found) for _ in range(5)] if found else [])

    def check(self):
        self.world.check()

    def barrier(self):
        """Everything that is garbage now must go."""
        settle = gc.collect if self.rng.random() < 0.4 else self.collector.cycles
        self.world.check()
        if self.world.frozen:
            return
        for _ in range(20):
            self.world.limbo.clear()
            self.world.held.clear()
            settle()
            if not self.world.limbo:
                break
        self.world.check_gone()
        self.world.check()

    def fork(self):
        if self.forked:
            return
        seed = self.rng.random()
        child = os.fork()
        if child:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            demand(status == 0, f"the forked child ended with status {status}")
            return
        status = 1
        try:
            signal.alarm(60)
            self.forked = True
            self.rng.seed(seed)
            self.events(8)
            self.world.check()
            if self.depth == 0:  # else the frames of threads that are no more hold what they held
                self.barrier()
            status = 0
        except Wrong as wrong:
            os.write(2, f"in a forked child: {wrong}\n".encode())
        finally:
            os._exit(status)


EVENT_TABLE = {
    "make": 12, "link": 10, "link_in_ring": 4, "unlink": 5, "move": 4, "drop": 8, "drop_most": 0.7,
    "duplicate": 2, "hide": 8, "remember": 1, "follow": 3, "forget_limbo": 1.5, "step": 6,
    "small_steps": 4, "young": 3, "promote": 4, "full": 0.7, "storm": 0.8, "frozen": 0.3,
    "disabled": 0.4, "quiet": 0.4, "lists": 0.5, "check": 4, "barrier": 1, "fork": 0.15,
}
EVENTS = [getattr(Program, name) for name in EVENT_TABLE]
EVENT_WEIGHTS = list(EVENT_TABLE.values())
