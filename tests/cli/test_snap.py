# SPDX-License-Identifier: MIT
"""`ouro snap`: a running program writes itself to a file of the caller's. SEMANTICS R7."""

import array
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time

import pytest
from programs import OURO, PYTHON, WAITING, environment, one_line, ouro, plain

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
from snapfile import blocks, complete  # noqa: E402

HEAP = """
    import sys
    heap = [[n] for n in range(600_000)]
    print("ready", flush=True)
    sys.stdin.read()
"""


def children(pid):
    """Of all its threads."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += map(int, task.joinpath("children").read_text().split())
    return found


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


# --- What it writes -------------------------------------------------------------------------------


def test_it_writes_says_what_and_names_the_next_command(program, tmp_path):
    # GIVEN a running program THEN its snapshot is in the file that was named, for its owner only,
    # and the command says how much that is and what to do with it
    it = program().expect("ready")
    file = tmp_path / "a.snap"
    done = it.ask("snap", "-o", file)
    assert (done.returncode, done.stderr) == (0, "")
    first, pause, _, following = done.stdout.splitlines()
    assert first.startswith(f"{file}: ") and " objects, " in first
    assert pause.startswith("the program paused ") and pause.endswith(" ms")
    assert following.startswith(f"next:  ouro why {file}")
    assert complete(file) and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert it.end() == (0, "")


def test_as_json(program, tmp_path):
    it = program().expect("ready")
    done = it.ask("snap", "--json", "-o", tmp_path / "a.snap")
    told = json.loads(done.stdout)
    assert (told["pid"], told["file"], told["mode"]) == (it.pid, str(tmp_path / "a.snap"), "fork")
    assert told["bytes"] == (tmp_path / "a.snap").stat().st_size
    assert told["objects"] > 1000 and told["references"] > 1000 and told["pause_ns"] > 0


def test_the_name_it_chooses(sockets, tmp_path):
    # GIVEN no -o THEN the file is in the current directory, named after script, process and number
    script = tmp_path / "my app.py"
    script.write_text(textwrap.dedent(WAITING))
    there = subprocess.Popen([OURO, "run", "-q", script], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=environment(OURO_DIR=sockets))
    assert there.stdout.readline() == b"ready\n"
    for number in (1, 2):
        done = ouro("snap", there.pid, cwd=tmp_path, OURO_DIR=sockets)
        assert done.returncode == 0, done
        assert complete(tmp_path / f"ouro-my_app.{there.pid}.{number}.snap")
    there.communicate()


def test_files_that_are_there_stay_unless_forced(program, tmp_path):
    # GIVEN a file of that name THEN it is refused and kept; with -f it is replaced, and whoever has
    # it open still reads the old one; where the program cannot be asked it is kept in either case
    it = program().expect("ready")
    file = tmp_path / "a.snap"
    file.write_text("mine")
    assert "is there already" in one_line(it.ask("snap", "-o", file), 1)
    assert file.read_text() == "mine"
    with open(file) as old:
        assert it.ask("snap", "-f", "-o", file).returncode == 0
        assert complete(file) and old.read() == "mine"
    it.end()
    size = file.stat().st_size
    one_line(it.ask("snap", "-f", "-o", file), 1)
    assert file.stat().st_size == size and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("arguments, says", [
    ([], "which process?"), (["x"], "is no process id"), (["1", "2"], "one process at a time"),
    (["--"], "nothing to run"), (["1", "--", "x.py"], "not both"), (["-o"], "needs a value"),
    (["--redact=1", "1"], ""), (["--redact", "--values", "1"], "give one of them"),
    (["--values", "--redact", "--", "x.py"], "give one of them"),
    (["--all", "1"], "is no option"),
])
def test_wrong_use(arguments, says):
    assert says in one_line(ouro("snap", *arguments), 2)


def test_a_directory_that_is_not_there(program, tmp_path):
    it = program().expect("ready")
    assert "cannot make" in one_line(it.ask("snap", "-o", tmp_path / "none" / "a.snap"), 1)


def test_redaction_reaches_the_writer(program, tmp_path):
    # GIVEN a dictionary with a secret as a key THEN --redact keeps it out of the file
    it = program("secrets = {'sesame ' + 'opens': [1]}\n" + textwrap.dedent(WAITING)).expect("ready")
    for options, there in ([], True), (["--redact"], False):
        assert it.ask("snap", "-f", "-o", tmp_path / "a.snap", *options).returncode == 0
        assert (b"sesame opens" in (tmp_path / "a.snap").read_bytes()) is there


SECRETS = ("text = ''.join(['open ', 'sesame']); data = bytes(range(120, 96, -2)); number = 4711 ** 4\n"
           + textwrap.dedent(WAITING))
HELD = (b"open sesame", b"xvtrpnljhfdb", str(4711 ** 4).encode())


def test_values_are_written_on_request_only(program, tmp_path):
    # GIVEN a str, bytes and an int THEN what they hold is in the file with --values and never
    # without, the command says so, and so does the file
    it = program(SECRETS).expect("ready")
    file = tmp_path / "a.snap"
    for options, there in ([], False), (["--redact"], False), (["--values"], True):
        done = it.ask("snap", "-f", "-o", file, *options)
        assert done.returncode == 0, done
        assert [secret in file.read_bytes() for secret in HELD] == [there] * 3, options
        assert ("it holds values" in done.stdout) is there
        assert ("holds values" in ouro("why", file).stdout) is there
        told = json.loads(it.ask("snap", "-f", "-o", file, "--json", *options).stdout)
        assert told["values"] is there
    found = ouro("sql", "--json", file, "SELECT value FROM object WHERE value = 'open sesame'").stdout
    assert {json.loads(line)["value"] for line in found.splitlines()} == {"open sesame"}


def test_values_of_a_program_that_ends(tmp_path):
    # GIVEN a script behind -- THEN --values reaches it; where redaction is set, too, one line says so
    script = tmp_path / "app.py"
    script.write_text("text = ''.join(['open ', 'sesame'])\n")
    for options, there in ([], False), (["--values"], True):
        done = ouro("snap", "-f", "-o", "end.snap", *options, "--", "-q", script, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (b"open sesame" in (tmp_path / "end.snap").read_bytes()) is there
    line = one_line(ouro("snap", "--values", "-o", "x.snap", "--", script, cwd=tmp_path,
                         OURO_SNAPSHOT_REDACT=1), 2)
    assert line == ("ouro: OURO_SNAPSHOT_REDACT leaves out what OURO_SNAPSHOT_VALUES writes: "
                    "set one of them")
    both = {"OURO_SNAPSHOT_REDACT": 1, "OURO_SNAPSHOT_VALUES": 1}
    assert f"ouro: {plain('-c', READ, **both).stdout.strip()}" == line
    given = ouro("run", "--snapshot-redact", "--snapshot-values", "-c", "pass")
    assert one_line(given, 2) == line


# --- Where it is hard -----------------------------------------------------------------------------


def test_a_program_that_may_write_nowhere(sockets, tmp_path):
    # GIVEN a program with a read-only root and no capabilities THEN the command's own file is
    # written to all the same
    shell = ("mount --bind $OURO_DIR $OURO_DIR && mount -o remount,bind,ro / && "
             'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"')
    it = subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", shell, "sh", OURO, "run", "-q", "--python", PYTHON, "-c",
         "import os, sys\nprint(os.getpid(), os.access('/tmp', os.W_OK), flush=True)\n"
         "sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(OURO_DIR=sockets))
    line = it.stdout.readline().split()
    if not line:
        pytest.skip("no user namespaces here: " + it.stderr.read())
    assert line[1] == "False"
    done = ouro("snap", line[0], "-o", tmp_path / "a.snap", OURO_DIR=sockets)
    assert done.returncode == 0, done
    assert complete(tmp_path / "a.snap")
    it.communicate()


def test_a_program_stuck_in_c(program, tmp_path):
    # GIVEN one call of C that keeps the GIL for long THEN one line says so after some seconds, no
    # file is left, and later the program can be asked
    it = program("""
        import ctypes, sys
        print("ready", flush=True)
        ctypes.PyDLL(None).sleep(8)
        print("over", flush=True)
        sys.stdin.read()""").expect("ready")
    time.sleep(0.2)
    began = time.monotonic()
    line = one_line(it.ask("snap", "-o", tmp_path / "a.snap"), 1)
    assert "has not run Python code for 5 s" in line and time.monotonic() - began < 8
    assert not list(tmp_path.iterdir())
    it.expect("over")
    assert it.ask("snap", "-o", tmp_path / "a.snap").returncode == 0
    assert complete(tmp_path / "a.snap")


def test_a_writer_that_is_killed(program, tmp_path):
    # GIVEN kill -9 of the writer THEN the command says so in one line, with status 1, and what is
    # there can be read; the program goes on
    it = program(HEAP).expect("ready")
    file = tmp_path / "a.snap"
    command = subprocess.Popen([OURO, "snap", str(it.pid), "-o", file], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment(OURO_DIR=it.directory))
    until(lambda: file.exists() and file.stat().st_size > 1000)
    writer, = children(it.pid)
    os.kill(writer, signal.SIGKILL)
    told, errors = command.communicate(timeout=60)
    assert (command.returncode, told) == (1, "")
    assert len(errors.splitlines()) == 1 and "was killed" in errors
    kinds, ended = blocks(file)
    assert kinds and not ended
    until(lambda: not children(it.pid))
    assert it.ask("snap", "-f", "-o", file).returncode == 0 and complete(file)
    assert it.end() == (0, "")


def test_many_at_once(program, tmp_path):
    # GIVEN several commands for one program THEN each gets its file
    it = program().expect("ready")
    commands = [subprocess.Popen([OURO, "snap", str(it.pid), "-o", tmp_path / f"{n}"],
                                 stdout=subprocess.DEVNULL,
                                 env=environment(OURO_DIR=it.directory)) for n in range(8)]
    assert [command.wait(timeout=60) for command in commands] == [0] * 8
    assert all(complete(tmp_path / f"{n}") for n in range(8))


# --- The channel ----------------------------------------------------------------------------------


def passing(it, request, descriptors):
    """The answer to a request with these descriptors."""
    with it.connect() as client:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        client.sendmsg([request], rights if descriptors else [])
        answer = b""
        while got := client.recv(65536):
            answer += got
    return answer.decode()


def descriptors_of(it):
    return len(os.listdir(f"/proc/{it.pid}/fd"))


def test_descriptors_that_are_wrong(program, tmp_path):
    # GIVEN too few, too many, no file, no pipe THEN each is refused by name, nothing stays open
    # and the program answers on
    it = program().expect("ready")
    open_before = descriptors_of(it)
    there, here = os.pipe()
    file = os.open(tmp_path / "a.snap", os.O_RDWR | os.O_CREAT)
    reading = os.open(tmp_path / "a.snap", os.O_RDONLY)
    folder = os.open(tmp_path, os.O_RDONLY)
    for given, says in (([], "lacks its descriptors"), ([file], "lacks its descriptors"),
                        ([file, here, here], "too many"), ([file] * 20, "too many"),
                        ([here, file], "no file to write to"), ([folder, here], "no file"),
                        ([reading, here], "no file"), ([file, file], "no pipe")):
        answer = passing(it, b"snapshot\n", given)
        assert answer.startswith("ouro 1 error ") and says in answer, (given, answer)
    assert "too many" in passing(it, b"ledger\n", [file])
    assert "unknown request" in passing(it, b"snapshot now\n", [file, here])
    assert "unknown request" in passing(it, b"snapshots\n", [file, here])
    assert os.fstat(file).st_size == 0
    assert passing(it, b"snapshot\n", [file, here]).startswith("ouro 1 ok\n")
    assert os.read(there, 4) == b"\0\0\0\0" and complete(tmp_path / "a.snap")
    os.close(here)
    assert os.read(there, 1) == b""  # nobody but the writer had it
    until(lambda: descriptors_of(it) == open_before)


def test_clients_that_go_away(program, tmp_path):
    # GIVEN clients that leave before the answer, in the middle of a request, and after their pipe
    # THEN the program answers the next one and keeps no descriptor
    it = program().expect("ready")
    open_before = descriptors_of(it)
    for request in (b"snapshot\n", b"snaps", b""):
        there, here = os.pipe()
        with open(tmp_path / "gone", "w") as file, it.connect() as client:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno(), here]))]
            client.sendmsg([request or b"\n"], rights)
        os.close(there)
        os.close(here)
    assert it.ask("snap", "-o", tmp_path / "a.snap").returncode == 0
    assert complete(tmp_path / "a.snap")
    until(lambda: descriptors_of(it) == open_before and not children(it.pid))
    assert it.end() == (0, "")


# --- A command ------------------------------------------------------------------------------------


def test_a_program_of_its_own(tmp_path):
    # GIVEN a script behind -- THEN it runs as with `ouro run`, and its end is written
    script = tmp_path / "app.py"
    script.write_text("import os, sys\nos.chdir('/')\nprint(sys.argv[1:])\nsys.exit(4)\n")
    done = ouro("snap", "-o", "end.snap", "--", "-q", "--limit", "1G", script, "-x", "--", "y",
                cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (4, "['-x', '--', 'y']\n", "")
    assert complete(tmp_path / "end.snap")
    told = ouro("snap", "-f", "-o", "end.snap", "--", script, cwd=tmp_path)
    assert told.returncode == 4 and "ouro why" in told.stderr
    assert "is there already" in one_line(ouro("snap", "-o", "end.snap", "--", script,
                                               cwd=tmp_path), 1)


# --- Settings -------------------------------------------------------------------------------------

READ = """
from ouro import _options
try:
    print(_options.occasions())
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("variable, option, values", [
    ("OURO_ON_LIMIT", "--on-limit", "90% 0.9 1 100% 0.5% 101% 2 much 1e1 -1"),
    ("OURO_SNAPSHOT_SIGNAL", "--snapshot-signal", "USR1 sigusr2 usr2 SIGQUIT KILL 12 SIG"),
    ("OURO_ON_MEMORY_ERROR", "", "0 1 yes"),
    ("OURO_SNAPSHOT_REDACT", "", "0 1 2"),
    ("OURO_SNAPSHOT_VALUES", "", "0 1 yes"),
])
def test_both_readers_agree(variable, option, values):
    # GIVEN one text in a variable or as an option WHEN `ouro run` and ouro.install() read it
    # THEN both take it, or complain in the same words
    for value in values.split(" "):
        read = plain("-c", READ, **{variable: value}).stdout.strip()
        run = ouro("run", "-q", "-c", "pass", **{variable: value})
        if not read.startswith("{"):
            assert one_line(run, 2) == f"ouro: {read}"
        else:
            assert run.returncode == 0, run
        if option:
            given = ouro("run", "-q", f"{option}={value}", "-c", "pass")
            assert given.returncode == run.returncode
            assert run.returncode == 0 or one_line(given, 2).startswith(f"ouro: {option} '{value}'")


def test_a_directory_that_is_none():
    assert "is no directory" in one_line(ouro("run", "--snapshot-dir", "/none", "-c", "pass"), 2)
