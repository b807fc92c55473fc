# SPDX-License-Identifier: MIT
"""As ../collect.c."""

import gc
import statistics
import sys
from time import process_time_ns

import graph
from shared import Node, end, fail

REPEATS = 5


def collect_ns(expected):
    start = process_time_ns()
    found = gc.collect()
    time = process_time_ns() - start
    if found != expected:
        fail(f"the collection found {found} objects, not {expected}")
    return time


def live(count, at_random):
    root = graph.build(count, at_random)
    first = collect_ns(0)
    times = [collect_ns(0) for _ in range(REPEATS)]
    print("ns", statistics.median(times) / count)
    print("first", first / count)
    return root


def garbage(count, rings):
    root = graph.build(count, False)
    collect_ns(0)
    for _ in range(rings):
        node = Node()
        node.left = Node(node)
    del node
    print("ns", collect_ns(2 * rings) / (2 * rings))
    return root


gc.disable()
gc.collect()
if sys.argv[1] == "garbage":
    stays = garbage(int(sys.argv[2]), int(sys.argv[3]))
else:
    stays = live(int(sys.argv[2]), sys.argv[3] == "random")
end()
