# SPDX-License-Identifier: MIT
"""Full collections of a heap of records: slices.py CONTAINERS GARBAGE-PERCENT.

After the first one the garbage is dropped, which the second one finds. Before each of the two later ones the
heap grows by a hundredth, and between two slices the program changes a hundred references.
"""

import sys
import weakref
from array import array
from random import Random

import sliced
from graph import records
from measure import resident_bytes

LATER = 2
CHANGES = 50  # of two references each
WITNESSES = 20


class Program:
    """What goes on between the slices, and how much memory it sees."""

    def __init__(self, containers: int, garbage: int) -> None:
        self.pages, self.doomed = records(containers, garbage)
        self.added = containers // 100
        self.draw = Random(2).random
        self.calls = 0
        sliced.promote()
        self.resident = resident_bytes()

    def drop_garbage(self) -> list:
        """Weak references to some of it."""
        witnesses = [weakref.ref(record) for record in self.doomed[:WITNESSES]]
        self.doomed.clear()
        return witnesses

    def grow(self) -> None:
        self.pages += records(self.added, 0)[0]
        sliced.promote()

    def pick(self):
        page = self.pages[int(self.draw() * len(self.pages))]
        return page[int(self.draw() * len(page))]

    def change(self) -> None:
        for _ in range(CHANGES):
            a, b = self.pick(), self.pick()
            a.parts[1], b.parts[1] = b.parts[1], a.parts[1]
        self.calls += 1
        if self.calls % 64 == 0:
            self.resident = max(self.resident, resident_bytes())


def main() -> None:
    sliced.by_hand()
    program = Program(int(sys.argv[1]), int(sys.argv[2]))
    first, later = sliced.collect(program.change), array("q")
    witnesses = program.drop_garbage()
    second = sliced.collect(program.change)
    if any(witness() is not None for witness in witnesses):
        raise SystemExit("bench: garbage is still there")
    for _ in range(LATER):
        program.grow()
        later += sliced.collect(program.change)
    print("first", sum(first) / 1e9)
    print("second", sum(second) / 1e9)
    print("later", sum(later) / LATER / 1e9)
    print("resident", program.resident)
    sliced.print_pauses(first + second + later)
    sliced.finish()


main()
