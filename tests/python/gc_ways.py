# SPDX-License-Identifier: MIT
"""The same program on CPython's collector, and on Ouro's in every way garbage can be found there.

A program calls age() when its objects are to be old, begin() where a cycle may be in the middle,
and full() when everything unreachable is to be gone. On stock that is a young collection, nothing,
and gc.collect().
"""

import functools
import re
import textwrap

import pytest
from interpreter import run, start

# Phases of a cycle in which the program goes on, while the rest is done in slices.
PHASES = ("mark", "walk", "subtract", "held", "union", "assign", "batches", "clean")
# All of a gc.collect(), slices only, slices that allocations cause, gc.collect() in mid-cycle.
WHOLE = ("collect", "slices")
WAYS = (*WHOLE, "automatic", *PHASES, "given up")

NODES = """
import gc, sys, weakref
class Node:
    def __init__(self, name=None): self.name, self.me = name, self
def nodes(): return sum(type(o) is Node for o in gc.get_objects())
gc.disable()
"""

STOCK = NODES + """
def age(): gc.collect(1)
def begin(): pass
def full(): return gc.collect()
gc.collect()
"""

OURO = f"""{NODES}
import ouro.gc
WAY, OWN = %r, 300

def number(name): return ouro.gc.stats()[name]
def age(): gc.collect(1)

def drop():
    "Garbage that is old already."
    rings = [[] for _ in range(OWN)]
    for ring in rings: ring.append(ring)
    age()

def begin():
    "To the middle of a cycle, with garbage of its own so that each phase takes some steps."
    global since
    if WAY in {PHASES!r} or WAY == "given up":
        cycle()
        since = number("found")
        drop()
        phase = "subtract" if WAY == "given up" else WAY
        for _ in range(10):
            ends = number("cycles") + 1
            while number("cycles") < ends:
                ouro.gc.step(0.001)
                if number("phase") == phase: return
            drop()
            since += OWN
        raise AssertionError("no cycle stopped in phase " + phase)

def cycle():
    "To the end of the cycle in progress, and of one more."
    for _ in range(1 + number("in_cycle")):
        before = number("cycles")
        for _ in range(1_000_000):
            if number("cycles") > before: break
            ouro.gc.step(0.05)
        else: raise AssertionError("a cycle does not end")

def allocate():
    "Until a cycle that begins now has ended."
    before, kept = number("cycles"), []
    gc.enable()
    for i in range(5_000_000):
        kept.append([])
        if i %% 100 == 0 and number("cycles") >= before + 2: break
    else: raise AssertionError("no cycle ended")
    gc.disable()

def full():
    "How many objects were found, as gc.collect() says."
    global since
    if WAY == "collect": return gc.collect()
    before, found = (number("found"), 0) if since is None else (since, -OWN)
    since = None
    found += gc.collect(1)
    if WAY == "given up": gc.collect()
    elif WAY == "automatic": allocate()
    else: cycle()
    return found + number("found") - before

since = None
gc.collect()
"""


def in_ways(*ways):
    return pytest.mark.parametrize("way", ways)


in_all_ways = in_ways(*WAYS)


def options(way):
    return "pause_us=1000,gc_busy=1" if way == "automatic" else "pause_us=1000"


@functools.cache
def on_stock(code, setup=""):
    return run(STOCK + setup + textwrap.dedent(code), ouro=None)


def on_ouro(code, way, setup="", **settings):
    return run(OURO % way + setup + textwrap.dedent(code), ouro=options(way), **settings)


def agrees(code, way, setup=""):
    """What the program prints on stock, which it must print on Ouro as well."""
    expected, ours = on_stock(code, setup), on_ouro(code, way, setup)
    assert ours == expected, f"stock:\n{expected}Ouro:\n{ours}"
    return expected


def ends(code, way, **settings):
    """How a program ends: status, output, errors; on stock, and on Ouro."""
    code = textwrap.dedent(code)
    done = (start(["-c", STOCK + code], ouro=None, **settings),
            start(["-c", OURO % way + code], ouro=options(way), **settings))
    return [(one.returncode, one.stdout, one.stderr) for one in done]


def ends_alike(code, way, **settings):
    """Status and output of a program, the same on both. The prelude's length is not told."""
    stock, ours = ([status, out, re.sub(r"line \d+", "line", err)]
                   for status, out, err in ends(code, way, **settings))
    assert ours == stock, f"stock:\n{stock}\nOuro:\n{ours}"
    return tuple(stock[:2])
