# SPDX-License-Identifier: MIT
"""The longest pause when all that is garbage hangs together: component.py family|ladder MEMBERS."""

import gc
import sys
from time import thread_time_ns

import graph
import sliced

DROP_NS = 1_000_000  # at most, where nothing is freed


def main() -> None:
    kind, members = sys.argv[1], int(sys.argv[2])
    sliced.by_hand()
    heap = graph.component(kind, members)
    sliced.promote()
    sliced.collect()
    start = thread_time_ns()
    del heap  # in its own cycle: frees nothing
    if thread_time_ns() - start > DROP_NS:
        raise SystemExit("bench: the component was freed when it was dropped")
    pauses = sliced.collect()
    if len(gc.get_objects()) > members:
        raise SystemExit("bench: the component is still there")
    sliced.print_pauses(pauses)
    print("total", sum(pauses) / 1e9)
    sliced.finish()


main()
