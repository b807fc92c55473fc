# SPDX-License-Identifier: MIT
"""The heap that the microscope's questions are about, and each tool's answer from inside it.

heap.py TOOL ENTRIES [FOLDER]: prints lines `name number`, seconds and bytes. Three objects that the collector
knows per entry (an instance with a dictionary, the dictionary, a list) and as many that it does not.
"""

import gc
import os
import sys
import time
from contextlib import contextmanager

TOOL, ENTRIES = sys.argv[1], int(sys.argv[2])
GROWTH = 100  # one in so many entries is new in the second heap


class Node:
    def __init__(self, number):
        self.number = number
        self.name = str(number)


@contextmanager
def phase(name):
    start = time.perf_counter()
    yield
    print(name, time.perf_counter() - start, flush=True)


def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def build(first, last):
    for number in range(first, last):
        nodes[number] = (Node(number), [number])


def grow():
    build(ENTRIES, ENTRIES + ENTRIES // GROWTH)


def wanted():
    """An object in the middle of the heap."""
    return nodes[ENTRIES // 2][0]


def with_ouro():
    import ouro

    for name in ("first", "second"):
        with phase(f"snapshot_{name}"):
            taken = ouro.snapshot(os.path.join(sys.argv[3], f"{name}.snap"))
        print(f"pause_{name}", taken.pause_seconds, flush=True)
        grow()


def with_guppy():
    import guppy

    hpy = guppy.hpy()
    with phase("pause"):
        heap = hpy.heap()
    with phase("types"):
        str(heap)
    with phase("retained"):
        print(hpy.iso(nodes).domisize, file=sys.stderr)
    with phase("path"):
        str(hpy.iso(wanted()).shpaths)


def with_pympler():
    from pympler import asizeof, muppy, summary

    with phase("pause"):
        objects = muppy.get_objects()
    with phase("types"):
        summary.summarize(objects)
    del objects
    with phase("retained"):
        asizeof.asizeof(nodes)


def with_objgraph():
    import objgraph

    with phase("types"):
        objgraph.typestats()
    with phase("path"):
        objgraph.find_backref_chain(wanted(), objgraph.is_proper_module)
    objgraph.growth()
    grow()
    with phase("diff"):
        objgraph.growth()


def with_tracemalloc():
    import tracemalloc

    with phase("pause"):
        first = tracemalloc.take_snapshot()
    with phase("types"):
        first.statistics("lineno")
    grow()
    second = tracemalloc.take_snapshot()
    with phase("diff"):
        second.compare_to(first, "lineno")


nodes = {}
gc.disable()
if TOOL == "tracemalloc":
    import tracemalloc

    tracemalloc.start(1)
with phase("build"):
    build(0, ENTRIES)
print("heap", status("VmRSS"), flush=True)
{"ouro": with_ouro, "guppy3": with_guppy, "pympler": with_pympler, "objgraph": with_objgraph,
 "tracemalloc": with_tracemalloc}[TOOL]()
print("peak", status("VmHWM"), flush=True)
sys.stdout.flush()
os._exit(0)  # taking such a heap apart is no part of the question
