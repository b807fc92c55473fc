# SPDX-License-Identifier: MIT
"""The control channel inside the program: it must not be felt, whoever asks and whatever the program does."""

import os
import pathlib
import random
import re
import socket
import stat
import struct
import subprocess
import time

import pytest
from programs import OURO, PYTHON, ouro


def reply(client):
    text = b""
    while chunk := client.recv(65536):
        text += chunk
    return text.decode()


def request(asked, line):
    with asked.connect() as client:
        client.sendall(line)
        return reply(client)


def works(asked):
    """The channel answers, and the program still does what it is told."""
    assert request(asked, b"ping\n").startswith(f"ouro 1 ok\npid {asked.pid}\n")
    assert asked.ask("ledger").returncode == 0


# --- The protocol --------------------------------------------------------------------------------


def test_the_replies(program):
    # GIVEN a program WHEN each request is sent as it is THEN the reply has the documented form
    asked = program().expect("ready")
    assert re.fullmatch(r"ouro 1 ok\npid \d+\nversion [\d.]+\npython 3[\d.]+\n\.\n",
                        request(asked, b"ping\n"))
    row = r"(row [a-z._]+ ([a-z._]+|-) \d+ \S[^\n]*\n)+"
    memo = r"(memo [a-z._]+ (bytes|count) \d+ \S[^\n]*\n)+"
    assert re.fullmatch(rf"ouro 1 ok\n{row}{memo}\.\n", request(asked, b"ledger\n"))
    given = r"given_back\.pools \d+\ngiven_back\.system \d+\n"
    assert re.fullmatch(rf"ouro 1 ok\n{given}\.\n", request(asked, b"give_back\n"))


@pytest.mark.parametrize("line", [b"\n", b"ping \n", b"PING\n", b"ping\r\n", b"ledger\0\n", b"gcc\n",
                                  b"x" * 63 + b"\n", b"x" * 64, b"y" * 5000, b"\xff\xfe\n", b"pingledger\n"])
def test_what_it_does_not_understand(program, line):
    asked = program().expect("ready")
    assert re.fullmatch(r"ouro 1 error unknown request; this is Ouro [\d.]+\n\.\n", request(asked, line))


def test_what_follows_the_line_is_ignored(program):
    asked = program().expect("ready")
    assert request(asked, b"ping\nledger\nrubbish").startswith("ouro 1 ok\npid ")


def test_clients_of_every_kind(program):
    # GIVEN clients that send noise, vanish, half-close, cut lines or come many at a time
    # THEN the program neither notices nor stops answering
    asked = program(COUNTING).expect("ready")
    seed = int(os.environ.get("OURO_SEED", random.SystemRandom().randrange(2**32)))
    print(f"OURO_SEED={seed}")
    dice = random.Random(seed)
    words = [b"ping\n", b"ledger\n", b"gc\n", b"give_back\n", b"led", b"\n", b"", b"\0" * 64]
    waiting = []
    for _ in range(300):
        client = asked.connect()
        noise = bytes(dice.randrange(256) for _ in range(dice.randrange(200)))
        client.settimeout(1)
        try:
            client.sendall(dice.choice([*words, noise]))
            match dice.randrange(5):
                case 0:
                    client.shutdown(socket.SHUT_WR)
                case 1:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                case 2:
                    client.sendall(noise)
                case 3 if len(waiting) < 3:
                    waiting.append(client)
                    continue
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        client.close()
    for client in waiting:
        client.close()
    works(asked)
    asked.say("count")
    asked.expect("counted")
    assert asked.end() == (0, "")


COUNTING = """
    import sys, threading
    assert threading.active_count() == 1
    print("ready", flush=True)
    for line in sys.stdin:
        assert sum(len(str(i)) for i in range(100_000)) == 488_890
        print("counted", flush=True)
"""


def test_a_slow_client_is_let_go(program):
    # GIVEN a client that asks one letter at a time and one that never reads
    # THEN the next one is answered within a few seconds
    asked = program().expect("ready")
    with asked.connect() as silent, asked.connect() as slow:
        slow.sendall(b"p")
        began = time.monotonic()
        works(asked)
        assert time.monotonic() - began < 15
        assert silent.recv(10) == b""


def test_many_clients_at_once(program):
    asked = program().expect("ready")
    commands = [subprocess.Popen([OURO, "ledger", str(asked.pid)], stdout=subprocess.PIPE,
                                 env={**os.environ, "OURO_DIR": str(asked.directory)})
                for _ in range(12)]
    assert all(b"not attributed" in each.communicate(timeout=60)[0] for each in commands)


# --- The program's side --------------------------------------------------------------------------


def test_a_program_stuck_in_c_answers(program):
    # GIVEN a program that holds the GIL in one long C call WHEN it is asked
    # THEN the ledger comes at once, and giving back says that it will be done later
    asked = program("""
        import ctypes
        print("ready", flush=True)
        ctypes.PyDLL(None).sleep(9)
        print("free", flush=True)
        input()
    """).expect("ready")
    began = time.monotonic()
    assert asked.ask("ledger").returncode == 0
    assert "busy in one long call" in asked.ask("give-back").stderr
    assert time.monotonic() - began < 8
    asked.expect("free")
    assert asked.ask("give-back").returncode == 0


def test_the_socket_is_private(program, sockets):
    # GIVEN a place that does not exist yet THEN it is made for the user alone, also under umask 0
    asked = program(directory=sockets / "new", umask=0).expect("ready")
    assert stat.S_IMODE(asked.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(asked.socket.stat().st_mode) == 0o600


def test_the_socket_goes_with_the_program(program):
    for code in ["raise SystemExit(3)", "1 / 0", "import threading; threading.Thread(target=print).start()"]:
        asked = program(code)
        asked.process.wait(30)
        assert not asked.socket.exists()


def test_a_dead_programs_socket_is_removed_by_the_next(program):
    # GIVEN a program that was killed WHEN the next one starts THEN the socket left behind is gone
    killed = program().expect("ready")
    killed.process.kill()
    killed.process.wait()
    assert killed.socket.exists()
    program().expect("ready")
    assert not killed.socket.exists()


def test_a_socket_left_under_the_own_number(program, sockets):
    # GIVEN a program that becomes another by exec, its socket still there
    # THEN the new one answers under the same name
    asked = program("""
        import os, sys
        os.execv(sys.executable, [sys.executable, "-c", "print('again', flush=True); input()"])
    """).expect("again")
    works(asked)


def place(sockets, kind):
    """An unusable OURO_DIR and what is said of it."""
    path = sockets / "place"
    if kind == "open to all":
        path.mkdir()
        path.chmod(0o755)
        return path, "is open to other users"
    if kind == "a link":
        (sockets / "real").mkdir(mode=0o700)
        path.symlink_to("real")
        return path, "is no directory of its own"
    if kind == "a file":
        path.touch()
        return path, "is no directory of its own"
    if kind == "nowhere":
        return path / "deeper", "No such file or directory"
    if kind == "another's":
        path.mkdir(mode=0o700)
        os.chown(path, 65534, 65534)
        return path, "belongs to another user"
    return pathlib.Path("/" + "x" * 600), "too long"


@pytest.mark.parametrize("kind", ["open to all", "a link", "a file", "nowhere", "another's", "long"])
def test_an_unusable_directory(sockets, kind):
    # GIVEN a directory that others could reach, or none WHEN a program starts
    # THEN one line says what to do, the program runs, and memory still goes back by itself
    if kind == "another's" and os.geteuid() != 0:
        pytest.skip("needs root to give a directory away")
    path, words = place(sockets, kind)
    code = ("import subprocess, sys\nprint('runs')\n"
            "subprocess.run([sys.executable, '-c', 'print(1)'])")
    done = ouro("run", "--quiet", "-c", code, OURO_DIR=path)
    assert (done.returncode, sorted(done.stdout.split())) == (0, ["1", "runs"])
    line, = done.stderr.splitlines()
    assert line.startswith("ouro: no control channel") and words in line and "set OURO_DIR" in line


def test_an_unusable_runtime_directory_is_passed_over(program, sockets):
    # GIVEN an XDG_RUNTIME_DIR that is not there THEN the place in /tmp is taken, without a word
    asked = program(directory="", XDG_RUNTIME_DIR=sockets / "none").expect("ready")
    assert ouro("ledger", asked.pid).returncode == 0
    assert asked.end() == (0, "")


def test_a_directory_longer_than_a_socket_address(program, sockets):
    deep = sockets / ("d" * 200)
    asked = program(directory=deep).expect("ready")
    assert asked.ask("ledger").returncode == 0


def test_a_removed_directory_does_not_hold_up_the_end(program, sockets):
    # GIVEN a directory that is removed while the program runs WHEN it forks, and ends
    # THEN neither waits for long
    asked = program("""
        import os, sys
        print("ready", flush=True)
        sys.stdin.readline()
        child = os.fork()
        if child == 0:
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """, directory=sockets / "gone", PYTHONWARNINGS="ignore").expect("ready")
    asked.socket.unlink()
    asked.socket.parent.rmdir()
    began = time.monotonic()
    asked.say("fork")
    asked.expect("7")
    assert asked.end() == (0, "")
    assert time.monotonic() - began < 8


def test_a_daemon_that_closes_every_descriptor(program):
    # GIVEN a program that closes all descriptors, and opens others under the same numbers
    # THEN it is answered on a socket made anew, and its own files are left alone
    asked = program("""
        import os, sys
        print("ready", flush=True)
        os.closerange(3, 5000)
        pairs = [os.pipe() for _ in range(30)]
        for ours, _ in pairs:
            os.dup2(ours, 980 + ours)
        before = sorted(os.listdir("/proc/self/fd"))
        sys.stdin.readline()
        for a, b in pairs:
            os.write(b, b"intact")
            assert os.read(a, 100) == b"intact"
        print("intact", flush=True)
        sys.stdin.read()
    """).expect("ready")
    until = time.monotonic() + 20  # it may be in the middle of that
    while asked.ask("ledger").returncode != 0 and time.monotonic() < until:
        time.sleep(0.1)
    for _ in range(3):
        works(asked)
    asked.say("check")
    asked.expect("intact")
    assert asked.end() == (0, "")


def test_the_descriptor_is_out_of_the_way(program):
    # GIVEN a program that counts on the lowest free descriptor THEN it gets it
    asked = program("""
        import os
        print(os.open("/dev/null", 0), flush=True)
        print("ready", flush=True)
        input()
    """).expect("ready")
    assert asked.output[0] == "3"
    links = {int(n): os.readlink(f"/proc/{asked.pid}/fd/{n}") for n in os.listdir(f"/proc/{asked.pid}/fd")}
    assert [n for n, target in links.items() if target.startswith("socket:")] == [max(links)]


# --- Fork ----------------------------------------------------------------------------------------


def test_parent_and_child_answer_under_their_own_names(program):
    # GIVEN a fork THEN the parent answers without a gap, and the child a moment later
    asked = program("""
        import os, sys
        child = os.fork()
        if child == 0:
            child = os.getpid()
            print(child, flush=True)
            print("ready", flush=True)
        sys.stdin.read()
    """, PYTHONWARNINGS="error").expect("ready")
    child = int(asked.output[-2])
    works(asked)
    until = time.monotonic() + 20
    while not (path := asked.socket.with_name(f"{child}.sock")).exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    done = ouro("ledger", child, OURO_DIR=asked.directory)
    assert done.returncode == 0
    asked.end()
    until = time.monotonic() + 20
    while path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not path.exists() and not asked.socket.exists()


def test_a_short_lived_child_opens_no_channel(program, sockets):
    asked = program("""
        import os
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        print("ready", flush=True)
        input()
    """).expect("ready")
    assert [path.name for path in sockets.iterdir()] == [asked.socket.name]


def test_no_warning_of_threads_that_are_not_the_programs(program):
    # GIVEN CPython 3.12+, which warns of a fork in a process with several threads
    # WHEN a program without threads forks again and again under ouro THEN there is no warning,
    # and one with a thread of its own gets it as on stock
    asked = program("""
        import os, warnings
        warnings.simplefilter("error")
        for _ in range(50):
            child = os.fork()
            if child == 0:
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        print("ready", flush=True)
    """).expect("ready")
    assert asked.end() == (0, "")


def test_a_fork_in_a_thread(program):
    # GIVEN a program whose main thread waits WHEN another one forks THEN the channel goes on answering
    asked = program("""
        import os, threading

        def work():
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            print("ready", flush=True)

        threading.Thread(target=work).start()
        input()
    """, PYTHONWARNINGS="ignore").expect("ready")
    works(asked)


def test_a_program_that_forks_without_pause_while_being_asked(program):
    # GIVEN a program that forks without pause WHEN it is asked again and again
    # THEN every question is answered
    asked = program("""
        import os, select, sys
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
    """, PYTHONWARNINGS="error").expect("ready")
    for _ in range(20):
        assert asked.ask("ledger").returncode == 0
    assert asked.end() == (0, "")


# --- Cost and giving back ------------------------------------------------------------------------


def test_p3_an_idle_program_gives_back(program):
    # GIVEN a program that frees 50 MB and then only waits
    # THEN most of it is with the system a second and a half later, nobody having asked
    asked = program("""
        import sys
        keep = [str(i) * 10 for i in range(400_000)]
        print("ready", flush=True)
        sys.stdin.readline()
        del keep
        print("freed", flush=True)
        sys.stdin.read()
    """).expect("ready")
    full = resident(asked.pid)
    asked.say("free")
    asked.expect("freed")
    until = time.monotonic() + 10
    while resident(asked.pid) > full * 0.6 and time.monotonic() < until:
        time.sleep(0.1)
    assert resident(asked.pid) < full * 0.6


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def spent(pid):
    """Wakes of its threads, and their seconds of processor."""
    wakes = nanoseconds = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = task.joinpath("status").read_text()
        wakes += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[1])
        nanoseconds += int(task.joinpath("schedstat").read_text().split()[0])
    return wakes, nanoseconds / 1e9


def spend(seconds, *pids):
    """What each process spends in that time."""
    before = [spent(pid) for pid in pids]
    time.sleep(seconds)
    return [[last - first for first, last in zip(then, spent(pid))] for pid, then in zip(pids, before)]


def test_an_idle_program_sleeps(program):
    # GIVEN a program that waits, beside one without Ouro that wakes once a second
    # WHEN four seconds pass THEN its threads were woken about once a second and took 0.1 % of a
    # processor more than the other at most, soon if not at once: a machine charges for sleep, not evenly
    asked = program().expect("ready")
    once_a_second = "import time\nwhile True: time.sleep(1)"
    with subprocess.Popen([PYTHON, "-S", "-c", once_a_second]) as other:
        try:
            time.sleep(2)
            for _ in range(5):
                (wakes, own), (_, others) = spend(4, asked.pid, other.pid)
                if wakes <= 7 and own - others <= 0.001 * 4:
                    break
        finally:
            other.kill()
    assert wakes <= 7
    assert own - others <= 0.001 * 4
    assert asked.threads() == ["ouro", "ouro-tick", pathlib.Path(PYTHON).name]


def test_threads_that_cannot_be_started(program):
    # GIVEN a process that may have no more threads THEN one line says so, and the program runs
    code = ("import resource, sys, os, ouro\n"
            "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\nos.setuid(65534)\n"
            "ouro.install(channel=False)\nprint('runs')")
    if os.geteuid() != 0:
        pytest.skip("needs root to become a user with a limit")
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "runs\n"), done
    line, = done.stderr.splitlines()
    assert line.startswith("ouro: idle memory is not given back: cannot start a thread: ")
