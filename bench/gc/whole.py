# SPDX-License-Identifier: MIT
"""gc.collect() of a heap that has nothing to free: whole.py records|tree CONTAINERS."""

import statistics
import sys

import graph
import sliced

STEADY = 2


def main() -> None:
    shape, containers = sys.argv[1], int(sys.argv[2])
    sliced.by_hand()
    heap = graph.tree(containers) if shape == "tree" else graph.records(containers, 0)
    sliced.promote()
    print("first", sliced.full() / 1e9)
    print("steady", statistics.median(sliced.full() for _ in range(STEADY)) / 1e9)
    sliced.finish()
    del heap


main()
