# SPDX-License-Identifier: MIT
"""The end screen of `ouro run`, and that it changes nothing. SEMANTICS M1, M3, M6, P6, C4."""

import os
import pty
import re
import signal
import subprocess
import textwrap

import pytest
from interpreter import PYTHON, environment, start

SHELL = ["sh", "-c", 'OURO_RUN_PID=$$; export OURO_RUN_PID; exec "$@"', "sh", PYTHON]


def finish(code, *arguments, ouro="quiet=0", **settings):
    """The finished process of a snippet run with the screen."""
    return start([*arguments, "-c", textwrap.dedent(code)], ouro=ouro, **settings)


def shown(code, **settings):
    """The screen's lines; the snippet must end with status 0 and write nothing to stderr itself."""
    done = finish(code, **settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("--- ouro: "), done.stderr
    return done.stderr.splitlines()


# --- What it says ---------------------------------------------------------------------------------


def test_it_fits_a_terminal():
    lines = shown(
        "class " + "Long" * 30 + ": pass\nkeep = [" + "Long" * 30 + "() for _ in range(9_000)]"
    )
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_p6_the_rows_add_up():
    # GIVEN any program WHEN it ends THEN the printed rows sum to the printed resident size, to the
    # digit
    lines = shown("keep = [[str(i)] for i in range(50_000)]; del keep[::3]")
    column = [re.search(r"(\d+\.\d)$", line) for line in lines[4:16]]
    total, *rows = [round(float(found[1]) * 10) for found in column]
    assert lines[4].split()[-3:-1] == ["resident,", "MiB"]
    assert lines[15].split()[-3:-1] == ["not", "attributed"]
    assert total == sum(rows)


def test_m3_types_with_the_most_bytes():
    lines = shown("""
        class Order: __slots__ = ("a", "b")
        keep = [Order() for _ in range(70_000)]
    """)
    row = next(line for line in lines if line.startswith("__main__.Order"))
    assert row.split()[1] == "70,000"
    assert len(lines[5:15]) == 10 and lines[15].startswith("all types")


def test_m1_growth_and_peak():
    # GIVEN a program that took 200 MB and keeps 50 WHEN it ends THEN peak and growth say so
    lines = shown(
        "keep = bytearray(b'x') * 50_000_000; more = bytearray(b'x') * 150_000_000; del more"
    )
    wanted = r"^resident +(\S+) MiB at the end \(\+(\S+) MiB since the start\), peak (\S+) MiB"
    found = re.search(wanted, lines[1])
    end, growth, peak = map(float, found.groups())
    assert growth == pytest.approx(50e6 / 2**20, abs=6)
    assert peak - end == pytest.approx(150e6 / 2**20, abs=3)


def test_given_back():
    lines = shown("""
        import ouro
        data = [str(i) for i in range(500_000)]
        del data
        ouro.give_back()
    """)
    found = re.search(r"^given back +(\S+) MiB so far", lines[2])
    assert float(found[1]) > 20


def test_collections_are_counted_and_timed():
    # GIVEN three full collections that find 400 objects each WHEN the program ends THEN the screen
    # says so
    lines = shown("""
        import gc
        class Node: pass
        gc.disable()
        gc.collect()
        for _ in range(3):
            for _ in range(400): node = Node(); node.self = node
            del node
            gc.collect()
        gc.enable()
    """)
    row = next(line for line in lines if line.startswith("generation 2")).split()
    assert int(row[2]) >= 4
    assert 1_200 <= int(row[-1].replace(",", "")) <= 4_000
    assert row[4] in ("us", "ms", "s") and float(row[3]) > 0


def test_c4_a_collector_left_off_is_said():
    assert any("collector left off" in line for line in shown("import gc; gc.disable()"))
    assert not any("left off" in line for line in shown("import gc; gc.disable(); gc.enable()"))


def test_the_next_command():
    assert "ouro why PID" in shown("pass")[-1]
    retained = """
        data = [bytes(2_000) for _ in range(40_000)]
        data = data[::50]
    """
    assert "ouro give-back PID" in shown(retained)[-1]


@pytest.mark.parametrize(
    "arguments, name",
    [
        (["-c", "pass"], "-c"),
        (["-m", "this"], "-m this"),
        (["-W", "ignore", "-X", "utf8", "-I", "-c", "pass"], "-c"),
    ],
)
def test_the_program_s_name(arguments, name):
    assert start(arguments, ouro="quiet=0").stderr.startswith(f"--- ouro: {name} ---")


def test_names_cannot_write_to_the_terminal():
    lines = shown(r"""
        Evil = type("\x1b[2J\nEvil\u202e", (), {"__slots__": ()})
        keep = [Evil() for _ in range(90_000)]
    """)
    assert any("?[2J?Evil?" in line for line in lines)


# --- What it leaves alone -------------------------------------------------------------------------

ENDS = {
    "falls off": ("print('out')", 0),
    "exit": ("import sys; print('out'); sys.exit(3)", 3),
    "exit with text": ("print('out'); raise SystemExit('text')", 1),
    "exception": ("print('out'); 1 / 0", 1),
    "interrupt": ("import os, signal; print('out'); os.kill(os.getpid(), 2)", -signal.SIGINT),
    "exception in atexit": ("import atexit; atexit.register(lambda: 1 / 0); print('out')", 0),
    "thread": ("from threading import *; t = Thread(target=lambda: 1 / 0); t.start(); t.join()", 0),
    "daemon": (
        "import threading, time; threading.Thread(target=time.sleep, args=(9,), "
        "daemon=True).start()",
        0,
    ),
    "no stderr object": ("import sys; sys.stderr = sys.__stderr__ = None; print('out')", 0),
    "broken stderr object": ("import sys; sys.stderr = sys.__stderr__ = 7; print('out')", 120),
    "tracing": ("import sys; sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)", 0),
    "hostile builtins": (
        "import builtins\nfor n in ('len', 'sum', 'zip', 'sorted', 'open'):\n"
        "    setattr(builtins, n, None)",
        0,
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_end_is_the_program_s(name):
    # GIVEN a program that ends in some way WHEN it runs with the screen THEN its status, its output
    # and its messages are those of stock, and the screen comes behind them if at all
    code, status = ENDS[name]
    stock, ours = start(["-c", code], ouro=None), finish(code)
    before, mark, _ = ours.stderr.partition("--- ouro: ")
    assert (
        (ours.returncode, ours.stdout) == (status, stock.stdout) == (stock.returncode, stock.stdout)
    )
    assert re.sub("0x[0-9a-f]+", "0x", before) == re.sub("0x[0-9a-f]+", "0x", stock.stderr)
    assert mark or name in ("hostile builtins",)


def test_after_the_program_s_own_atexit_functions():
    done = finish("""
        import atexit, os
        atexit.register(os.write, 2, b"mine\\n")
        atexit.register(os.write, 2, b"first\\n")
    """)
    assert done.stderr.startswith("first\nmine\n--- ouro: ")


@pytest.mark.parametrize(
    "code, status",
    [
        ("import os; os._exit(5)", 5),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.execv('/bin/true', ['true'])", 0),
    ],
)
def test_no_screen_where_python_does_not_end(code, status):
    done = finish(code)
    assert (done.returncode, done.stderr) == (status, "")


def test_quiet():
    assert finish("pass", ouro="quiet=1").stderr == ""


def test_children_are_silent():
    # GIVEN children that end as Python does, by fork and as new interpreters WHEN all end THEN
    # there is one screen, the parent's
    done = finish("""
        import os, subprocess, sys
        if os.fork() == 0: sys.exit(0)
        os.wait()
        subprocess.check_call([sys.executable, "-c", "pass"])
    """)
    assert done.returncode == 0
    assert done.stderr.count("--- ouro: ") == 1


def test_a_file_in_stderr_s_place_is_not_written_to(tmp_path):
    # GIVEN a program that closes fd 2 and gets it again for a file of its own WHEN it ends THEN the
    # file holds what the program wrote
    file = tmp_path / "data"
    done = finish(f"""
        import os
        os.close(2)
        assert os.open({str(file)!r}, os.O_WRONLY | os.O_CREAT) == 2
        os.write(2, b"data")
    """)
    assert (done.returncode, done.stderr, file.read_bytes()) == (0, "", b"data")


@pytest.mark.parametrize("redirection", ["2>&-", "2</dev/null", "2>/dev/full"])
def test_an_unusable_stderr_changes_nothing(redirection):
    shell = f'OURO_RUN_PID=$$; export OURO_RUN_PID; exec "$@" {redirection}'
    command = ["sh", "-c", shell, "sh", PYTHON, "-c", "print('out')"]
    done = subprocess.run(
        command, env=environment("channel=0"), text=True, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "out\n")


def test_a_reader_that_went_away_changes_nothing():
    code = "import sys; sys.stdin.read(); sys.exit(4)"
    process = subprocess.Popen(
        [*SHELL, "-c", code],
        env=environment("channel=0"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stderr.close()
    process.stdin.close()
    assert process.wait(60) == 4


def on_terminal(**more):
    """What a terminal gets to see of an empty program."""
    parent, child = pty.openpty()
    settings = {**environment("channel=0"), "TERM": "xterm", **more}
    settings = {k: v for k, v in settings.items() if v is not None}
    process = subprocess.Popen([*SHELL, "-c", "pass"], env=settings, stderr=child)
    os.close(child)
    seen = b""
    try:
        while piece := os.read(parent, 4096):
            seen += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(parent)
    assert process.wait(60) == 0
    return seen


def test_colours_only_where_wanted():
    assert b"\x1b[" in on_terminal(NO_COLOR=None)
    assert b"\x1b[" not in on_terminal(NO_COLOR="1")
    assert b"\x1b[" not in on_terminal(NO_COLOR=None, TERM="dumb")
    assert "\x1b" not in finish("pass").stderr
