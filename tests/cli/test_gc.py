# SPDX-License-Identifier: MIT
"""`ouro gc`: what a running program says of its collector."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from programs import OURO, environment, one_line, ouro

# Makes rings; each line of its input is Python to run.
RINGS = """
    import sys

    class Node:
        pass

    def rings(count, size=10):
        made = []
        for _ in range(count):
            nodes = [Node() for _ in range(size)]
            for i, node in enumerate(nodes):
                node.next = nodes[i - 1]
            made.append(nodes[0])
        return made

    kept = rings(5000)
    print("ready", flush=True)
    for line in sys.stdin:
        exec(line)
        print("done", flush=True)
"""


def account(asked, *options):
    done = asked.ask("gc", "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def tell(asked, line):
    asked.output.clear()
    asked.say(line)
    asked.expect("done")


# --- A program on Ouro's collector ---------------------------------------------------------------


def test_the_account_of_a_program(program):
    # GIVEN a program that makes rings, drops them and calls gc.collect() WHEN it is asked
    # THEN settings, counts, quantiles and histogram agree with what it did and with one another
    asked = program(RINGS, "--pause", "2ms", "--garbage-limit", "30%").expect("ready")
    tell(asked, "kept = rings(5000); import gc; gc.collect()")
    answer = account(asked)
    assert (answer["collector"], answer["budget_ns"], answer["limit_permille"]) == ("ouro", 2_000_000, 300)
    assert answer["pid"] == asked.pid and abs(answer["time"] - time.time()) < 60
    pauses = answer["pauses"]
    assert pauses["count"] >= answer["explicit"]["count"] == 1
    assert sum(bucket["count"] for bucket in answer["histogram"]) == pauses["count"]
    assert 0 < pauses["p50_ns"] <= pauses["p99_ns"] <= pauses["p999_ns"] <= pauses["longest_ns"]
    assert pauses["longest_ns"] <= pauses["total_ns"] <= answer["since_ns"]
    objects = answer["objects"]
    assert objects["found"] >= objects["freed"] >= 50_000
    assert 50_000 <= objects["old"] < 500_000 and objects["uncollectable"] == 0
    assert {row["reason"] for row in answer["escalations"]} >= {"bound", "object", "memory"}
    assert all(len(row["text"]) > 10 for row in answer["escalations"])
    tell(asked, "del kept; gc.collect()")
    after = account(asked)
    assert after["explicit"]["count"] == 2 and after["objects"]["old"] < objects["old"] - 40_000
    assert after["objects"]["found"] >= objects["found"] + 50_000


def test_the_tables_of_a_program(program):
    asked = program(RINGS, "--pause=1ms").expect("ready")
    tell(asked, "import gc; gc.collect()")
    done = asked.ask("gc", LC_ALL="C.UTF-8")
    assert (done.returncode, done.stderr) == (0, "") and "\033" not in done.stdout
    head, facts, lengths, after = done.stdout.split("\n\n")
    assert head == "Ouro's collector: slices of 1 ms, garbage at most 25 % of the live objects"
    assert re.search(r"^├─called by the program +1 .* of the time$", facts, re.M)
    assert re.search(r"^├─found unreachable +[\d,]+ *$", facts, re.M)
    assert re.search(r"^collector's tables +[\d.]+ [KM]iB *$", facts, re.M)
    assert lengths.splitlines()[0].split() == ["AT", "MOST", "PAUSES", "SHARE"]
    assert after.startswith(f"next:  ouro gc {asked.pid} --watch ")
    assert asked.ask("gc", LC_ALL="C").stdout.isascii()


def test_a_program_stuck_in_c_tells(program):
    # GIVEN a program that holds the GIL in one long C call WHEN it is asked THEN it answers at once
    asked = program("import ctypes\nprint('ready', flush=True)\nctypes.PyDLL(None).sleep(8)", "--pause=1ms")
    asked.expect("ready")
    began = time.monotonic()
    assert account(asked)["collector"] == "ouro"
    assert time.monotonic() - began < 4


def test_a_forked_child_counts_for_itself(program):
    # GIVEN a program that collected, then forked WHEN the child is asked THEN its collector is on
    # with the same settings, and its own pauses are counted from zero
    asked = program(RINGS, "--pause=1ms").expect("ready")
    tell(asked, "import gc, os, time; [gc.collect() for _ in range(5)]; "
                "print(child) if (child := os.fork()) else time.sleep(60)")
    child = int(asked.output[0])
    try:
        until = time.monotonic() + 20  # its channel opens a moment later
        while (done := ouro("gc", "--json", child, OURO_DIR=asked.directory)).returncode:
            assert time.monotonic() < until, done
            time.sleep(0.1)
        answer = json.loads(done.stdout)
        assert (answer["collector"], answer["budget_ns"]) == ("ouro", 1_000_000)
        assert answer["explicit"]["count"] == 0 and account(asked)["explicit"]["count"] == 5
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_program_on_cpythons_collector(program):
    # GIVEN a program without --pause WHEN it is asked THEN one line says how to get pauses
    asked = program().expect("ready")
    done = asked.ask("gc")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"process {asked.pid} runs on CPython's own collector; for pauses of 1 ms "
                           "start it with: ouro run --pause 1ms SCRIPT\n")
    assert asked.ask("gc", "--watch").stdout == done.stdout
    answer = account(asked)
    assert answer.keys() == {"pid", "time", "collector"} and answer["collector"] == "python"


# --- What is shown, of known answers -------------------------------------------------------------

ANSWER = """ouro 1 ok
collector ouro
budget_ns 1500000
limit_permille 250
quiet 1
since_ns 60000000000
pauses.count 1234
pauses.total_ns 1200000000
pauses.p50_ns 312500
pauses.p99_ns 1000000
pauses.p999_ns 1250000
pauses.longest_ns 90000000000
slices.count 1100
slices.total_ns 1000000000
young.count 1230
young.total_ns 1100000000
young.untimed 23450
explicit.count 4
explicit.total_ns 100000000
cycles.finished 12
cycles.running 1
cycles.phase mark
objects.examined 1234567
objects.found 23456
objects.freed 23400
objects.uncollectable 56
objects.old 1000000
objects.promoted 5000
garbage.most 12345
garbage.worst_permille 31
tables.bytes 1572864
atomic.longest_ns 1400000
atomic.phase subtract
atomic.members 2000000
atomic.type shop.Order
future.key 1
memo escalation.bound count 0 nothing to see
memo escalation.giant count 4 one tangle of garbage
bucket 7812 3
bucket 1000000 1000
bucket 1250000 100
bucket 2000000 50
bucket 9223372036854775807 81
.
"""


class Fake:
    """A channel with this process's number, and an answer of the test's choice."""

    def __init__(self, directory):
        self.directory, self.requests, self.answers = directory, [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(directory / f"{os.getpid()}.sock"))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client:
                    self.requests.append(client.recv(64))
                    client.sendall(self.answers.pop(0) if self.answers[1:] else self.answers[0])

    def ask(self, *options, answer=ANSWER, **more):
        self.answers[:] = [answer.encode()]
        return ouro("gc", os.getpid(), *options, OURO_DIR=self.directory, **more)


@pytest.fixture
def fake(sockets):
    channel = Fake(sockets)
    yield channel
    channel.listener.shutdown(socket.SHUT_RDWR)
    channel.listener.close()


def test_all_facts_in_their_places(fake):
    done = fake.ask(LC_ALL="C.UTF-8")
    assert fake.requests == [b"gc\n"] and (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == f"""\
Ouro's collector: slices of 1.5 ms, garbage at most 25 % of the live objects
quiet: no slices at this moment

COLLECTOR                       VALUE
pauses                          1,234 1.2 s, 2 % of the time
├─young collections             1,230 1.1 s, 1.8 % of the time
├─and not timed                23,450 between cycles, not among the pauses
├─called by the program             4 100 ms, 0.17 % of the time
├─half of them at most         312 us
├─99 % at most                   1 ms
├─99.9 % at most              1.25 ms
├─longest                        90 s
└─longest part in one piece    1.4 ms subtract: 2,000,000 objects, shop.Order
cycles                             12 one in progress: mark
├─slices, within the pauses     1,100 1 s, 1.7 % of the time
├─objects examined          1,234,567
├─found unreachable            23,456
├─freed                        23,400
└─uncollectable                    56
old objects                 1,000,000
├─promoted since one began      5,000
└─may be garbage, at most      12,345 1.2 %; limit 25 %, worst so far 3.1 %
collector's tables            1.5 MiB
beyond the budget                   4
└─giant                             4 one tangle of garbage

AT MOST PAUSES  SHARE
7.81 us      3 0.24 %
   1 ms  1,000   81 %
   2 ms    150   12 %
 longer     81  6.6 %

next:  ouro gc {os.getpid()} --watch   what changes""".splitlines()


def test_the_same_facts_as_json(fake):
    answer = json.loads(fake.ask("--json").stdout)
    assert answer["pauses"] == {"count": 1234, "total_ns": 1_200_000_000, "p50_ns": 312_500,
                                "p99_ns": 1_000_000, "p999_ns": 1_250_000, "longest_ns": 90_000_000_000}
    assert answer["cycles"] == {"finished": 12, "running": 1, "phase": "mark"}
    assert answer["atomic"] == {"longest_ns": 1_400_000, "phase": "subtract", "members": 2_000_000,
                                "type": "shop.Order"}
    assert answer["garbage"] == {"most": 12345, "worst_permille": 31} and answer["quiet"] == 1
    assert answer["future"] == {"key": 1}
    assert answer["histogram"][:2] == [{"most_ns": 7812, "count": 3}, {"most_ns": 1_000_000, "count": 1000}]
    assert answer["escalations"][1] == {"reason": "giant", "count": 4, "text": "one tangle of garbage"}


@pytest.mark.parametrize("of", ["1 object, deque", "1 object"])
def test_one_object_in_one_piece(fake, of):
    answer = ANSWER.replace("members 2000000", "members 0")
    answer = answer.replace("atomic.type shop.Order\n", "atomic.type deque\n" if "deque" in of else "")
    assert re.search(f"one piece +1.4 ms subtract: {of}$", fake.ask(answer=answer).stdout, re.M)


def test_facts_that_are_missing_are_left_out(fake):
    # GIVEN a version that tells less THEN what it tells is shown
    done = fake.ask(answer="ouro 1 ok\ncollector ouro\nbudget_ns 1000000\npauses.count 7\n.\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^pauses +7 ", done.stdout, re.M) and "cycles" not in done.stdout


def test_why_it_is_off(fake):
    done = fake.ask(answer="ouro 1 ok\ncollector python\nwhy gc.collect was replaced by tool.py\n.\n")
    assert (done.returncode, done.stdout) == (
        0, f"process {os.getpid()} keeps CPython's own collector: gc.collect was replaced by tool.py\n")


def test_an_older_version(fake):
    # GIVEN a program on an Ouro that does not know the request THEN one line says so
    line = one_line(fake.ask(answer="ouro 1 error unknown request; this is Ouro 0.0.9\n.\n"), 1)
    assert "is another version than this command" in line and str(os.getpid()) in line


@pytest.mark.parametrize("answer", [
    ANSWER.replace("bucket 2000000", "bucket 1000"),  # out of order
    ANSWER.replace("bucket 2000000 50", "bucket 2000000"),
    ANSWER.replace("bucket 7812 3", "bucket -1 3"),
    ANSWER.replace("shop.Order", "shop\033[2J"),
])
def test_answers_that_make_no_sense(fake, answer):
    assert "cannot read the answer" in one_line(fake.ask(answer=answer), 1)


# --- Watching ------------------------------------------------------------------------------------


def watch(fake, *options, answers, **popen):
    fake.answers[:] = [answer.encode() for answer in answers]
    return subprocess.Popen([OURO, "gc", str(os.getpid()), "--watch=1", *options], text=True,
                            env=environment(OURO_DIR=fake.directory, LC_ALL="C.UTF-8"), **popen)


def test_watching_into_a_file(fake):
    later = ANSWER.replace("1234\n", "1235\n")
    with watch(fake, answers=[ANSWER, later], stdout=subprocess.PIPE) as watching:
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.terminate()
        assert watching.wait(20) == 0
    for line, pauses in zip(lines, ("1,234", "1,235")):
        assert re.fullmatch(rf"\d\d:\d\d:\d\d  pauses {pauses}  p99 1 ms  longest 90 s  cycles 12  "
                            "found 23,456  garbage 12,345\n", line), line


def test_watching_as_json(fake):
    with watch(fake, "--json", answers=[ANSWER], stdout=subprocess.PIPE) as watching:
        both = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    assert both[0]["pauses"] == both[1]["pauses"] and both[0]["time"] < both[1]["time"]


def test_watching_on_a_terminal(fake):
    # GIVEN a watch on a terminal THEN there are bars, what changed since it began, and Ctrl-C ends it
    ours, its = pty.openpty()
    later = ANSWER.replace("count 1234", "count 2234").replace("old 1000000", "old 999000")
    with watch(fake, answers=[ANSWER, later], stdin=its, stdout=its, stderr=its) as watching:
        os.close(its)
        text, until = "", time.monotonic() + 20
        while text.count("Ctrl-C ends") < 2 and time.monotonic() < until:
            text += os.read(ours, 65536).decode()
        first, second = text.split("\033[H\033[J")[1:3]
        assert "CHANGE" not in first and first.count("█") > 32 and "█" * 32 in first
        assert re.search(r"pauses +2,234 +\+1,000 ", second)
        assert re.search(r"old objects +999,000 +-1,000", second)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    os.close(ours)
