# SPDX-License-Identifier: MIT
"""Builds a heap of containers with the collector as it is: build.py CONTAINERS [off].

A gap is the CPU time between two looks at the thread's clock, 16 records apart; that of a run with the
collector off shows what of it is no collection, but what it costs to touch new memory.
"""

import gc
import sys
from random import Random
from time import thread_time_ns

import sliced
from graph import PER_RECORD, Record

AT_ONCE = 16


def build(records: int) -> tuple:
    """The records, the longest gap in ns, and what a thousandth of the gaps exceed."""
    made, draw, gaps = [None] * records, Random(1).random, []
    last = thread_time_ns()
    for first in range(0, records, AT_ONCE):
        for number in range(first, first + AT_ONCE):
            record = Record(number)
            record.next = made[int(draw() * number)]
            made[number] = record
        now = thread_time_ns()
        gaps.append(now - last)
        last = now
    return made, max(gaps), sorted(gaps)[len(gaps) * 999 // 1000]


def main() -> None:
    if "off" in sys.argv:
        gc.disable()
    pauses = sliced.Pauses()
    start = thread_time_ns()
    made, longest, rare = build(int(sys.argv[1]) // PER_RECORD)
    print("build", (thread_time_ns() - start) / 1e9)
    print("gap", longest / 1e6)
    print("rare", rare / 1e6)
    pauses.print_longest()
    sliced.finish()
    del made


main()
