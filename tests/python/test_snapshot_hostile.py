# SPDX-License-Identifier: MIT
"""A snapshot calls nothing of the program, takes little memory, and says what went wrong. SEMANTICS M4."""

import errno
import json
import os
import subprocess

import pytest
from interpreter import PYTHON, environment, run
from snapfile import complete
from snapheap import PRELUDE, Heap, heap

HOSTILE = """
import enum, types
armed = False
def trap(*args, **kwargs):
    if armed: os.write(2, b"called\\n"); os._exit(3)
NAMES = ("repr str bytes format hash eq ne lt le gt ge bool len length_hint iter next contains getitem "
         "setitem delitem missing getattribute getattr setattr delattr dir get set delete call sizeof "
         "reduce reduce_ex getstate copy deepcopy enter exit index int float add radd instancecheck "
         "subclasscheck class_getitem buffer await aiter anext del fspath subclasshook").split()
def body(**more): return {f"__{name}__": trap for name in NAMES} | more
def fields():
    space = body(__class__=property(trap), __dict__=property(trap), __slots__=())
    for name in ("__getattribute__", "__setattr__"): space.pop(name)
    return space
class Meta(type):
    def __getattribute__(cls, name):
        if armed: trap()
        return type.__getattribute__(cls, name)
    __repr__ = __hash__ = __eq__ = __instancecheck__ = __subclasscheck__ = __call__ = trap
    __hash__ = type.__hash__
    def __call__(cls, *args):
        if armed: trap()
        return type.__call__(cls, *args)
    def mro(cls): return type.mro(cls)
def quiet(namespace):
    for name in ("__setattr__", "__hash__", "__eq__", "__del__"): namespace.pop(name, None)
    return namespace
def make(name, *bases, **more):
    return Meta(name, bases, quiet(body(**more)))
Evil = make("Evil", object)
EvilDict, EvilList, EvilStr = make("EvilDict", dict), make("EvilList", list), make("EvilStr", str)
EvilTuple, EvilInt, EvilSet = make("EvilTuple", tuple), make("EvilInt", int), make("EvilSet", set)
EvilError, EvilModule = make("EvilError", Exception), make("EvilModule", types.ModuleType)
class Lies:
    def __hash__(self):
        if armed: trap()
        return hash("__name__")
    def __eq__(self, other):
        if armed: trap()
        return False
    def __sizeof__(self): return trap() or -5
    def __del__(self): trap()
class StrKey(str):
    def __hash__(self):
        if armed: trap()
        return str.__hash__(self)
    def __eq__(self, other):
        if armed: trap()
        return str.__eq__(self, other)
kept = [Evil(), EvilDict(), EvilList(), EvilStr("x"), EvilTuple((1, 2)), EvilInt(5), EvilSet(),
        EvilError("x"), EvilModule("evil")]
keys = {Lies(): 1, StrKey("__module__"): 2, StrKey("__name__"): 3, (1, Lies()): 4}
module = types.ModuleType("holder"); vars(module)[Lies()] = 1; vars(module)[StrKey("__name__")] = 2
sys.modules[StrKey("odd")] = module
Odd = type("Odd", (), {}); kept.append(Odd())
vars(kept[-1])[Lies()] = 1
at = ids(kept=kept, module=module)
armed = True
snap(at)
armed = False
print(json.dumps(at), flush=True)
del sys.modules["odd"]
os._exit(0)
"""


@pytest.mark.parametrize("tells", [0, 1, 2])
def test_m4_no_code_of_the_program_runs(tmp_path, tells):
    # GIVEN objects each of whose methods ends the process when it is called
    # WHEN a snapshot is taken, redacted or with values THEN none is called, and they are in it
    code = HOSTILE.replace("snap(at)", f"snap(at, {tells})")
    found, ids = heap(code, tmp_path / "a.snap")
    kept = [edge.target for edge in found.objects[ids["kept"]]["edges"]]
    names = [found.type_of(at) for at in kept]
    assert not any("content" in found.objects[at] for at in kept)
    assert names[0] == "__main__.Evil" and names[-1] == "__main__.Odd" and len(kept) == 10
    assert found.overexplained() == []


BAD = [
    ("os.open('/dev/full', os.O_WRONLY)", errno.ENOSPC),
    ("999", errno.EBADF),
    ("os.open('/dev/null', os.O_RDONLY)", errno.EBADF),
]


@pytest.mark.parametrize(("file", "number"), BAD)
def test_m4_what_cannot_be_written_is_an_error(file, number, tmp_path):
    # GIVEN a descriptor that takes nothing WHEN a snapshot is taken THEN OSError says why, and the
    # next one works
    code = f"""
try: _ouro._snapshot_in_place({file})
except OSError as error: assert error.errno == {number}, error
else: raise SystemExit("no error")
snap()
"""
    assert heap(code, tmp_path / "a.snap")[0].complete


@pytest.mark.parametrize("ouro", ["1", None])
def test_m4_refused_memory_is_survived(ouro, tmp_path):
    # GIVEN types that are asked for their size WHEN from the n-th request on memory is refused
    # THEN there is a whole snapshot or an error, never an exception of another's, and the next works
    code = """
try: import _testcapi
except ImportError: snap("no _testcapi"); os._exit(0)
import array, collections, io
things = [collections.deque(range(200)), collections.OrderedDict.fromkeys(range(99)), {1: 2}, {3},
          array.array("q", range(50)), io.StringIO("text" * 50), 1 << 900, bytearray(700), io.BytesIO()]
things[-1].write(b"bytes" * 99)
refuse, allow, take, where = (_testcapi.set_nomemory, _testcapi.remove_mem_hooks,
                              _ouro._snapshot_in_place, os.environ["OURO_TEST_SNAP"])
taken = []
for first in range(41):
    file, error = os.open(f"{where}.{first}", os.O_CREAT | os.O_WRONLY, 0o600), None
    refuse(first, 0)
    try: take(file)
    except (MemoryError, OSError) as caught: error = caught
    finally: allow()
    if error is None: taken.append(first)
    os.close(file)
assert gc.isenabled()
snap(taken)
"""
    found, taken = heap(code, tmp_path / "a.snap", ouro=ouro)
    if isinstance(taken, str):
        pytest.skip(taken)
    assert taken and all(complete(tmp_path / f"a.snap.{first}") for first in taken)
    assert found.complete and found.overexplained() == []


def test_m4_counts_are_as_before(tmp_path):
    # GIVEN objects WHEN snapshots are taken THEN no count changes, nothing is left, no exception
    code = """
class Thing: pass
things = [Thing() for _ in range(10)] + [Thing, Thing.__dict__, "text", 10**30, len]
snap(); snap()
before = [sys.getrefcount(thing) for thing in things], len(gc.get_objects())
for _ in range(3): snap()
after = [sys.getrefcount(thing) for thing in things], len(gc.get_objects())
assert before[0] == after[0] and abs(after[1] - before[1]) < 10, (before, after)
assert _ouro._check() is None
snap()
"""
    assert heap(code, tmp_path / "a.snap")[0].complete


def test_m4_a_large_heap_takes_seconds_and_little_memory(tmp_path):
    # GIVEN a heap of 1.2 million objects WHEN a snapshot is taken THEN it takes seconds of work and
    # at most a sixth of the heap in memory
    code = """
import time
def number(key):
    with open("/proc/self/status") as status:
        return [int(line.split()[1]) << 10 for line in status if line.startswith(key)][0]
class Node:
    def __init__(self, n): self.value = n
heap = {n: (Node(n), [n]) for n in range(1 << 28, (1 << 28) + 300_000)}
with open("/proc/self/clear_refs", "w") as peak: peak.write("5")
size, began = number("VmRSS"), time.process_time()
snap()
took, more = time.process_time() - began, number("VmHWM") - size
print(json.dumps({"seconds": took, "share": (more - (8 << 20)) / size}))
"""
    path = tmp_path / "a.snap"
    printed = run(PRELUDE + code, OURO_TEST_SNAP=str(path)).splitlines()[-1]
    values = json.loads(printed)
    assert values["seconds"] < 10 and values["share"] < 1 / 6, values
    assert path.stat().st_size / 1_200_000 < 24


def test_m4_a_killed_writer_leaves_what_it_wrote(tmp_path):
    # GIVEN a program that is killed while it writes THEN what is there can be read
    path = tmp_path / "a.snap"
    code = (
        PRELUDE + "heap = [[str(n)] for n in range(200_000)]\nprint(flush=True)\nsnap()\nsnap()\n"
    )
    settings = environment("quiet=1,channel=0", OURO_TEST_SNAP=str(path))
    shell = ["sh", "-c", 'OURO_RUN_PID=$$; export OURO_RUN_PID; exec "$@"', "sh"]
    with subprocess.Popen([*shell, PYTHON, "-c", code], env=settings, text=True,
                          stdout=subprocess.PIPE) as program:  # fmt: skip
        program.stdout.readline()
        while not path.exists() or os.path.getsize(path) < 1 << 20:
            assert program.poll() is None
        program.kill()
    found = Heap(path)
    assert len(found.objects) > 1000 and found.facts["writer"] == "cpython" and found.roots


def test_m4_stock_python_can_take_one_too(tmp_path):
    # GIVEN stock Python with the package only imported THEN a snapshot can be taken all the same
    code = "class Thing: pass\nthings = [Thing() for _ in range(9)]\nsnap()"
    found, _ = heap(code, tmp_path / "a.snap", ouro=None)
    assert len(found.of_type("__main__.Thing")) == 9 and found.overexplained() == []
