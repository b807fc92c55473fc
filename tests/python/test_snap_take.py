# SPDX-License-Identifier: MIT
"""ouro.snapshot(): the program goes on, and never hears of who writes. SEMANTICS R7, C4."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from interpreter import VERSION, environment, fail, run, start
from snapfile import blocks, complete

# In every snippet: `path`, a new file's, and who the process's children are.
PRELUDE = """
import os, signal, sys, threading, time, ouro
folder = os.environ["OURO_TEST_FOLDER"]
path = os.path.join(folder, "a.snap")
def children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found += map(int, file.read().split())
        except FileNotFoundError:
            pass
    return found
def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
"""


def program(code, folder, *options, **settings):
    return run(PRELUDE + code, *options, OURO_TEST_FOLDER=str(folder), **settings)


@pytest.fixture
def anybody():
    """A folder that other users reach and may write to."""
    folder = tempfile.mkdtemp(prefix="ouro-test-")
    os.chmod(folder, 0o777)
    yield pathlib.Path(folder)
    shutil.rmtree(folder)


# A root user could raise limits, and would not be counted.
ANYBODY = """
import resource
snapshot = ouro.snapshot
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
"""


# --- What the program gets ------------------------------------------------------------------------


def test_the_file_is_complete_on_return(tmp_path):
    # GIVEN a program WHEN it takes a snapshot THEN the file is there, whole and private, and the
    # result says what it is and how long the program stood still
    told = program("""
taken = ouro.snapshot(path)
assert taken.path == path and taken.bytes == os.path.getsize(path)
assert 0 < taken.pause_seconds < 5
assert os.stat(path).st_mode & 0o777 == 0o600
assert not children()
print("done")""", tmp_path)
    assert told == "done\n" and complete(tmp_path / "a.snap")


def test_without_waiting_it_is_complete_later_and_nobody_is_left(tmp_path):
    # GIVEN wait=False THEN the call returns, the file is whole soon, the child is buried
    program("""
taken = ouro.snapshot(path, wait=False)
until(lambda: not children())""", tmp_path)
    assert complete(tmp_path / "a.snap")


def test_it_works_before_ouro_is_installed(tmp_path):
    # GIVEN stock Python with the package imported only THEN snapshots can be taken all the same
    program("assert not ouro.installed(); ouro.snapshot(path)", tmp_path, ouro=None)
    assert complete(tmp_path / "a.snap")


@pytest.mark.parametrize("problem, error", [
    ("open(path, 'w').close()", "FileExistsError"),
    ("path = folder + '/none/a.snap'", "FileNotFoundError"),
    ("path = '/proc/a.snap'", "FileNotFoundError"),
])
def test_where_it_cannot_write_it_says_so(tmp_path, problem, error):
    done = fail(PRELUDE + f"{problem}\nouro.snapshot(path)", OURO_TEST_FOLDER=str(tmp_path))
    assert done.stderr.splitlines()[-1].startswith(error)


def test_a_full_disk_is_told(tmp_path):
    # GIVEN no room for the file (a limit of its size) THEN OSError says which
    told = program("""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    ouro.snapshot(path)
except OSError as error:
    print(error.strerror)""", tmp_path)
    assert told == os.strerror(27) + "\n"  # EFBIG


@pytest.mark.skipif(VERSION < (3, 12), reason="the module came with 3.12")
def test_another_interpreter_is_refused(tmp_path):
    code = PRELUDE + """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
inner = interpreters.create()
interpreters.run_string(inner, '''
import ouro
try:
    ouro.snapshot("''' + path + '''")
except RuntimeError as error:
    print(error)
''')
interpreters.destroy(inner)"""
    assert "main interpreter" in run(code, OURO_TEST_FOLDER=str(tmp_path))


# --- What the program does not get ----------------------------------------------------------------


def test_no_signal_no_child_to_wait_for_no_fork_hooks(tmp_path):
    # GIVEN a program with a SIGCHLD handler, fork hooks and a child of its own WHEN snapshots are
    # taken THEN it hears of its own child only
    told = program("""
heard, hooks = [], []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
os.register_at_fork(before=lambda: hooks.append("before"),
                    after_in_parent=lambda: hooks.append("parent"))
for n in range(5):
    ouro.snapshot(f"{path}{n}")
    for wait in (os.wait, lambda: os.waitpid(-1, os.WNOHANG), lambda: os.waitpid(0, 0),
                 lambda: os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)):
        try:
            wait()
            print("somebody")
        except ChildProcessError:
            pass
assert (heard, hooks) == ([], []), (heard, hooks)
child = os.posix_spawn("/bin/true", ["true"], {})
ouro.snapshot(path, wait=False)
assert os.wait()[0] == child
until(lambda: heard and not children())
print(len(heard))""", tmp_path)
    assert told == "1\n" and complete(tmp_path / "a.snap")


def test_asyncio_s_children_stay_its_own(tmp_path):
    # GIVEN a loop that starts processes WHEN snapshots are taken meanwhile THEN every process's
    # status arrives, as it does without snapshots
    program("""
import asyncio
async def one(n):
    child = await asyncio.create_subprocess_exec("/bin/sh", "-c", f"exit {n}")
    return await child.wait()
async def main():
    for round in range(4):
        waiting = [asyncio.create_task(one(n)) for n in range(8)]
        await asyncio.sleep(0)
        ouro.snapshot(f"{path}{round}", wait=bool(round % 2))
        assert await asyncio.gather(*waiting) == list(range(8))
asyncio.run(main())""", tmp_path)


def test_a_program_that_ignores_its_children_s_ends(tmp_path):
    # GIVEN SIGCHLD ignored, so that the kernel buries children itself THEN a snapshot is whole
    program("""
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
ouro.snapshot(path)""", tmp_path)
    assert complete(tmp_path / "a.snap")


def test_what_the_program_closes_is_closed(tmp_path):
    # GIVEN a pipe's end that the program closes while a snapshot is being written THEN the reader
    # sees the end at once: the writer does not keep it
    told = program("""
import select
heap = [[n] for n in range(600_000)]
there, here = os.pipe()
ouro.snapshot(path, wait=False)
until(lambda: os.path.getsize(path) > 0)
assert children(), "the writer was too fast for this test"
os.close(here)
assert select.select([there], [], [], 0)[0]
assert os.read(there, 1) == b""
print(len(children()))""", tmp_path)
    assert told in ("0\n", "1\n")


def test_signals_to_the_group_do_not_reach_the_writer(tmp_path):
    # GIVEN Ctrl-C, a hang-up and a plain kill of the whole group, all of which the program handles
    # THEN the writer writes on
    program("""
os.setpgid(0, 0)
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda *_: None)
heap = [[n] for n in range(300_000)]
ouro.snapshot(path, wait=False)
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
    os.killpg(0, number)
until(lambda: not children())""", tmp_path)
    assert complete(tmp_path / "a.snap")


def test_the_writer_is_nicer_and_the_first_to_be_killed(tmp_path):
    # GIVEN a program with other settings THEN its writer gives way to it in time and in memory
    told = program("""
heap = [[n] for n in range(600_000)]
nice = os.nice(0)
ouro.snapshot(path, wait=False)
until(lambda: os.path.getsize(path) > 0)
child, = children()
with open(f"/proc/{child}/oom_score_adj") as file:
    print(file.read().strip())
print(os.getpriority(os.PRIO_PROCESS, child) == min(nice + 10, 19), os.nice(0) == nice)""", tmp_path)
    assert told == "1000\nTrue True\n"


# --- Meanwhile ------------------------------------------------------------------------------------


def test_the_pause_is_a_fork_s(tmp_path):
    # GIVEN a million objects WHEN a snapshot is taken THEN the program stands still for some
    # milliseconds, far less than the writing takes
    told = json.loads(program("""
import json
heap = [[n] for n in range(1_000_000)]
pauses, began = [], time.perf_counter()
for n in range(3):
    pauses.append(ouro.snapshot(f"{path}{n}").pause_seconds)
print(json.dumps([min(pauses), (time.perf_counter() - began) / 3]))""", tmp_path))
    pause, whole = told
    assert pause < 0.1, told
    assert pause < whole / 2, told


def test_threads_run_while_snapshots_are_taken(tmp_path):
    # GIVEN a service with four threads WHEN snapshots are taken one after another THEN no request
    # fails, and every snapshot is whole
    told = program("""
import json, socketserver, urllib.request, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps([{"n": n} for n in range(500)]).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
done, failed, stop = [], [], threading.Event()
def client():
    while not stop.is_set():
        try:
            assert len(json.load(urllib.request.urlopen(url, timeout=10))) == 500
            done.append(1)
        except Exception as error:
            failed.append(repr(error))
clients = [threading.Thread(target=client) for _ in range(3)]
for thread in clients: thread.start()
for n in range(6):
    ouro.snapshot(f"{path}{n}")
stop.set()
for thread in clients: thread.join()
assert not failed, failed[:3]
assert done
print("served")""", tmp_path)
    assert told == "served\n"
    assert all(complete(tmp_path / f"a.snap{n}") for n in range(6))


def test_several_threads_take_snapshots(tmp_path):
    program("""
def take(n):
    ouro.snapshot(f"{path}{n}")
threads = [threading.Thread(target=take, args=(n,)) for n in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not children()""", tmp_path)
    assert all(complete(tmp_path / f"a.snap{n}") for n in range(6))


def test_forks_while_a_snapshot_is_written(tmp_path):
    # GIVEN a program that forks meanwhile THEN its children run, and take snapshots of themselves
    program("""
heap = [[n] for n in range(200_000)]
for n in range(3):
    ouro.snapshot(f"{path}{n}", wait=False)
    child = os.fork()
    if child == 0:
        ouro.snapshot(f"{path}.child{n}")
        os._exit(7)
    assert os.waitpid(child, 0)[1] == 7 << 8
until(lambda: not children())""", tmp_path)
    assert all(complete(tmp_path / f"a.snap{n}") for n in range(3))
    assert all(complete(tmp_path / f"a.snap.child{n}") for n in range(3))


def test_the_program_may_end_first(tmp_path):
    # GIVEN a program that ends while its snapshot is written THEN the writer finishes, and whoever
    # waits for the program's output does not wait for the writer
    code = PRELUDE + "heap = [[n] for n in range(300_000)]\nouro.snapshot(path, wait=False)"
    run(code, OURO_TEST_FOLDER=str(tmp_path))
    for _ in range(600):
        if complete(tmp_path / "a.snap"):
            return
        subprocess.run(["sleep", "0.05"])
    pytest.fail("the writer did not finish")


def test_a_killed_writer_leaves_what_it_wrote(tmp_path):
    # GIVEN kill -9 at random moments THEN the program is told, and the file holds whole blocks
    # first of all
    program("""
import random
heap = [[n] for n in range(400_000)]
random.seed(4)
killed = 0
for n in range(12):
    def kill(moment):
        time.sleep(moment)
        for child in children():
            os.kill(child, signal.SIGKILL)
    threading.Thread(target=kill, args=(random.random() * 0.2,)).start()
    try:
        ouro.snapshot(f"{path}{n}")
    except ChildProcessError:
        killed += 1
    while threading.active_count() > 1: time.sleep(0.01)
assert killed, "none was killed"
assert not children()""", tmp_path)
    for n in range(12):
        if (tmp_path / f"a.snap{n}").stat().st_size >= 16:
            blocks(tmp_path / f"a.snap{n}")


# --- Where there is little room -------------------------------------------------------------------


def test_near_a_limit_of_address_space(anybody):
    # GIVEN a program that has used its RLIMIT_AS up, and could not raise it WHEN occasions for
    # snapshots were named before THEN there is room to write one
    code = """
import resource
now = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (now + (600 << 20),) * 2)
ouro.snapshot_when(on_memory_error=True, directory=folder)
""" + ANYBODY + """
heap = []
try:
    while True: heap.append(bytearray(1 << 20))
except MemoryError:
    pass
snapshot(path)
until(lambda: not children())"""
    done = start(["-c", PRELUDE + code], OURO_TEST_FOLDER=str(anybody))
    assert done.returncode == 0 and "out of memory" in done.stderr, done
    first, second = sorted(anybody.glob("*.snap"))
    assert complete(first) and complete(second)


def test_where_no_child_can_be_made_it_is_written_in_place(anybody):
    # GIVEN a limit of processes that refuses another one THEN the program waits for the whole of
    # it, and the file says so
    program(ANYBODY + """
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    os.fork()
except BlockingIOError:
    snapshot(path)""", anybody, ouro="decay=0")
    assert complete(anybody / "a.snap")
    assert b"in place" in (anybody / "a.snap").read_bytes()


def test_without_capabilities_on_a_read_only_root(tmp_path):
    # GIVEN a container's worst: no capability, everything read-only but one directory
    shell = ("mount --bind $0 $0 && mount -o remount,bind,ro / && "
             'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"')
    code = PRELUDE + "ouro.install(); ouro.snapshot(path); print('taken')"
    python = os.environ.get("OURO_TEST_PYTHON", sys.executable)
    done = subprocess.run(["unshare", "-rm", "sh", "-c", shell, str(tmp_path), python, "-c", code],
                          env=environment(None, OURO_TEST_FOLDER=str(tmp_path)), text=True,
                          capture_output=True, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr or "setpriv" in done.stderr:
        pytest.skip("no user namespaces here: " + done.stderr)
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr
    assert complete(tmp_path / "a.snap")
