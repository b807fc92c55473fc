# SPDX-License-Identifier: MIT
"""`ouro ledger`, `ouro give-back`, `ouro ps`: what a running program is asked."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from programs import OURO, environment, one_line, ouro

FULL = """
    import sys
    kept = [{"n": i, "text": "x" * (i % 90)} for i in range(200_000)]
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "drop\\n":
            del kept
        print("done", flush=True)
"""


def rows_of(answer):
    return {row["key"]: row for row in answer["rows"]}


def resident_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_p6_the_ledger_adds_up(program):
    # GIVEN a program with some memory in use WHEN it is asked
    # THEN each row is the sum of its branches, and the root is the process's resident size within 1 %
    asked = program(FULL).expect("ready")
    answer = json.loads(asked.ask("ledger", "--json").stdout)
    rows = rows_of(answer)
    branches = {}
    for row in answer["rows"]:
        branches.setdefault(row["parent"], []).append(row["bytes"])
    assert branches.pop(None) == [rows["resident"]["bytes"]]
    assert len(branches) >= 4
    for parent, parts in branches.items():
        assert rows[parent]["bytes"] == sum(parts), parent
    assert rows["resident"]["bytes"] == pytest.approx(resident_of(asked.pid), rel=0.01)
    assert rows["unknown"]["bytes"] <= 0.05 * rows["resident"]["bytes"]
    assert answer["pid"] == asked.pid


def test_m1_the_table_shows_what_the_program_holds(program):
    # GIVEN a program with 200,000 dictionaries WHEN its ledger is printed
    # THEN total first, not attributed last, one indented row per part, and the next command
    asked = program(FULL).expect("ready")
    done = asked.ask("ledger", LC_ALL="C.UTF-8")
    assert (done.returncode, done.stderr) == (0, "")
    table = done.stdout.split("\n\n")[0].splitlines()
    assert table[0].split() == ["MEMORY", "SIZE", "SHARE"]
    assert re.fullmatch(r"resident +[\d.]+ MiB 100\.0 %", table[1])
    assert re.match(r".─not attributed +[\d.]+ (B|KiB|MiB)", table[-1])
    assert any(re.match(r"├─Ouro's heap", line) for line in table)
    assert done.stdout.rstrip().splitlines()[-1].startswith(
        f"next:  ouro ledger {asked.pid} --watch ")
    assert len({len(line) for line in table}) == 1 and "\033" not in done.stdout


def test_the_table_without_utf8(program):
    asked = program().expect("ready")
    assert asked.ask("ledger", LC_ALL="C").stdout.isascii()


def test_p3_give_back_now(program):
    # GIVEN a program that keeps what it freed WHEN it is told to give back
    # THEN the command says how much went, and the process is that much smaller
    asked = program(FULL, "--keep", "1G").expect("ready")
    asked.say("drop")
    asked.expect("done")
    before = resident_of(asked.pid)
    done = asked.ask("give-back")
    assert (done.returncode, done.stderr) == (0, "")
    pools = re.search(r"([\d.]+) MiB given back from Ouro's pools", done.stdout)
    assert float(pools[1]) > 20 and "the system allocator" in done.stdout
    assert before - resident_of(asked.pid) > 0.8 * float(pools[1]) * 2**20
    assert done.stdout.rstrip().splitlines()[-1].startswith(f"next:  ouro ledger {asked.pid} ")


def test_ps_lists_the_programs(program, sockets):
    # GIVEN two programs, and one without a channel THEN ps lists the two
    first, second = program().expect("ready"), program().expect("ready")
    silent = program("import sys\nprint('ready', flush=True)\nsys.stdin.read()", "--no-channel")
    silent.expect("ready")
    done = ouro("ps", OURO_DIR=sockets)
    listed = {int(line.split()[0]): line for line in done.stdout.splitlines()[1:] if line[:1] == " "
              or line[:1].isdigit()}
    assert {first.pid, second.pid} <= set(listed) and silent.pid not in listed
    assert "sys.stdin.read()" in listed[first.pid] and "MiB" in listed[first.pid]
    assert done.stdout.rstrip().splitlines()[-1].startswith("next:  ouro ledger ")


def test_ps_without_programs(sockets):
    sockets.joinpath("123.sock").touch()  # no socket at all
    sockets.joinpath("notes").touch()
    done = ouro("ps", OURO_DIR=sockets)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith("next:  ouro ")


# --- Watching ------------------------------------------------------------------------------------


def watch(asked, *options, **popen):
    return subprocess.Popen([OURO, "ledger", str(asked.pid), "--watch=1", *options], text=True,
                            env=environment(OURO_DIR=asked.directory, LC_ALL="C.UTF-8"), **popen)


def test_watching_into_a_file(program):
    # GIVEN a watch whose output is no terminal WHEN the program ends
    # THEN there was a line per interval, and the watch ends by itself with status 0
    asked = program().expect("ready")
    with watch(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        lines = [watching.stdout.readline() for _ in range(2)]
        assert asked.end()[0] == 0
        rest, errors = watching.communicate(timeout=20)
        assert watching.returncode == 0
    for line in lines:
        assert re.match(r"\d\d:\d\d:\d\d  resident [\d.]+ MiB  heap ", line), line
    assert errors == f"ouro: process {asked.pid} has ended\n" and "\033" not in "".join(lines) + rest


def test_watching_as_json(program):
    asked = program().expect("ready")
    with watch(asked, "--json", stdout=subprocess.PIPE) as watching:
        first, second = (json.loads(watching.stdout.readline()) for _ in range(2))
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    assert 0.5 <= second["time"] - first["time"] <= 5
    assert rows_of(first).keys() == rows_of(second).keys()


def read_for(descriptor, words, timeout=20):
    text, until = "", time.monotonic() + timeout
    while words not in text and time.monotonic() < until:
        if select.select([descriptor], [], [], 0.2)[0]:
            text += os.read(descriptor, 65536).decode()
    assert words in text, text
    return text


def test_watching_on_a_terminal(program):
    # GIVEN a watch on a terminal THEN it redraws in place, shows what changed, and Ctrl-C ends it
    asked = program(FULL).expect("ready")
    ours, its = pty.openpty()
    with watch(asked, stdin=its, stdout=its, stderr=its, start_new_session=True) as watching:
        os.close(its)
        text = read_for(ours, "Ctrl-C ends")
        assert text.startswith("\033[H\033[J") and "CHANGE" not in text
        asked.say("drop")
        asked.expect("done")
        text = read_for(ours, "CHANGE") + read_for(ours, "Ctrl-C ends")
        assert re.search(r"-[\d.]+ MiB", text)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    os.close(ours)


@pytest.mark.parametrize("order", [["--watch", "3", "{}"], ["{}", "--watch", "3"], ["-w3", "{}"],
                                   ["{}", "--watch=3"]])
def test_the_interval_in_every_order(program, order):
    # GIVEN an interval longer than the default, before or after the process id THEN it is kept
    asked = program().expect("ready")
    arguments = [word.format(asked.pid) for word in order]
    with subprocess.Popen([OURO, "ledger", *arguments], stdout=subprocess.PIPE, text=True,
                          env=environment(OURO_DIR=asked.directory)) as watching:
        assert "resident" in watching.stdout.readline()
        began = time.monotonic()
        assert "resident" in watching.stdout.readline()
        assert 2.5 < time.monotonic() - began < 20
        watching.terminate()
        assert watching.wait(20) == 0


def test_a_closed_pipe_ends_the_watch(program):
    asked = program().expect("ready")
    with watch(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.wait(20) in (0, -signal.SIGPIPE) and watching.stderr.read() == ""


# --- Who cannot be asked -------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["ledger", "gc", "give-back"])
def test_wrong_process_ids(verb, sockets):
    gone = subprocess.Popen(["true"])
    gone.wait()
    for arguments, status, words in [
        ([], 2, "which process?"),
        (["abc"], 2, "'abc' is no process id"),
        (["-5"], 2, "'-5' is no option"),
        (["0"], 2, "'0' is no process id"),
        (["99999999999"], 2, "is no process id"),
        (["1", "2"], 2, "one process at a time"),
        ([gone.pid], 1, f"there is no process {gone.pid}"),
        ([os.getpid()], 1, f"process {os.getpid()} does not run on Ouro; start the program with: ouro run"),
    ]:
        line = one_line(ouro(verb, *arguments, OURO_DIR=sockets), status)
        assert words in line


def test_a_program_without_a_channel(program):
    asked = program("import sys\nprint('ready', flush=True)\nsys.stdin.read()", "--no-channel")
    asked.expect("ready")
    assert "--no-channel" in one_line(asked.ask("ledger"), 1)


def test_a_stopped_program(program):
    # GIVEN a program stopped by a signal WHEN it is asked THEN the line says how to let it go on
    asked = program().expect("ready")
    asked.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, asked.pid, os.WSTOPPED)
    assert one_line(asked.ask("ledger"), 1).endswith(f"let it go on with: kill -CONT {asked.pid}")
    assert f"{asked.pid}" in ouro("ps", OURO_DIR=asked.directory).stdout
    asked.process.send_signal(signal.SIGCONT)
    assert asked.ask("ledger").returncode == 0


def test_the_directory_of_the_program_not_of_the_shell(program, tmp_path):
    # GIVEN a program whose environment put its socket elsewhere WHEN it is asked from a shell with
    # another OURO_DIR and XDG_RUNTIME_DIR THEN it is found all the same
    asked = program().expect("ready")
    done = ouro("ledger", asked.pid, OURO_DIR=tmp_path / "other", XDG_RUNTIME_DIR=tmp_path)
    assert done.returncode == 0, done


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_users_program(program, sockets, tmp_path):
    # GIVEN root's program WHEN another user asks THEN the line says whose it is
    asked = program().expect("ready")
    command = tmp_path / "ouro"
    command.write_bytes(pathlib.Path(OURO).read_bytes())
    command.chmod(0o755)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder != pathlib.Path("/") and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run([command, "ledger", str(asked.pid)], user=65534, group=65534, text=True,
                          extra_groups=[], capture_output=True, env=environment(OURO_DIR=sockets))
    assert "belongs to user root; ask as that user or as root" in one_line(done, 1)
