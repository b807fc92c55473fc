#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads that make, move and lose objects while a cycle is always in progress, and forks.

    stress.py [--seconds N] [--threads N] [--pause MS]

Every thread checks what it holds again and again, every forked child finishes the cycle it found and
checks what all held. In the end everything lost must have been finalized once, in every process.
"""

from __future__ import annotations

import argparse
import collections
import functools
import gc
import itertools
import os
import random
import signal
import sys
import threading
import time
import warnings
import weakref

import ouro
import ouro.gc

numbers = itertools.count()
made, died, fired = itertools.count(), collections.deque(), collections.deque()


class Ring:
    """Garbage only a collector finds, once it is dropped."""

    def __init__(self, size):
        self.number = next(made)
        self.chain = functools.reduce(lambda last, i: [last, i], range(size), self)

    def __del__(self):
        died.append(self.number)
        if self.number % 300 == 0:
            time.sleep(0.002)  # the others go on, and may fork, in the middle of a batch

    def check(self):
        size, here = 0, self.chain
        while here is not self:
            here, size = here[0], size + 1
        return size


def suspended(ring):
    while True:
        yield ring.number, (yield)


class Worker(threading.Thread):
    def __init__(self, seed):
        super().__init__(daemon=True)
        self.rng, self.held, self.errors = random.Random(seed), {}, []
        self.watched, self.rounds = [], 0
        self.over = threading.Event()

    def run(self):
        try:
            while not self.over.is_set():
                self.round()
        except BaseException as error:
            self.errors.append(error)
            raise

    def round(self):
        self.rounds += 1
        size = self.rng.choice((1, 3, 10, 300))
        ring, key = Ring(size), self.rng.randrange(200)
        self.watched.append(weakref.ref(ring, fired.append))
        generator = suspended(ring)
        next(generator)
        self.held[key] = (ring.number, size, ring, generator, {key: [ring]})
        del ring, generator
        self.look(self.rng.randrange(200))
        if self.rng.random() < 0.02:
            hidden = sorted(self.held.items(), key=self.rare_step)
            self.held.clear()
            ouro.gc.step(0.05)
            self.held.update(hidden)
        if self.rng.random() < 0.002:
            gc.collect(self.rng.randrange(3))

    def rare_step(self, pair):
        if self.rng.random() < 0.01:
            ouro.gc.step(0.02)
        return pair[0]

    def look(self, key):
        if key in self.held:
            number, size, ring, generator, table = self.held[key]
            assert ring.number == number and ring.check() == size and table[key][0] is ring
            assert generator.send(None)[0] == number and next(generator) is None


def finish():
    for _ in range(4):
        gc.collect(1)
        before = ouro.gc.stats()["cycles"]
        while ouro.gc.step(2) and ouro.gc.stats()["cycles"] == before:
            pass


def check_fork(workers):
    """In the child: the other threads are gone, what they held is not."""
    signal.alarm(120)
    finish()
    helpers = [threading.Thread(target=work_in_child) for _ in range(4)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()
    for worker in workers:
        for number, size, ring, _, table in list(worker.held.values()):
            assert ring.number == number and ring.check() == size
    check_once()
    os._exit(0)


def work_in_child():
    """On what may have been the stack of a thread that is no more."""
    local = [[i, {}] for i in range(3000)]
    for pair in local:
        pair.append(pair)
    gc.collect()


def check_once():
    twice = [number for number, times in collections.Counter(died).items() if times > 1]
    assert not twice, f"finalizers ran twice: {twice[:5]}"


def fork(workers):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            check_fork(workers)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, "a forked child failed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.1, help="milliseconds")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
    ouro.install(pause_ms=options.pause, channel=False, _quiet=True, _gc_busy=True)
    sys.setswitchinterval(1e-5)
    gc.set_threshold(200, 3, 5)
    workers = [Worker(options.seed + i) for i in range(options.threads)]
    for worker in workers:
        worker.start()
    forks, end = 0, time.monotonic() + options.seconds
    while time.monotonic() < end and all(worker.is_alive() for worker in workers):
        time.sleep(0.2)
        fork(workers)
        forks += 1
    for worker in workers:
        worker.over.set()
        worker.join()
    bad = [error for worker in workers for error in worker.errors]
    held = {one[0] for worker in workers for one in worker.held.values()}
    finish()
    check_once()
    count = next(made)
    lost = set(range(count)) - held - set(died)
    print(f"{count} rings, {forks} forks, {ouro.gc.stats()['cycles']} cycles, "
          f"{len(died)} finalized, {len(fired)} callbacks, {len(lost)} not found")
    assert not held & set(died), "finalizers of what is held"
    return bool(bad or lost or len(fired) < len(died) or not ouro.gc.stats()["cycles"])


if __name__ == "__main__":
    sys.exit(main())
