# SPDX-License-Identifier: MIT
"""What `ouro run --why` is made of: snapshots of a program's life, a command aside. SEMANTICS C4."""

import pytest
from interpreter import fail, run
from snapfile import complete
from test_snap_take import PRELUDE

LIFE = PRELUDE + """
import glob
from ouro import _ouro
prefix = os.path.join(folder, "life").encode()
def numbers():
    return sorted(int(name.split(".")[-2]) for name in glob.glob(folder + "/life.*.snap"))
"""


def life(code, folder, **settings):
    return run(LIFE + code, OURO_TEST_FOLDER=str(folder), **settings)


# --- Snapshots of its life ------------------------------------------------------------------------


@pytest.mark.parametrize("ouro", ["1", "decay=0"])
def test_the_last_two_stay(tmp_path, ouro):
    # GIVEN snapshots at doubling ages WHEN several were taken THEN the last two are there, complete,
    # and told in order; afterwards no more are taken
    printed = life("""
_ouro._snapshot_life(prefix, False, 50)
begun = time.monotonic()
until(lambda: 3 in numbers() and len(numbers()) == 2 and not children())
assert time.monotonic() - begun > 0.2
paths = _ouro._snapshot_life_end()
assert _ouro._snapshot_life_end() == ()
there = numbers()
assert len(there) == 2
time.sleep(0.8)
assert numbers() == there and not children()
print(*map(os.fsdecode, paths), sep="\\n")""", tmp_path, ouro=ouro)
    paths = printed.splitlines()
    first, second = (int(path.split(".")[-2]) for path in paths)
    assert second == first + 1 >= 3
    assert all(complete(path) for path in paths)


def test_the_end_waits_for_the_last_one(tmp_path):
    # GIVEN a writer that has just begun on a large heap WHEN the end is told THEN it is complete
    printed = life("""
keep = [[n] for n in range(400_000)]
_ouro._snapshot_life(prefix, False, 1)
until(numbers)
print(*map(os.fsdecode, _ouro._snapshot_life_end()))
assert not children()""", tmp_path)
    assert complete(printed.strip())


def test_files_of_others_stay(tmp_path):
    (tmp_path / "life.1.snap").write_text("theirs")
    life("""
_ouro._snapshot_life(prefix, False, 1)
until(lambda: 2 in numbers())
assert _ouro._snapshot_life_end() == (prefix + b".2.snap",)""", tmp_path)
    assert (tmp_path / "life.1.snap").read_text() == "theirs"


def test_one_that_cannot_be_written_is_removed(tmp_path):
    # GIVEN a limit on files that the writer meets THEN its file goes, and is not told
    life("""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
_ouro._snapshot_life(prefix, False, 1)
until(numbers)
assert _ouro._snapshot_life_end() == () and numbers() == []""", tmp_path)


def test_a_forked_child_has_no_part_in_it(tmp_path):
    # GIVEN a child that is forked meanwhile THEN it takes none, and ends nothing of its parent's: all
    # files there are the parent's
    life("""
_ouro._snapshot_life(prefix, False, 400)
child = os.fork()
if child == 0:
    assert _ouro._snapshot_life_end() == ()
    time.sleep(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
until(numbers)
paths = _ouro._snapshot_life_end()
assert numbers() == [int(path.split(b".")[-2]) for path in paths] != []""", tmp_path)


def test_it_begins_once(tmp_path):
    life("""
_ouro._snapshot_life(prefix, False, 60_000)
for path in prefix, b"x" * 5000:
    try:
        _ouro._snapshot_life(path, False, 60_000)
    except RuntimeError as error:
        print(error)
""", tmp_path)
    done = fail("from ouro import _ouro; _ouro._snapshot_life(b'x' * 5000, False, 1)")
    assert "too long" in done.stderr.splitlines()[-1]


# --- A command aside ------------------------------------------------------------------------------


def test_c4_nobody_hears_of_a_command(tmp_path):
    # GIVEN handlers for everything a process can hear of its children WHEN a command runs THEN its
    # status is told, its output is on standard error, and nothing was heard
    life("""
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append("SIGCHLD"))
os.register_at_fork(before=lambda: heard.append("fork"))
sys.addaudithook(lambda event, _: event.startswith(("os.", "sub")) and heard.append(event))
mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
script = b"kill -USR1 $$; echo ended; exit 7"
status = _ouro._run_aside((b"/bin/sh", b"-c", script), ())
assert status == -signal.SIGUSR1, status
assert _ouro._run_aside((b"/bin/sh", b"-c", b"exit 7"), ()) == 7
assert not heard, heard
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("none")
assert signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])""", tmp_path)


def test_it_gets_the_files_given_and_writes_to_standard_error(tmp_path):
    printed = life("""
other = os.dup(2)
file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
os.dup2(file, 2)
assert _ouro._run_aside((b"/bin/sh", b"-c", b"echo out; cat <&%d" % file), (file,)) == 0
assert not os.get_inheritable(file)
os.dup2(other, 2)
with open(path) as lines:
    print(lines.read())""", tmp_path)
    assert printed.startswith("out\n")


@pytest.mark.parametrize("arguments, says", [
    ("(b'/none',), ()", "cannot start /none"), ("(), ()", "too many words, or none"),
    ("(b'x',) * 17, ()", "too many words"), ("('text',), ()", "bytes"),
    ("(b'/bin/true',), (None,)", ""), ("(b'/bin/true',), (-5,)", "Bad file descriptor"),
])
def test_what_cannot_be_run(arguments, says):
    done = fail(f"from ouro import _ouro; _ouro._run_aside({arguments})")
    assert says in done.stderr.splitlines()[-1]


def test_a_handler_runs_while_it_waits(tmp_path):
    # GIVEN a command that takes long WHEN a signal's handler raises THEN the program goes on
    life("""
def handler(*_):
    raise InterruptedError("enough")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
begun = time.monotonic()
try:
    _ouro._run_aside((b"/bin/sleep", b"5"), ())
except InterruptedError:
    assert time.monotonic() - begun < 4""", tmp_path)
