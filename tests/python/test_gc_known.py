# SPDX-License-Identifier: MIT
"""What the collector knows of old objects is true: an address is forgotten when its block ends (rule C1)."""

import pytest

from interpreter import run

# Objects in blocks of the pools, and in blocks of the system's, which begin anywhere; with and without
# words in front of the head.
KINDS = {
    "pools": "class Kind: __slots__ = ('a', 'b', 'c')",
    "pools, words in front": "class Kind: pass",
    "system": "class Kind: __slots__ = tuple(f's{i}' for i in range(66 + 2 * size))",
    "system, words in front":
        "class Kind: __slots__ = tuple(f's{i}' for i in range(66 + 2 * size)) + ('__dict__', '__weakref__')",
    "tuples of the system's": "Kind = lambda: tuple([None] * (66 + 2 * size) + [[]])",
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_is_forgotten_when_its_block_ends(kind):
    # GIVEN many old objects of several sizes WHEN they die by their counts
    # THEN about as many are known as before
    out = run(f"""
        import gc, ouro.gc
        def known():
            gc.collect()
            return ouro.gc.stats()["old"]
        def live_and_die(size):
            {KINDS[kind]}
            many = [Kind() for _ in range(20000)]
            assert known() > before + 15000
        known()
        before = known()
        for size in range(12):
            live_and_die(size)
        print(known() - before)
    """, ouro="pause_us=1000")
    assert abs(int(out)) < 50  # a JIT has objects of its own


COUNT = """
    import gc, ouro.gc, weakref
    def count(name):
        return ouro.gc.stats()[name]
"""


def test_who_dies_before_anyone_looks_is_no_garbage():
    # GIVEN a small heap WHEN 80,000 objects grow old and die by their counts, more than may be garbage
    # THEN that is noticed before a cycle begins, which all of them would be a reason for (rule C3)
    out = run(COUNT + """
    gc.collect()
    gc.set_threshold(1000, 10, 10)
    for _ in range(20):
        short = [[number] for number in range(4000)]
        gc.collect(1)
        assert count("pending") >= 4000
        del short
        gc.collect(0)
    print(count("cycles"), count("pending") > 75000, count("floating") < 27000)
    """, ouro="pause_us=1000")
    assert out == "0 True True\n"


def test_who_comes_back_from_gc_freeze_is_known():
    # GIVEN garbage that was frozen with all else WHEN it is thawed and the program goes on, which
    # makes far less old than would set off a cycle THEN slices find it (rule C1)
    out = run(COUNT + """
    class Node: pass
    rings = []
    gc.disable()
    for _ in range(40000):
        ring = Node(); ring.self = ring
        rings.append(ring)
    weak = [weakref.ref(ring) for ring in rings[::1000]]
    gc.freeze()
    del rings, ring
    gc.unfreeze()
    gc.enable()
    keep = []
    for _ in range(150):
        keep.append([[number] for number in range(100)])
        for generation in 0, 0, 0, 0, 1: gc.collect(generation)
    print(sum(ref() is not None for ref in weak), count("explicits"))
    """, ouro="pause_us=1000")
    assert out == "0 0\n"
