# SPDX-License-Identifier: MIT
"""gc.collect() in one go: garbage of plain types, of types that CPython has a say in, and of both.

A little of the latter is judged at once, from 32,000 objects on in batches.
"""

import pytest

from gc_ways import agrees

FEW, MANY = 500, 20_000  # rings of two objects

MADE = """
def rings(n):
    for i in range(n):
        ring = []
        ring.append((ring,))
def members(): return sum(type(o) is tuple and len(o) == 1 and type(o[0]) is list and
                          len(o[0]) == 1 and o[0][0] is o for o in gc.get_objects())
"""


@pytest.mark.parametrize("number", [FEW, MANY])
def test_C1_plain_garbage_dies_at_once(number):
    out = agrees(f"rings({number}); print(full(), members(), full())", "collect", MADE)
    assert out.split() == [str(2 * number), "0", "0"]


ODD = {
    "a finalizer": """
class Last:
    def __init__(self, ring): self.ring = ring
    def __del__(self): told.append(len(self.ring))
def odd(ring): ring.append(Last(ring))
""",
    "one that comes back": """
class Last:
    def __init__(self, ring): self.ring = ring
    def __del__(self): told.append(len(self.ring)); back.append(self)
back = []
def odd(ring): ring.append(Last(ring))
""",
    "a generator": """
def generator(ring):
    try: yield ring
    finally: told.append(len(ring))
def odd(ring): ring.append(generator(ring)); next(ring[-1])
""",
    "a weak reference inside": """
class Last: pass
def odd(ring):
    last = Last()
    last.ring = ring
    ring.extend([last, weakref.ref(last, lambda _: told.append("called"))])
    told.append("made")
""",
    "weak references outside": """
class Last: pass
kept = []
def odd(ring):
    pair, watches = [Last(), Last()], []
    pair[0].ring, pair[1].ring = ring, pair
    ring.extend(pair)
    for last in pair:
        watches.append(weakref.ref(last, lambda _: told.append(str([each() for each in watches]))))
    kept.append(watches)
""",
    "a class": """
def odd(ring):
    ring.append(type("Last", (), {"ring": ring}))
    weakref.finalize(ring[-1], told.append, "gone")
""",
}


@pytest.mark.parametrize("number", [FEW, MANY])
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("tied", [False, True])
def test_C6_one_object_that_is_CPythons_among_plain_ones(kind, number, tied):
    """By itself, or at the end of a chain of all other garbage."""
    setup = f"{MADE}{ODD[kind]}" + f"""
def make(last=None):
    for _ in range({number}):
        ring = [last] if {tied} else []
        ring.append((ring,))
        last = ring
    odd(ring)
    if not {tied}: odd([])
told = []
make()
"""
    out = agrees("print(full(), members(), sorted(told), full(), members(), len(told))", "collect", setup)
    assert "[]" not in out


def test_C8_frozen_in_the_middle_of_the_end():
    """What runs while plain garbage is being destroyed may freeze; members are seen by nobody, and all end.

    Tuples of five, and lists, begin at every multiple of 16 and of 32.
    """
    out = agrees(
        """
        class Last:  # frozen, so no member: dies by its count
            def __del__(self):
                told.append(members())
                if len(told) == 100: gc.freeze()
        told = []
        lasts = [Last() for _ in range(400)]
        full()
        gc.freeze()
        def make():
            while lasts:
                ring = [lasts.pop()]
                ring.append((ring, lasts.pop(), 0, 0, 0))
        def members(): return sum(type(o) is tuple and len(o) == 5 and type(o[0]) is list and
                                  o[0][1:] == [o] for o in gc.get_objects())
        make()
        print(members(), full(), len(told), set(told), members())
        gc.unfreeze()
        print(members(), full())
        rings(200)
        print(full())
        """,
        "collect",
        MADE,
    )
    assert out.split() == ["200", "400", "400", "{0}", "0", "0", "0", "400"]
