#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program may do in the middle of a cycle, at many points of it.

    phases.py [--points N] [EVENT]...

For each event and point a forked child drops garbage, begins a cycle, stops it at the point, does
the event, and collects the rest: every piece of garbage must be gone, each finalizer and callback
have run once, and everything alive be as it was. Ouro must be importable.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import random
import signal
import sys
import threading
import time
import tracemalloc
import warnings
import weakref

import ouro
import ouro.gc

RINGS, LIVE, GIANT = 400, 4000, 8000
SLICE_MS = 0.02


class Mourned:
    def __init__(self, world):
        self.world, self.ring = world, [self, {"me": self}]

    def __del__(self):
        self.world.died += 1


class World:
    """Live records, and garbage to be."""

    def __init__(self):
        self.died = self.fired = 0
        self.live = [{"number": i, "list": [i, str(i)], "tuple": (i, [i])} for i in range(LIVE)]
        for i, record in enumerate(self.live):
            record["next"] = self.live[i * 7 % LIVE]
        self.garbage = [Mourned(self) for _ in range(RINGS)]
        self.giant = functools.reduce(lambda last, _: [last], range(GIANT), ring := [])
        ring.append(self.giant)
        self.weak = [weakref.ref(one, self.fire) for one in self.garbage]
        self.generators = [self.suspend(record) for record in self.live[:50]]
        for generator in self.generators:
            next(generator)
        gc.collect(1)

    def fire(self, _):
        self.fired += 1

    def suspend(self, record):
        while True:
            yield [record, (yield)]

    def drop(self):
        self.garbage.clear()
        self.giant = None

    def check(self):
        assert self.died == RINGS, f"{self.died} of {RINGS} finalizers ran"
        assert self.fired == RINGS, f"{self.fired} of {RINGS} callbacks ran"
        assert all(one() is None for one in self.weak)
        for i, record in enumerate(self.live):
            assert record["number"] == record["list"][0] == record["tuple"][1][0] == i
            assert record["next"] is self.live[i * 7 % LIVE]
        for generator, record in zip(self.generators, self.live):
            assert generator.send(None)[0] is record
            next(generator)


def finish(world):
    """Cycles until nothing is left to find; the one in progress may have passed what was dropped."""
    for _ in range(3):
        gc.collect(1)
        before = ouro.gc.stats()["cycles"]
        while ouro.gc.step(1) and ouro.gc.stats()["cycles"] == before:
            pass
    world.check()


# --- Events: the last line of each brings the world to its end ------------------------------------

def nothing(world):
    finish(world)


def collect(world):
    gc.collect()
    world.check()


def collect_young(world):
    for generation in (0, 1, 0, 1):
        gc.collect(generation)
    finish(world)


def freeze(world):
    gc.freeze()
    new = [[i] for i in range(1000)]
    ouro.gc.step(1)
    gc.unfreeze()
    finish(world)
    assert new == [[i] for i in range(1000)]


def freeze_and_collect(world):
    gc.freeze()
    gc.collect()
    gc.unfreeze()
    gc.collect()
    world.check()


def leave(world):
    """The end of the interpreter, in the middle; its own collections must find the rest."""
    sys.exit(0)


def leave_frozen(world):
    gc.freeze()
    sys.exit(0)


def fork(world):
    child = os.fork()
    finish(world)
    if child:
        assert os.waitpid(child, 0)[1] == 0, "the forked child failed"


def fork_in_a_batch(world):
    """While another thread waits in a finalizer that a slice has called: it will never come back."""
    inside, go_on = threading.Event(), threading.Event()

    class Waiting:
        def __init__(self):
            self.me = self

        def __del__(self):
            inside.set()
            go_on.wait()

    waiting = Waiting()
    gc.collect(1)
    del waiting
    young = [[i, {}] for i in range(500)]
    worker = threading.Thread(target=finish, args=(world,))
    worker.start()
    assert inside.wait(30), "the finalizer did not run"
    child = os.fork()
    if child == 0:
        after_the_fork(world, young)
    go_on.set()
    worker.join()
    assert os.waitpid(child, 0)[1] == 0, "the forked child failed"
    world.check()


def after_the_fork(world, young):
    """Young objects come and go, on stacks that others had; what lives is whole."""
    def work():
        for i in range(3000):
            pair = [i, {}]
            pair.append(pair)
        gc.collect()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [pair[0] for pair in young] == list(range(500))
    young.clear()
    for i, record in enumerate(world.live):
        assert record["number"] == record["tuple"][1][0] == i
    pairs = [[{}] for _ in range(3000)]
    rings = [weakref.ref(Mourned(world)) for _ in range(500)]
    for _ in range(4):
        gc.collect()
    assert len(pairs) == 3000
    assert not any(ring() for ring in rings), "nothing is collected any more"
    sys.exit(0)


def debug_flags(world):
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    gc.garbage.clear()
    finish(world)


def debug_flags_later(world):
    """Set and unset without a collection by CPython."""
    gc.set_debug(gc.DEBUG_COLLECTABLE)
    ouro.gc.step(1)
    gc.set_debug(0)
    finish(world)


def disable(world):
    gc.disable()
    pairs = [[i, {}] for i in range(3000)]
    gc.enable()
    finish(world)
    assert len(pairs) == 3000


def threads(world):
    """That end while the cycle goes on, with something in their locals."""
    def work(record):
        local = [record]
        for _ in range(200):
            local = [local]
        local.append(local)

    workers = [threading.Thread(target=work, args=(record,)) for record in world.live[:4]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    finish(world)


def subinterpreter(world):
    """It comes, makes garbage, collects and goes."""
    run = "import gc\nfor i in range(3000): a = [i]; a.append(a)\ngc.collect()"
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        import _interpreters as interpreters
    other = interpreters.create()
    interpreters.run_string(other, run)
    ouro.gc.step(0.05)
    interpreters.run_string(other, run)
    interpreters.destroy(other)
    finish(world)


def trace_memory(world):
    tracemalloc.start()
    new = [[i] for i in range(1000)]
    ouro.gc.step(0.1)
    tracemalloc.stop()
    finish(world)
    assert len(new) == 1000


def lists(world):
    known = {id(o) for o in gc.get_objects()}
    missing = [record for record in world.live if id(record) not in known]
    assert not missing, f"gc.get_objects() lacks {len(missing)}"
    old = {id(o) for o in gc.get_objects(2)}
    missing = [record for record in world.live if id(record) not in old]
    assert not missing, f"gc.get_objects(2) lacks {len(missing)}"
    holders = gc.get_referrers(world.live[7 % LIVE])
    assert any(holder is world.live for holder in holders), "gc.get_referrers() lacks the list"
    finish(world)


def mutate(world):
    """References move between what was looked at and what was not."""
    rng = random.Random(1)
    world.live.reverse()
    rng.shuffle(held := world.live[:])
    world.live.clear()
    ouro.gc.step(0.05)
    box = tuple(held)
    held.clear()
    ouro.gc.step(0.05)
    world.live.extend(sorted(box, key=lambda record: record["number"]))
    finish(world)


def untrack(world):
    """Tuples and dictionaries that the collector need not look at any more."""
    world.live.extend(())
    plain = [(i, (i, str(i))) for i in range(3000)]
    gc.collect(1)
    finish(world)
    assert plain[7] == (7, (7, "7"))


def trashcan(world):
    deep = functools.reduce(lambda last, _: (last,), range(100_000), None)
    ouro.gc.step(0.05)
    del deep
    finish(world)


def callbacks(world):
    """A program's own hooks, which step as well."""
    heard = []

    def hear(phase, info):
        heard.append((phase, info["generation"]))
        ouro.gc.step(0.01)

    gc.callbacks.append(hear)
    finish(world)
    gc.collect()
    gc.callbacks.remove(hear)
    assert ("start", 2) in heard and ("stop", 2) in heard, heard[-4:]
    world.check()


def steps_in_finalizers(world):
    class Stepping:
        def __init__(self):
            self.me = self

        def __del__(self):
            died.append(ouro.gc.step(0.05))
            gc.collect()

    died = []
    for _ in range(100):
        Stepping()
    finish(world)
    assert len(died) == 100, f"{len(died)} of 100 finalizers ran"


def signals(world):
    def handle(*_):
        ouro.gc.step(0.01)
        seen.append([gc.collect(0)])
        if time.monotonic() < end:
            signal.setitimer(signal.ITIMER_REAL, 0.0002)

    seen = []
    signal.signal(signal.SIGALRM, handle)
    end = time.monotonic() + 0.03
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    pairs = []
    while time.monotonic() < end:
        pairs.append([{}])
    finish(world)
    assert seen


def trace_calls(world):
    frames = []
    sys.settrace(lambda frame, event, arg: frames.append(frame))
    sum(i for i in map(lambda x: [x][0], range(200)))
    ouro.gc.step(0.05)
    sys.settrace(None)
    frames.clear()
    finish(world)


def classes(world):
    made = [type("Made", (), {"__slots__": tuple(f"s{i}" for i in range(70))}) for _ in range(20)]
    kept = [cls() for cls in made[::2]]
    gone = [weakref.ref(cls) for cls in made[1::2]]
    del made
    finish(world)
    assert not any(one() for one in gone) and len(kept) == 10


def big_objects(world):
    """Larger than what pools serve: they may come from somewhere else."""
    class Canary:
        pass

    def make(i):
        canary = Canary()
        big = (canary, *[i] * 200)
        canary.me = [big, {j: big for j in range(100)}]
        return big

    kept = [make(i) for i in range(100)]
    gone = [weakref.ref(make(i)[0]) for i in range(100)]
    finish(world)
    assert not any(one() for one in gone), "large garbage is left"
    assert all(big[0].me[0] is big for big in kept)


EVENTS = {function.__name__: function for function in (
    nothing, collect, collect_young, freeze, freeze_and_collect, leave, leave_frozen, fork, fork_in_a_batch,
    debug_flags, debug_flags_later, disable, threads, subinterpreter, trace_memory, lists, mutate, untrack,
    trashcan, callbacks, steps_in_finalizers, signals, trace_calls, classes, big_objects)}


def child(event, point: int) -> None:
    """Does not return: ends as a program does."""
    signal.alarm(60)
    world = World()
    world.drop()
    while not ouro.gc.step(SLICE_MS):  # until one is in progress
        pass
    for _ in range(point):
        if not ouro.gc.step(SLICE_MS):
            break
    event(world)
    sys.exit(0)


def run(name: str, points: list[int]) -> int:
    bad = 0
    for point in points:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            child(EVENTS[name], point)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status:
            bad += 1
            print(f"FAILED: {name} at point {point}: status {status}", flush=True)
    return bad


def slices_of_a_cycle() -> int:
    """How many slices a cycle of the world has."""
    world = World()
    world.drop()
    gc.collect()
    ouro.gc.step(SLICE_MS)
    count = 1
    while ouro.gc.step(SLICE_MS):
        count += 1
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=20, help="of a cycle, for each event")
    parser.add_argument("events", nargs="*", help=f"of {', '.join(EVENTS)}; default: all")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ouro.install(pause_ms=0.02, channel=False, _quiet=True)
    slices = slices_of_a_cycle()
    points = sorted({round(i * slices * 1.1 / options.points) for i in range(options.points)})
    names = options.events or list(EVENTS)
    bad = sum(run(name, points) for name in names)
    print(f"{len(names)} events at {len(points)} points of {slices} slices: {bad} failed")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
