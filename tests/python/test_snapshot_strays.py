# SPDX-License-Identifier: MIT
"""Objects that only C code holds and no collector tracks are in a snapshot too. SEMANTICS M5."""

import subprocess

import pytest
from interpreter import PYTHON, VERSION
from snapheap import TRACKED, heap

# Debug builds put words of their own before each object: where one begins in a block is not known.
COUNTS = [PYTHON, "-c", "import sys; sys.gettotalrefcount()"]
DEBUG = subprocess.run(COUNTS, capture_output=True).returncode == 0
pytestmark = pytest.mark.skipif(DEBUG, reason="a debug build of Python")

FORGET = """
import ctypes
def forget(make, times):
    '''Objects whose last reference is one that nobody can drop, as a forgotten Py_DECREF leaves it.'''
    at, held = [], [make(-n) for n in range(3000)]  # none from before Ouro is kept for reuse
    for n in range(times):
        made = make(n)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))
        at.append(id(made))
    return at
"""

KINDS = {
    "str": "lambda n: f'text {n}'",
    "bytes": "lambda n: b'%d bytes' % n",
    "int": "lambda n: 10**20 + n",
    "float": "lambda n: n + 0.5",
    "complex": "lambda n: complex(n, 1)",
    "dict": "lambda n: {f'key {n}': n}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [1, 10, 1000])
def test_m5_forgotten_references_are_found_exactly(kind, times, tmp_path):
    found, at = heap(f"{FORGET}\nsnap(forget({KINDS[kind]}, {times}))", tmp_path / "a.snap")
    assert len(set(at)) == times
    for address in at:
        assert found.type_of(address) == kind
        assert found.unexplained(address) == 1
        tracked = bool(found.objects[address]["flags"] & TRACKED)
        assert tracked == (kind == "dict" and VERSION >= (3, 14))  # which tracks all of them
    assert found.overexplained() == []


def test_a_block_that_points_into_an_object_is_no_stray(tmp_path):
    # GIVEN blocks that begin with a number and an address eight bytes behind a tuple's, where the
    # tuple's length stands for a type's type THEN they are taken for nothing
    code = """
import ctypes
take = ctypes.pythonapi.PyMem_Malloc
take.restype, take.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
tuples = [(n, n, n) for n in range(100)]
for one in tuples:
    ctypes.memmove(take(64), bytes(ctypes.c_uint64(1)) + bytes(ctypes.c_uint64(id(one) + 8)), 16)
snap([id(one) for one in tuples])"""
    found, at = heap(code, tmp_path / "a.snap")
    assert all(found.unexplained(address) == 0 for address in at)


def test_m5_what_a_stray_holds_is_there_too(tmp_path):
    code = f"""{FORGET}
def make(n):
    pair = (f"left {{n}}", 10**30 + n)
    return pair
at = forget(make, 100)
gc.collect()  # tuples of texts and numbers are let go of
snap(at)
"""
    found, at = heap(code, tmp_path / "a.snap")
    for address in at:
        kinds = [found.kind_of(edge.target) for edge in found.objects[address]["edges"]]
        assert kinds == ["str", "number"]
        assert all(found.unexplained(edge.target) == 0 for edge in found.objects[address]["edges"])


def test_m5_what_dies_leaves_no_stray(tmp_path):
    """Blocks of dead objects are no objects, and those of buffers are none, whatever is in them."""
    code = f"""{FORGET}
import array
texts = [f"dead {{n}}" for n in range(5000)]
numbers = [10**25 + n for n in range(5000)]
interned = [sys.intern(f"interned {{n}}") for n in range(5000)]
gone = [id(o) for o in texts + numbers + interned]
del texts, numbers, interned
kept = [array.array("Q", [1, id(str), n, n]) for n in range(1000)]  # it could be a text, but for its length
kept += [array.array("Q", [0, 0, 1, id(dict), n, n]) for n in range(1000)]  # or a dictionary
snap(gone)
"""
    found, gone = heap(code, tmp_path / "a.snap")
    assert found.overexplained() == []
    assert int(found.facts["strays"]) < 2000
    assert not [
        at
        for at in gone
        if at in found.objects
        and found.type_of(at) == "str"
        and str(found.objects[at].get("str", "")).startswith("dead")
    ]
    assert not [o for o in found.objects.values() if o["size"] > 1 << 30]
