# SPDX-License-Identifier: MIT
"""Components of garbage too large for a batch: tested in one go, destroyed in slices (rules C1, C3, C7)."""

import pytest

from interpreter import run

MEMBERS = 9000

PRELUDE = f"""
import gc, random, weakref
import ouro.gc
gc.disable()
MEMBERS = {MEMBERS}

def number(name): return ouro.gc.stats()[name]

def step_to(phase):  # a slice of a nanosecond ends at the next look at the clock
    for _ in range(1_000_000):
        ouro.gc.step(1e-6)
        if number("phase") == phase: return
    raise AssertionError("no slice ended in phase " + phase)

def end():
    before = number("cycles")
    while number("cycles") == before: ouro.gc.step(0.05)

def clean():
    gc.collect()
    gc.collect(1)
"""

# make(i) makes a member, link(a, b) lets it refer to another.
OF_LISTS = """
def make(i): return []
def link(a, b): a.append(b)
def is_member(o): return type(o) is list and len(o) == 2 and all(type(one) is list for one in o)
"""

INSTANCES = """
def link(a, b):
    if a.left is None: a.left = b
    else: a.right = b
def is_member(o): return type(o) in KINDS
def make(i):
    one = KINDS[i % len(KINDS)]()
    one.left = one.right = None
    return one
"""

KINDS = {
    "lists": OF_LISTS,
    "slots": INSTANCES + """
class Node: __slots__ = ("left", "right")
KINDS = [Node]
""",
    "slots, some never set": INSTANCES + """
class Node: __slots__ = ("first", "left", "middle", "right", "last")
KINDS = [Node]
""",
    "slots of bases": INSTANCES + """
class Base: __slots__ = ("right", "other")
class Middle(Base): __slots__ = ()
class Node(Middle): __slots__ = ("left",)
KINDS = [Node]
""",
    "more slots than are looked for": INSTANCES + """
class Node: __slots__ = ("left", "right") + tuple(f"s{i}" for i in range(20))
KINDS = [Node]
""",
    "two classes": INSTANCES + """
class One: __slots__ = ("left", "right")
class Two: __slots__ = ("x", "y", "right", "left")
KINDS = [One, Two]
""",
    "dicts of instances": INSTANCES + """
class Node: pass
KINDS = [Node]
""",
    "slots and a dict": INSTANCES + """
class Base: __slots__ = ("left",)
class Node(Base): pass
KINDS = [Node]
""",
    "slots of a list": INSTANCES + """
class Node(list): __slots__ = ("left", "right")
KINDS = [Node]
""",
}

RING = """
def ring(order=None):
    made = [make(i) for i in range(MEMBERS)]
    order = made if order is None else order(made)
    for a, b in zip(order, order[1:] + order[:1]):
        link(a, b)
        link(b, a)
    return order[0]
def visible(): return sum(map(is_member, gc.get_objects()))
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["None", "lambda made: random.sample(made, MEMBERS)"])
def test_C1_a_giant_dies_and_nobody_sees_any_of_it(kind, order):
    # GIVEN a ring among living objects WHEN it is dropped THEN all of it is found; from the test on
    # no list has a member, whether its members were neighbours in CPython's list or not
    assert run(PRELUDE + KINDS[kind] + RING + f"""
random.seed(1)
living = [ring({order})]
living.append([[] for _ in range(1000)])
clean()
before = number("found")
living.pop(0)
step_to("gather")
print(visible() == MEMBERS)
step_to("hold")
seen = []
while number("phase") in ("hold", "clear", "release"):
    seen.append(visible())
    ouro.gc.step(1e-6)
end()
print(max(seen), len(seen) > 20, number("found") - before >= MEMBERS, visible())
there = set(map(id, gc.get_objects()))
print(all(id(one) in there for one in living[0]), gc.collect())
""", ouro="pause_us=1000") == "True\n0 True True 0\nTrue 0\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", ["gather", "test"])
def test_C1_a_giant_that_somebody_finds_before_its_test_lives(kind, phase):
    # GIVEN a giant that is about to be tested WHEN the program gets hold of a member and changes it
    # THEN what can be reached lives, unchanged; and dies when it is let go
    assert run(PRELUDE + KINDS[kind] + RING + f"""
def walk(first):
    "How many members can be reached."
    reached, grey = {{id(first)}}, [first]
    while grey:
        for one in gc.get_referents(grey.pop()):
            inner = list(one.values()) if type(one) is dict and not is_member(one) else [one]
            for each in inner:
                if is_member(each) and id(each) not in reached:
                    reached.add(id(each))
                    grey.append(each)
    return len(reached)
first = ring()
clean()
before = number("found")
del first
step_to({phase!r})
held = next(filter(is_member, gc.get_objects()))
end()
print(number("found") - before, walk(held), visible())
del held
clean()
print(visible())
""", ouro="pause_us=1000") == f"0 {MEMBERS} {MEMBERS}\n0\n"


def test_W_a_weak_reference_made_before_the_test_is_called():
    # GIVEN a giant that was seen to have no weak references
    # WHEN the program makes one just before the test THEN CPython judges: it is cleared before anything
    # is, and its callback is called
    assert run(PRELUDE + INSTANCES + """
class Node: __slots__ = ("left", "right", "__weakref__")
KINDS = [Node]
""" + RING + """
first = ring()
clean()
del first
step_to("test")
weak = weakref.ref(next(filter(is_member, gc.get_objects())), lambda _: print("called"))
step_to("hold")
print(weak() is None)
end()
print(visible())
""", ouro="pause_us=1000") == "called\nTrue\n0\n"


FINALIZER = """
class Last:
    def __del__(self): told.append(self)
def watch(one): pass
"""
CALLBACK = """
class Last: __slots__ = ("left", "right", "__weakref__")
def watch(one): return weakref.ref(one, told.append)
"""


@pytest.mark.parametrize("last", [FINALIZER, CALLBACK])
def test_L_one_member_that_is_CPythons_makes_all_so(last):
    # GIVEN a giant of which only the last member has a finalizer, which saves it, or a weak reference
    # with a callback THEN what CPython does about those is done
    assert run(PRELUDE + KINDS["slots"] + RING + f"""
told = []
{last}
first = ring()
one = Last()
one.left, one.right = first, None
first.right = one
watching = watch(one)
clean()
del first, one
end()
print(len(told), visible() in (0, MEMBERS))
told.clear()
gc.collect()
print(visible(), any(type(o) is Last for o in gc.get_objects()))
""", ouro="pause_us=1000") == "1 True\n0 False\n"


def test_C7_what_a_giant_holds_dies_with_it():
    # GIVEN a giant whose members hold others that only they hold, with finalizers, and a live one
    # THEN each finalizer runs once, and the live one's count is what it was
    assert run(PRELUDE + KINDS["slots, some never set"] + RING + """
import sys
died = []
class Loud:
    def __init__(self, i): self.i = i
    def __del__(self): died.append(self.i)
alive = []
counted = sys.getrefcount(alive)
first = ring()
one = first
for i in range(MEMBERS):
    one.middle, one.last = alive, Loud(i) if i % 100 == 0 else i
    one = one.left
clean()
del first, one
end()
print(len(died), len(set(died)), sys.getrefcount(alive) - counted, visible())
""", ouro="pause_us=1000") == f"{MEMBERS // 100} {MEMBERS // 100} 0 0\n"


@pytest.mark.parametrize("phase", ["gather", "test"])
def test_C1_a_member_that_has_left_its_neighbours_is_not_seen_either(phase):
    # GIVEN a giant whose members are neighbours in CPython's list, or become so
    # WHEN one of them leaves the list and comes back as a young object
    # THEN it dies with the others, nobody sees any, and the young ones are whole
    assert run(PRELUDE + OF_LISTS + RING + f"""
import ctypes
untrack, track = ctypes.pythonapi.PyObject_GC_UnTrack, ctypes.pythonapi.PyObject_GC_Track
for function in untrack, track:
    function.argtypes, function.restype = [ctypes.py_object], None
first = ring()
clean()
young = [[i] for i in range(1000)]
before = number("found")
del first
step_to({phase!r})
for i, one in enumerate(filter(is_member, gc.get_objects())):
    if i % 500 == 7:
        untrack(one)
        track(one)
del one
young += [[i] for i in range(1000)]
step_to("hold")
print(visible())
end()
print(number("found") - before, visible(), sum(type(one) is list for one in gc.get_objects(0)) >= 2000)
gc.collect(0)
gc.collect()
print([one[0] for one in young] == [*range(1000)] * 2)
""", ouro="pause_us=1000") == f"0\n{MEMBERS} 0 True\nTrue\n"


@pytest.mark.parametrize("phase", ["gather", "test"])
def test_R4_members_that_die_before_the_test_are_left_out(phase):
    # GIVEN a giant with a leaf at each member WHEN the program finds some and takes their leaves away
    # THEN those die on that statement, into CPython's free list of lists, and the rest at the end
    assert run(PRELUDE + OF_LISTS + RING + f"""
first = ring()
for one in list(filter(is_member, gc.get_objects())): one.append([])
clean()
before = number("found")
del first, one
step_to({phase!r})
found = [one for one in gc.get_objects() if type(one) is list and len(one) == 3 and one[2] == []]
for one in found[::300]: del one[2]
taken = len(found[::300])
del one, found
end()
print(taken, number("found") - before + taken - 2 * MEMBERS, gc.collect())
""", ouro="pause_us=1000") == f"{MEMBERS // 300} 0 0\n"
