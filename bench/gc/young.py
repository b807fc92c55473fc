# SPDX-License-Identifier: MIT
"""Young collections alone: young.py OLD TIMES.

Beside a heap of OLD containers, each round makes as many lists as set off ten collections of the youngest
generation: half of them in cycles that are dropped at once, the others live for ten rounds. There are as
many rounds as promote a twentieth of the heap, which is too little for a cycle, and that so many TIMES with a
full collection between. Timed is the whole of the rounds, and then gc.collect(0) and gc.collect(1) alone over
the same. CPython's full collections are kept away by their threshold, Ouro's slices by quiet().
"""

import gc
import sys
from collections import deque
from contextlib import nullcontext
from time import thread_time_ns

import sliced
from graph import records

YOUNG_PER_OLDER = 10


def make(count: int) -> list:
    """`count` lists, of which a half stays with the caller."""
    kept = []
    for number in range(count // 4):
        kept.append([number])
        kept.append([kept[-1]])
        ring = [number]
        ring.append([ring])
    return kept


def automatic(rounds: int, youngest: int) -> int:
    window = deque(maxlen=10)
    start = thread_time_ns()
    for _ in range(rounds):
        window.append(make(youngest * YOUNG_PER_OLDER))
    return thread_time_ns() - start


def explicit(rounds: int, youngest: int) -> int:
    """ns of the collections alone."""
    window, spent = deque(maxlen=10), 0
    for _ in range(rounds):
        part = []
        for last in range(YOUNG_PER_OLDER):
            part.append(make(youngest))
            start = thread_time_ns()
            gc.collect(int(last == YOUNG_PER_OLDER - 1))
            spent += thread_time_ns() - start
        window.append(part)
    return spent


def main() -> None:
    count, times, youngest = int(sys.argv[1]), int(sys.argv[2]), gc.get_threshold()[0]
    rounds = count // 20 // (youngest * YOUNG_PER_OLDER // 2) + 1
    sliced.by_hand()
    old = records(count, 0)
    timed = {automatic: 0, explicit: 0}
    with sliced.ouro.gc.quiet() if sliced.SLICED else nullcontext():
        for kind in [*timed] * times:
            sliced.full()
            if kind is automatic:
                gc.set_threshold(youngest, YOUNG_PER_OLDER, 1 << 30)
            timed[kind] += kind(rounds, youngest)
            sliced.by_hand()
    for kind, ns in timed.items():
        print(kind.__name__, ns / 1e9)
    sliced.finish()
    del old


main()
