# SPDX-License-Identifier: MIT
"""What the collector's programs share: full collections, in one go or in slices, by the thread's CPU time.

BENCH_COLLECTOR=1 says that full collections are Ouro's; without it they are CPython's.
"""

import gc
import os
import sys
from array import array
from time import thread_time_ns

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "python"))

from measure import report  # noqa: E402

BUDGET_MS = 1.0
SLICED = os.environ.get("BENCH_COLLECTOR") == "1"
if SLICED:
    import ouro.gc


def by_hand() -> None:
    """Collections only where the program asks for one."""
    gc.set_threshold(1 << 30, 1 << 30, 1 << 30)


def promote() -> None:
    """Everything made so far into the oldest generation."""
    gc.collect(1)


def full() -> int:
    """A collection by gc.collect(): its ns."""
    start = thread_time_ns()
    gc.collect()
    return thread_time_ns() - start


def cycle(between=lambda: None) -> "array[int]":
    """A collection in slices: the ns of each. between() runs after each slice."""
    before = ouro.gc.stats()
    slices, more = array("q"), True
    while more:
        start = thread_time_ns()
        more = ouro.gc.step(BUDGET_MS)
        slices.append(thread_time_ns() - start)
        between()
    if ouro.gc.stats()["cycles"] == before["cycles"]:
        raise SystemExit("bench: a cycle that was asked for was not done")
    return cycle(between) if before["in_cycle"] else slices


def collect(between=lambda: None) -> "array[int]":
    """The ns of each pause of a collection: several, or the one of CPython."""
    return cycle(between) if SLICED else array("q", [full()])


def share_below(slices: "array[int]", share: float) -> int:
    return sorted(slices)[min(len(slices) - 1, int(share * len(slices)))]


def print_pauses(slices: "array[int]", prefix: str = "") -> None:
    """Of CPython's one pause there is only a greatest."""
    print(prefix + "max", max(slices) / 1e6)
    if SLICED:
        print(prefix + "p50", share_below(slices, 0.5) / 1e6)
        print(prefix + "p99", share_below(slices, 0.99) / 1e6)
        print(prefix + "slices", len(slices))


class Pauses:
    """The longest collection, with the slice behind it, if there was one."""

    def __init__(self) -> None:
        self.longest, self.start = 0, None
        gc.callbacks.append(self)
        if SLICED:
            ouro.gc.on_pause(self.told)

    def __call__(self, phase: str, info: dict) -> None:
        if phase == "stop":
            self.note(over=not SLICED)
        elif self.start is None:  # else: the news of a cycle that has ended in the slice
            self.start = thread_time_ns()

    def note(self, over: bool) -> None:
        self.longest = max(self.longest, thread_time_ns() - self.start)
        if over:
            self.start = None

    def told(self, pause: "ouro.gc.Pause") -> None:
        if self.start is not None:  # None: a step, in no collection
            self.note(over=True)

    def print_longest(self) -> None:
        print("longest", self.longest / 1e6)


def print_stats() -> None:
    """What the collector says of itself."""
    if not SLICED:
        return
    stats = ouro.gc.stats()
    for name in ("cycles", "longest_ns", "atomic_ns", "floating_worst", "table_bytes"):
        print("says " + name, stats[name])
    print("says bound", stats["escalations"]["bound"])


def finish() -> None:
    print_stats()
    report()
