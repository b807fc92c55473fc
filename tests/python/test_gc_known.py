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
    # THEN as many are known as before
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
    assert abs(int(out)) < 5
