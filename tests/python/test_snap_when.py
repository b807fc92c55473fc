# SPDX-License-Identifier: MIT
"""ouro.snapshot_when(): snapshots on a signal, a file, near a limit, when memory is refused."""

import pytest
from interpreter import fail, start
from snapfile import complete
from test_snap_take import PRELUDE

MIB = 1 << 20


def program(code, folder, **settings):
    """What it said on standard error, by lines; it must have ended well."""
    settings.setdefault("OURO_SNAPSHOT_DIR", str(folder))
    done = start(["-c", PRELUDE + code], OURO_TEST_FOLDER=str(folder), **settings)
    assert done.returncode == 0, done
    return done.stderr.splitlines()


def written(folder):
    return sorted(folder.glob("ouro-*.snap"))


# --- Signals --------------------------------------------------------------------------------------


def test_a_signal_has_one_written(tmp_path):
    # GIVEN OURO_SNAPSHOT_SIGNAL WHEN the signal comes twice, a moment apart THEN two snapshots are
    # there, each named on standard error, and system calls of the program went on
    said = program("""
import glob
there, here = os.pipe()
for n in (1, 2):
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR2)).start()
    threading.Timer(0.4, os.write, (here, b"x")).start()
    assert os.read(there, 1) == b"x"
    until(lambda: len(glob.glob(folder + "/*.snap")) == n and not children())
assert signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL""", tmp_path, OURO_SNAPSHOT_SIGNAL="USR2")
    assert len(said) == 2 and all("signal 12" in line for line in said), said
    files = written(tmp_path)
    assert [line.split()[-1] for line in said] == [str(file) for file in files]
    assert all(complete(file) for file in files) and len(files) == 2


def test_the_program_s_handler_stays(tmp_path):
    # GIVEN a handler of the program's THEN it is not replaced, and one line says so
    done = fail(PRELUDE + """
signal.signal(signal.SIGUSR1, lambda *_: print("mine", flush=True))
try:
    ouro.snapshot_when(signal=signal.SIGUSR1)
finally:
    os.kill(os.getpid(), signal.SIGUSR1)""", OURO_TEST_FOLDER=str(tmp_path))
    assert done.stdout == "mine\n"
    assert "has a handler already" in done.stderr.splitlines()[-1]


def test_another_call_lets_go_of_the_signal(tmp_path):
    program("""
ouro.snapshot_when(signal=signal.SIGUSR1)
ouro.snapshot_when(signal=signal.SIGUSR2)
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == signal.SIGUSR1""", tmp_path)


def test_a_forked_child_takes_its_own(tmp_path):
    # GIVEN a signal to the child only THEN the child's snapshot is written, not the parent's
    program("""
import glob
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGUSR2)
    until(lambda: glob.glob(f"{folder}/*.{os.getpid()}.1.snap") and not children())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(child)""", tmp_path, OURO_SNAPSHOT_SIGNAL="SIGUSR2")
    file, = written(tmp_path)
    assert complete(file)


# --- Files ----------------------------------------------------------------------------------------


def test_a_file_has_one_written_beside_it(tmp_path):
    # GIVEN OURO_SNAPSHOT_TRIGGER WHEN the file appears THEN it is removed and a snapshot is there,
    # once; with a relative path where the program was started
    program("""
import glob
os.chdir("/")
open(folder + "/now", "w").close()
until(lambda: glob.glob(folder + "/*.snap") and not children())
time.sleep(0.6)
assert not os.path.exists(folder + "/now")""", tmp_path, OURO_SNAPSHOT_TRIGGER=str(tmp_path / "now"))
    file, = written(tmp_path)
    assert complete(file)


def test_a_trigger_that_cannot_be_removed_does_nothing(tmp_path):
    # GIVEN a directory of the trigger's name THEN no snapshot is taken again and again
    (tmp_path / "now").mkdir()
    assert program("time.sleep(0.8)", tmp_path, OURO_SNAPSHOT_TRIGGER=str(tmp_path / "now")) == []
    assert not written(tmp_path)


def test_no_place_to_write_to_is_told(tmp_path):
    said = program("""
os.kill(os.getpid(), signal.SIGUSR2)
time.sleep(0.8)""", tmp_path, OURO_SNAPSHOT_SIGNAL="USR2",
                   OURO_SNAPSHOT_DIR=str(tmp_path / "none"))
    line, = said
    assert "cannot write" in line and "No such file" in line


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["heap", "RLIMIT_AS"])
def test_one_snapshot_for_each_crossing(tmp_path, limit):
    # GIVEN OURO_ON_LIMIT WHEN memory crosses the share, stays there, falls far below and crosses
    # again THEN there are two snapshots
    how = "" if limit == "heap" else """
import resource
now = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (now * 4,) * 2)
"""
    more = "bytearray(2 << 20)" if limit == "heap" else "mmap.mmap(-1, now * 4 // 100)"
    said = program(how + f"""
import glob, mmap
def count():
    return len(glob.glob(folder + "/*.snap"))
ouro.snapshot_when(on_limit=0.6, directory=folder)
for n in (1, 2):
    heap = []
    while count() < n:
        assert len(heap) < 95
        heap.append({more})
        time.sleep(0.03)
    until(lambda: not children())
    time.sleep(0.6)
    assert count() == n
    del heap
    time.sleep(0.8)""", tmp_path, ouro=f"limit={200 * MIB}" if limit == "heap" else "1")
    assert len(said) == 2 and all("% of" in line for line in said), said
    assert all(complete(file) for file in written(tmp_path))


def test_without_a_limit_one_line_says_so(tmp_path):
    said = program("", tmp_path, OURO_ON_LIMIT="90%")
    assert len(said) <= 1  # none where the tests themselves run in a limited group
    assert all("no limit of memory is set" in line for line in said)


@pytest.mark.parametrize("text", ["0%", "150%", "much", "0.9.1"])
def test_a_share_that_is_none_is_named(tmp_path, text):
    done = start(["-c", "pass"], OURO_ON_LIMIT=text)
    assert done.returncode == 2 and done.stdout == ""
    line, = done.stderr.splitlines()
    assert line.startswith(f"ouro: OURO_ON_LIMIT='{text}' is not a share")


# Fake trees of /proc and control groups: what the files say, and (used, limit) or None.
V2 = {
    "proc/self/cgroup": "0::/app/worker\n",
    "proc/self/mountinfo": "31 23 0:28 / /cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
}
V1 = {
    "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/7f\n0::/\n",
    "proc/self/mountinfo": "29 23 0:25 / /u rw - cgroup2 cgroup2 rw\n"
                           "30 23 0:27 /docker/7f /c rw - cgroup cgroup rw,cpu\n"
                           "31 23 0:28 /docker/7f /m rw - cgroup cgroup rw,memory\n",
}
GROUPS = {
    "version 2": ({**V2, "cg/app/worker/memory.max": "1000\n",
                   "cg/app/worker/memory.current": "700\n",
                   "cg/app/worker/memory.stat": "anon 400\nfile 300\ninactive_file 200\n"
                                                "active_file 50\nshmem 50\n"}, (450, 1000)),
    "no limit": ({**V2, "cg/app/worker/memory.max": "max\n",
                  "cg/app/worker/memory.current": "700\n"}, None),
    "the nearer one above": ({**V2, "cg/app/worker/memory.max": "1000\n",
                              "cg/app/worker/memory.current": "100\n",
                              "cg/app/memory.max": "2000\n", "cg/app/memory.current": "1500\n"},
                             (1500, 2000)),
    "not above the mount": ({**V2, "memory.max": "10\n", "memory.current": "9\n"}, None),
    "version 1 in a container": ({**V1, "m/memory.limit_in_bytes": "4096\n",
                                  "m/memory.usage_in_bytes": "2048\n",
                                  "m/memory.stat": "inactive_file 9\ntotal_inactive_file 48\n"},
                                 (2000, 4096)),
    "version 1, none": ({**V1, "m/memory.limit_in_bytes": "9223372036854771712\n",
                         "m/memory.usage_in_bytes": "2048\n"}, None),
    "a path from outside": ({"proc/self/cgroup": "0::/../other\n",
                             "proc/self/mountinfo": V2["proc/self/mountinfo"],
                             "cg/memory.max": "100\n", "cg/memory.current": "50\n"}, (50, 100)),
    "no files": ({}, None),
    "damaged": ({"proc/self/cgroup": "0:\n:\n\n0::\n", "proc/self/mountinfo": " - \nx - cgroup2\n"},
                None),
}


@pytest.mark.parametrize("name", GROUPS)
def test_control_groups(tmp_path, name):
    # GIVEN the files of a control group THEN its limit is found, and what the kernel can drop does
    # not count as used
    files, wanted = GROUPS[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = start(["-c", "import os, ouro._ouro as o; "
                        "print(o._snapshot_limit(os.environb[b'OURO_TEST_FOLDER']))"],
                 OURO_TEST_FOLDER=str(tmp_path))
    assert (done.stdout, done.stderr) == (f"{wanted}\n", ""), done


# --- Memory that is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("ouro, refused", [
    ("1", "bytearray(1 << 50)"),  # by the system
    (f"limit={64 * MIB}", "[[n] for n in range(5_000_000)]"),  # by the heap's limit, small blocks
    (f"limit={64 * MIB},pause_us=1000", "[{n: n} for n in range(5_000_000)]"),
])
def test_the_first_allocation_that_fails(tmp_path, ouro, refused):
    # GIVEN OURO_ON_MEMORY_ERROR WHEN memory is refused several times THEN the program gets its
    # MemoryErrors, and one snapshot is there
    said = program(f"""
errors = 0
for n in range(3):
    try:
        heap = {refused}
    except MemoryError:
        errors += 1
assert errors == 3
until(lambda: not children())""", tmp_path, ouro=ouro, OURO_ON_MEMORY_ERROR="1")
    line, = said
    assert "out of memory" in line
    file, = written(tmp_path)
    assert complete(file)


def test_tracemalloc_comes_and_goes_over_it(tmp_path):
    # GIVEN a tool that wraps the allocators, and occasions that are named again meanwhile THEN
    # nothing forwards to itself
    program("""
import tracemalloc
tracemalloc.start()
ouro.snapshot_when(on_memory_error=True, directory=folder)
x = [bytearray(n) for n in range(2000)]
tracemalloc.stop()
try:
    bytearray(1 << 50)
except MemoryError:
    print("refused")""", tmp_path, OURO_ON_MEMORY_ERROR="1")
    assert len(written(tmp_path)) == 1


# --- At the end -----------------------------------------------------------------------------------


def test_one_at_the_end(tmp_path):
    # GIVEN OURO_SNAPSHOT_AT_EXIT THEN it is taken after the program's own atexit functions, by the
    # program only, not by what it starts
    path = tmp_path / "end.snap"
    done = start(["-c", PRELUDE + """
import atexit, subprocess
atexit.register(lambda: print(os.path.exists(folder + "/end.snap")))
subprocess.run([sys.executable, "-c", "pass"])
if os.fork() == 0: sys.exit(0)
os.wait()
assert not os.path.exists(folder + "/end.snap")
sys.exit(3)"""], OURO_TEST_FOLDER=str(tmp_path), OURO_SNAPSHOT_AT_EXIT=str(path))
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (3, "False", "")
    assert complete(path)
