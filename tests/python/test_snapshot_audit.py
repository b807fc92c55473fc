# SPDX-License-Identifier: MIT
"""Counts against references in snapshots: each reference once, none that is not there. SEMANTICS M5."""

import pytest
from snapheap import IMMORTAL, TRACKED, UNCOLLECTABLE, heap

# Most of what imports, and what makes objects of C types that show little of themselves.
LIBRARY = """
import argparse, array, ast, asyncio, base64, bz2, codecs, collections, concurrent.futures, csv
import configparser, contextlib, contextvars, copy, ctypes, dataclasses, datetime, decimal, difflib
import email.message, enum, fractions, functools, getpass, glob, gzip, hashlib, heapq, html.parser
import http.client, importlib.metadata, inspect, io, ipaddress, itertools, json, logging.handlers
import math, mimetypes, operator, pathlib, pickle, platform, pprint, queue, random, re, secrets
import selectors, shelve, shlex, shutil, signal, socket, sqlite3, ssl, statistics, string, struct
import subprocess, tarfile, tempfile, textwrap, threading, time, tokenize, traceback, types, typing
import unicodedata, unittest.mock, urllib.request, uuid, warnings, weakref, xml.etree.ElementTree
import zipfile, zlib
"""

OBJECTS = """
class Record:
    def __init__(self, n): self.number = n; self.next = None; self.text = str(n) * 3
records = [Record(n) for n in range(500)]
for a, b in zip(records, records[1:]): a.next = b
for record in records[:50]: vars(record)["more"] = [record]
kept = [
    re.compile("(a|b)+"), re.compile("x").search("x"), decimal.Decimal("1.5"), array.array("i", [1]),
    itertools.count(10**20), itertools.chain([1], [2]), itertools.groupby([1, 1, 2]), zip([1], [2]),
    map(str, [1]), filter(None, [1]), enumerate([1], 10**20), reversed([1]), iter({1: 2}.items()),
    operator.itemgetter(1, 2), operator.attrgetter("a.b"), operator.methodcaller("x", 1),
    types.MappingProxyType({1: 2}), memoryview(b"abc"), bytearray(b"x"), {1: 2}.keys(), slice(1, [2]),
    datetime.datetime.now(datetime.timezone.utc), datetime.timezone(datetime.timedelta(0, 60), "n"),
    uuid.uuid4(), fractions.Fraction(1, 3), struct.Struct("ii"), random.Random(1), io.StringIO("x"),
    io.BytesIO(b"x"), json.JSONEncoder(), list[int], typing.List[int], super(Record, records[0]),
    int.__add__, (1).__add__, "x".upper, str.upper, vars(Record), weakref.proxy(records[0]),
    weakref.ref(records[0], print), collections.ChainMap({1: 2}), contextvars.copy_context(),
    xml.etree.ElementTree.fromstring("<a b='c'><d/></a>"), threading.Lock(), threading.Event(),
    queue.Queue(), collections.deque([1], 5), functools.partial(print, 1, sep=2),
    functools.cached_property(len), hashlib.sha256(), zlib.compressobj(), ast.parse("a + b"),
    (n for n in records), object(), ..., NotImplemented, ValueError([1]), OSError(1, "x", "f"),
    StopIteration([2]), UnicodeDecodeError("u", b"x", 0, 1, "why"), unittest.mock.Mock(),
    compile("lambda: 1", "f", "exec"), property(print, doc="".join(["a", "b"])), types.CellType([3]),
    sqlite3.connect(":memory:"), ctypes.c_int(5), (ctypes.c_int * 3)(), logging.getLogger("x"),
]
generators = [(n for n in [record]) for record in records[:20]]
for generator in generators: next(generator)
async def wait(held): await asyncio.sleep(100, held)
async def main():
    tasks = [asyncio.create_task(wait(record)) for record in records[:20]]
    await asyncio.sleep(0)
    snap(ids(records=records))
    for task in tasks: task.cancel()
"""


@pytest.mark.parametrize("way", ["plain", "in a task"])
def test_m5_nothing_is_explained_twice_in_the_standard_library(tmp_path, way):
    # GIVEN most of the standard library and an object of each of its kinds
    # WHEN counts and references are compared THEN no object has more references than it counts
    end = "asyncio.run(main())" if way == "in a task" else "snap(ids(records=records))"
    found, named = heap(LIBRARY + OBJECTS + end, tmp_path / "a.snap")
    assert found.complete and named["records"] in found.objects
    assert found.overexplained() == []


def test_m5_what_is_not_explained_is_the_interpreters(tmp_path):
    # GIVEN the same heap THEN no object of the program has a reference that nothing explains
    found, named = heap(LIBRARY + OBJECTS + "snap()", tmp_path / "a.snap")
    program = [o["at"] for o in found.of_type("__main__.Record")]
    assert len(program) == 500 and all(found.unexplained(at) == 0 for at in program)
    of_program = [at for at in found.objects if found.kind_of(at) == "instance"]
    assert len(of_program) > 700
    # Of all others, few.
    odd = [at for at in found.objects if found.unexplained(at) > 0]
    assert len(odd) < len(found.objects) / 20


def test_m5_what_a_module_keeps_for_reuse_is_dead(tmp_path):
    # GIVEN futures that were waited for: _asyncio keeps their iterators, and may show them as its own
    code = """
import asyncio
async def wait(future): return await future
async def main():
    futures = [asyncio.get_running_loop().create_future() for _ in range(10)]
    tasks = [asyncio.ensure_future(wait(future)) for future in futures]
    await asyncio.sleep(0)
    for future in futures: future.set_result(None)
    await asyncio.gather(*tasks)
asyncio.run(main())
snap()
"""
    found, _ = heap(code, tmp_path / "a.snap")
    assert found.overexplained() == []


@pytest.mark.parametrize("lost", [1, 10, 1000])
def test_m5_forgotten_references_are_found_exactly(tmp_path, lost):
    # GIVEN k objects whose count was raised once too often THEN those have one reference each that
    # nothing explains, and nothing else of their type has
    code = f"""
import ctypes
class Leaked: pass
class Kept: pass
leaked, kept = [Leaked() for _ in range({lost})], [Kept() for _ in range(1000)]
for thing in leaked: ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
del thing
leaked_list = [[] for _ in range({lost})]
for thing in leaked_list: ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
del thing
snap(ids(leaked_list=leaked_list))
"""
    found, named = heap(code, tmp_path / "a.snap")
    assert [found.unexplained(o["at"]) for o in found.of_type("__main__.Leaked")] == [1] * lost
    assert [found.unexplained(o["at"]) for o in found.of_type("__main__.Kept")] == [0] * 1000
    items = [edge.target for edge in found.objects[named["leaked_list"]]["edges"]]
    assert [found.unexplained(at) for at in items] == [1] * lost


def test_m5_immortal_objects_have_no_count(tmp_path):
    # GIVEN the interpreter's own objects and those of the program THEN only the former are immortal
    code = "mine = [object()]\nsnap(ids(none=None, int=int, small=5, mine=mine, item=mine[0]))"
    found, named = heap(code, tmp_path / "a.snap")
    assert found.objects[named["none"]]["flags"] & IMMORTAL
    assert found.objects[named["int"]]["flags"] & IMMORTAL
    assert found.objects[named["mine"]]["count"] == 1
    assert found.objects[named["item"]]["count"] == 1


def test_m3_each_object_is_there_once_with_what_it_weighs(tmp_path):
    # GIVEN objects tracked and not, shared and not THEN each is in the snapshot with the bytes that
    # the census counts for it, in the generation where it is
    code = """
class Node: pass
gc.collect()
old = [Node() for _ in range(100)]
gc.collect()
young = [Node() for _ in range(100)]
text = "".join(["shared", "text"])
for node in old + young: node.text = text
weight = [row for row in _ouro._census(1 << 30)[2] if row[0] == "__main__.Node"][0]
gc.disable()
del node
snap({**ids(text=text, flat=(1.5, 2.5), old=old[0], young=young[0]), "weight": weight[1:]})
"""
    found, named = heap(code, tmp_path / "a.snap")
    nodes = found.of_type("__main__.Node")
    assert [len(nodes), sum(o["size"] for o in nodes)] == named["weight"]
    assert found.objects[named["text"]]["count"] == 201 and found.found[named["text"]] == 201
    assert all(o["flags"] & TRACKED for o in nodes)
    assert found.objects[named["old"]]["flags"] & 3 == 2
    assert found.objects[named["young"]]["flags"] & 3 == 0


def test_m3_equal_texts_have_equal_digests(tmp_path):
    # GIVEN strings that are equal, and others THEN the digests of the former are equal
    code = """
a, b, c = ["".join(["%s" % "equal", str(n // 2)]) for n in (2, 3, 4)]
long_ = ["x" * 5000 + end for end in "aa"]
x, y = (bytes([1, 2, n]) for n in (9, 9))
snap(ids(a=a, b=b, c=c, first=long_[0], second=long_[1], x=x, y=y), TELLS)
"""
    for tells in "0", "1":
        found, named = heap(code.replace("TELLS", tells), tmp_path / "a.snap")
        digest = {name: found.objects[at]["digest"] for name, at in named.items()}
        assert digest["a"] == digest["b"] != digest["c"] and digest["a"]
        assert digest["first"] == digest["second"] and digest["x"] == digest["y"] != 0


def test_c4_frozen_and_uncollectable_objects_are_there(tmp_path):
    # GIVEN objects that gc.freeze() put away and such as are in gc.garbage THEN both are told apart
    code = """
class Frozen: pass
frozen = Frozen()
gc.collect(); gc.freeze()
class Ring: pass
gc.disable()
ring = Ring(); ring.me = ring; at = id(ring); del ring
gc.set_debug(gc.DEBUG_SAVEALL); gc.collect(); gc.set_debug(0)
snap({**ids(frozen=frozen), "ring": at})
"""
    found, named = heap(code, tmp_path / "a.snap")
    assert found.objects[named["frozen"]]["flags"] & (3 | TRACKED) == 3 | TRACKED
    assert found.objects[named["ring"]]["flags"] & UNCOLLECTABLE
    assert named["ring"] in [r["target"] for r in found.roots if r["root"] == "uncollectable"]
    assert found.overexplained() == []


def test_m5_large_ordered_dictionaries_hold_each_value_once(tmp_path):
    # GIVEN dictionaries of many entries that show more than these, with keys that are values, too
    # WHEN counts and references are compared THEN nothing has more references than it counts, and
    # no value has one that nothing explains
    code = """
import collections
class Thing: pass
class Mapping(dict): pass
things = [Thing() for _ in range(2000)]
by_text = collections.OrderedDict((str(n), thing) for n, thing in enumerate(things))
by_thing = collections.OrderedDict(zip(things, reversed(things)))
by_name = collections.OrderedDict((str(n), str(n + 1)) for n in range(2000))
texts = collections.OrderedDict(zip(by_name, reversed(by_name)))
plain = Mapping(zip(reversed(things), things))
for mapping in by_text, texts, plain: mapping.own = [mapping]
by_text.move_to_end("7")
del mapping
snap()
"""
    found, _ = heap(code, tmp_path / "a.snap")
    assert found.overexplained() == []
    things = found.of_type("__main__.Thing")
    assert len(things) == 2000 and all(found.unexplained(o["at"]) == 0 for o in things)


def test_m5_objects_that_show_much_hold_their_type_once(tmp_path):
    # GIVEN objects of types that are counted and that show hundreds of references besides WHEN
    # counts and references are compared THEN no type has more references than it counts
    code = """
import collections, functools, xml.etree.ElementTree
@functools.lru_cache(None)
def cached(n): return [n]
@functools.lru_cache(500)
def bounded(n): return [n]
for n in range(500): cached(n), bounded(n)
parent = xml.etree.ElementTree.Element("parent")
parent.extend([xml.etree.ElementTree.Element("child") for _ in range(500)])
class Many:
    def __init__(self): vars(self).update((f"field{n}", [n]) for n in range(500))
class Slots:
    __slots__ = [f"field{n}" for n in range(500)]
class List(list): pass
class Queue(collections.deque): pass
class Set(set): pass
many, slots = [Many() for _ in range(9)], [Slots() for _ in range(9)]
for thing in slots:
    for name in Slots.__slots__: setattr(thing, name, [name])
lists = [kind([n] for n in range(500)) for kind in (List, Queue)] + [Set(map(str, range(500)))]
snap()
"""
    found, _ = heap(code, tmp_path / "a.snap")
    assert found.overexplained() == []
    of_types = {o.get("title"): found.unexplained(o["at"]) for o in found.of_type("type")}
    mine = ["__main__." + name for name in ("Many", "Slots", "List", "Queue", "Set")]
    assert [of_types[name] for name in mine] == [0] * len(mine)
