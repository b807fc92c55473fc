# SPDX-License-Identifier: MIT
"""ouro.memory(): every resident byte in exactly one row, the right one. SEMANTICS P6, M1, M6."""

import json

import pytest
from interpreter import VERSION, run, start

MIB = 1 << 20

# Reads the ledger before and after something and prints both.
AROUND = """
import ctypes, gc, json, mmap, os, sys, threading, ouro
def statm():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE
before = ouro.memory()
{what}
low = statm()
after = ouro.memory()
print(json.dumps([before, after, low, statm()]))
"""


def around(what, **settings):
    """The ledgers before and after the snippet, and the kernel's resident size round the latter."""
    return json.loads(run(AROUND.format(what=what), **settings).splitlines()[-1])


def growth(what, *rows, **settings):
    """By how many MiB the rows grow through the snippet, and by how many 'unknown' does."""
    before, after, *_ = around(what, **settings)
    return [(after[row] - before[row]) / MIB for row in (*rows, "unknown")]


def children(memory, parent):
    prefix = "" if parent == "resident" else parent + "."
    rows = [k for k in memory if not k.startswith("memo.") and k != "resident"]
    return [k for k in rows if k.startswith(prefix) and "." not in k[len(prefix) :]]


def check_sums(memory):
    for parent in ("resident", *(k for k in memory if f"{k}.x" > k and children(memory, k))):
        assert memory[parent] == sum(memory[k] for k in children(memory, parent)), parent
    assert memory["memo.private"] + memory["memo.common"] == memory["resident"]
    assert memory["memo.peak"] >= memory["resident"]


# --- Sums -----------------------------------------------------------------------------------------

PROGRAMS = {
    "json": "import json; data = json.loads(json.dumps([{'id': i} for i in range(200_000)]))",
    "sqlite": """
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("create table t(a, b)")
base.executemany("insert into t values (?, ?)", ((i, "x" * 90) for i in range(100_000)))
rows = base.execute("select * from t order by b, a desc").fetchall()""",
    "compile": """
import ast, pathlib
files = sorted(pathlib.Path(ast.__file__).parent.glob("*.py"))
trees = [ast.parse(file.read_bytes()) for file in files[:80]]""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
import hashlib, zlib
with ThreadPoolExecutor(20) as pool:
    packed = list(pool.map(lambda i: zlib.compress(bytes([i % 256]) * 99_999), range(500)))
    after_first_wave = ouro.memory()""",
    "email": """
import email.parser, email.message, decimal, fractions, unittest.mock, xml.dom.minidom
text = "<a>" + "<b c='d'>e</b>" * 20_000 + "</a>"
document = xml.dom.minidom.parseString(text)""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_p6_rows_add_up_to_the_resident_size(name):
    # GIVEN a program WHEN its ledger is read THEN children add up to parents, the whole is what the
    # kernel says within 1 %, and at most 5 % is not attributed
    before, after, low, high = around(PROGRAMS[name])
    check_sums(before)
    check_sums(after)
    assert min(low, high) * 0.99 <= after["resident"] <= max(low, high) * 1.01
    assert after["unknown"] <= after["resident"] * 0.05


def test_p6_sums_hold_while_other_threads_allocate():
    out = run("""
        import json, threading, ouro
        stop = False
        def work():
            while not stop:
                data = [bytes(i % 2_000) for i in range(20_000)]
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads: t.start()
        print(json.dumps([ouro.memory() for _ in range(30)]))
        stop = True
        for t in threads: t.join()
    """)
    for memory in json.loads(out):
        check_sums(memory)


@pytest.mark.parametrize("options", ["hardened=1", "limit=500000000", "huge=always", "decay=0"])
def test_p6_sums_hold_with_every_option(options):
    before, after, *_ = around(
        "data = [[i, str(i)] for i in range(100_000)]; del data[::3]", ouro=options
    )
    check_sums(before)
    check_sums(after)
    assert after["heap"] > before["heap"] + 5 * MIB
    assert after["unknown"] <= after["resident"] * 0.05


# --- Ouro's heap ----------------------------------------------------------------------------------


def test_live_objects_are_the_heap_s():
    # GIVEN two million floats of 24 bytes WHEN the ledger is read THEN they are there, with their
    # rounding
    requested, rounding, unknown = growth(
        "data = [float(i) for i in range(2_000_000)]", "heap.requested", "heap.rounding"
    )
    assert requested + rounding == pytest.approx(2e6 * 32 / MIB, rel=0.03)
    assert requested >= 2e6 * 24 / MIB
    assert unknown < 1


def test_m6_free_memory_that_survivors_pin_has_its_row():
    # GIVEN one object in a hundred left of many WHEN the ledger is read THEN the rest is not
    # "live": it is free, pinned where a survivor shares the page, else free to go or gone
    pinned, requested, unknown = growth(
        """
data = [float(i) for i in range(2_000_000)]
data = data[::100]
""",
        "heap.pinned",
        "heap.requested",
    )
    assert pinned > 10
    assert requested < 3
    assert unknown < 1


def test_p6_given_back_memory_leaves_the_resident_size():
    before, after, *_ = around("""
data = [float(i) for i in range(2_000_000)]
peak = ouro.memory()
del data
ouro.give_back()
assert ouro.memory()["resident"] < peak["resident"] - 50_000_000
""")
    assert after["memo.heap.returned"] - before["memo.heap.returned"] > 50e6
    assert after["heap"] - before["heap"] < 4 * MIB


# --- Everything else ------------------------------------------------------------------------------


def test_large_requests_are_the_system_allocator_s():
    # GIVEN a large buffer that is written and one that is not WHEN the ledger is read THEN the
    # first counts and the second does not
    mapped, unknown = growth(
        "a = bytearray(b'x') * (40 << 20); b = bytes(40 << 20)", "malloc.mapped"
    )
    assert mapped == pytest.approx(40, abs=2)
    assert unknown < 1


@pytest.mark.parametrize("alignment", [32, 64, 256, 4096])
def test_large_requests_with_an_alignment(alignment):
    mapped, unknown = growth(
        f"""
block = ctypes.c_void_p()
ctypes.CDLL(None).posix_memalign(ctypes.byref(block), {alignment}, 40 << 20)
ctypes.memset(block, 255, 40 << 20)
""",
        "malloc.mapped",
    )
    assert mapped == pytest.approx(40, abs=2)
    assert unknown < 1


def test_m6_memory_that_malloc_retains_is_free_not_used():
    used, free, unknown = growth(
        """
data = [bytes(2_000) for _ in range(20_000)]
data = data[::50]
""",
        "malloc.used",
        "malloc.free",
    )
    assert free > 25
    assert used < 5
    assert unknown < 1


def test_arenas_of_threads_are_the_system_allocator_s():
    used, unknown = growth(
        """
data = []
def work():
    data.extend([bytes(3_000) for _ in range(10_000)])
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
""",
        "malloc.used",
    )
    assert used == pytest.approx(4 * 10_000 * 3_050 / MIB, rel=0.1)
    assert unknown < 1


@pytest.mark.parametrize("size", [0, 1 << 20, 64 << 20])
def test_stacks_of_threads(size):
    # GIVEN 40 threads that wait, with the default or another size of stack WHEN the ledger is read
    # THEN their stacks have a row
    before, after, *_ = around(f"""
threading.stack_size({size})
gate = threading.Event()
threads = [threading.Thread(target=gate.wait, daemon=True) for _ in range(40)]
for t in threads: t.start()
""")
    assert after["memo.threads"] - before["memo.threads"] == 40
    assert after["stacks.threads"] - before["stacks.threads"] >= 40 * 8192
    assert after["unknown"] - before["unknown"] < MIB / 2


@pytest.mark.skipif(VERSION < (3, 11), reason="frames are objects before 3.11")
def test_frames_of_deep_recursion():
    frames, unknown = growth(
        """
sys.setrecursionlimit(10**6)
def deep(n):
    global after
    if n == 0: after = ouro.memory()
    else: deep(n - 1)
deep(40_000)
inside = after
ouro.memory = lambda: inside
""",
        "python.frames",
    )
    assert frames > 2
    assert unknown < 1


def test_mapped_files_and_shared_memory():
    files, shared, unknown = growth(
        """
import tempfile
file = tempfile.TemporaryFile(dir=os.environ["OURO_TEST_DIRECTORY"])
file.write(b"x" * (20 << 20)); file.flush()
view = mmap.mmap(file.fileno(), 20 << 20, access=mmap.ACCESS_READ)
total = sum(view[i] for i in range(0, len(view), 4096))
common = mmap.mmap(-1, 10 << 20)
common.write(b"x" * (10 << 20))
""",
        "files",
        "shared",
        OURO_TEST_DIRECTORY="/var/tmp",
    )
    assert files == pytest.approx(20, abs=1)
    assert shared == pytest.approx(10, abs=1)
    assert unknown < 1


PRIVATE = """
view = mmap.mmap(-1, 20 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
view.write(b"\\xff" * (20 << 20))
"""


def test_memory_that_nothing_explains_is_not_attributed():
    # GIVEN a mapping that no allocator knows and no library points to WHEN the ledger is read
    # THEN it is honestly not attributed, and spread over no other row
    before, after, *_ = around(PRIVATE)
    grown = {k: after[k] - before[k] for k in children(after, "resident")}
    assert grown.pop("unknown") == pytest.approx(20 * MIB, abs=MIB)
    assert all(size < 2 * MIB for size in grown.values()), grown


def test_memory_that_a_library_s_variable_points_to_is_the_library_s():
    mapped, unknown = growth(
        PRIVATE
        + """
address = ctypes.addressof(ctypes.c_char.from_buffer(view))
ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyOS_InputHook").value = address
""",
        "libraries.mapped",
    )
    assert mapped == pytest.approx(20, abs=1)
    assert unknown < 1


def test_the_interpreter_s_arenas_from_before_a_late_installation():
    # GIVEN a program with many objects WHEN Ouro is installed late THEN what lies in the old arenas
    # is the interpreter's, not unknown
    out = run(
        """
        import json, ouro
        data = [(i, str(i), float(i)) for i in range(300_000)]
        ouro.install(channel=False)
        print(json.dumps(ouro.memory()))
    """,
        ouro=None,
    )
    memory = json.loads(out)
    check_sums(memory)
    assert memory["python.arenas"] > 40 * MIB
    assert memory["unknown"] < memory["resident"] * 0.05


def test_fork_shares_until_written():
    # GIVEN a child after fork WHEN it writes to what it shares THEN the copies are its own
    out = run("""
        import json, os, ouro
        data = bytearray(b"x") * (30 << 20)
        alone = ouro.memory()
        if os.fork() == 0:
            child = ouro.memory()
            data[::4096] = b"y" * len(data[::4096])
            print(json.dumps([alone, child, ouro.memory()]), flush=True)
            os._exit(0)
        os.wait()
    """)
    alone, child, written = json.loads(out)
    check_sums(child)
    assert alone["memo.fork_shared"] < MIB
    assert child["memo.fork_shared"] > 30 * MIB
    assert child["memo.fork_shared"] - written["memo.fork_shared"] == pytest.approx(
        30 * MIB, abs=2 * MIB
    )


def test_without_proc_it_says_so():
    done = start(
        [
            "-c",
            """
import os, resource, ouro
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
ouro.memory()
""",
        ]
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("Too many open files: '/proc/self/smaps'")
