# SPDX-License-Identifier: MIT
"""`ouro run`: the program cannot tell it from plain python3, but for where its memory is."""

import os
import pathlib
import re
import signal
import subprocess

import pytest
from programs import OURO, PYTHON, environment, one_line, ouro, plain

SHOW = """
import os, sys
print(__name__, sys.argv, sys.path[0], sys.flags, sys.warnoptions, sys.executable, sys.stdin.isatty())
print(sys.stdin.read())
print(__file__, sorted(vars()), file=sys.stderr)
"""

PROGRAMS = {
    "output": (SHOW, 0),
    "status": ("import sys; sys.exit(37)", 37),
    "message": ("raise SystemExit('over')", 1),
    "exception": ("def f(n): return 1 / n\nf(0)", 1),
    "syntax": ("def f(:\n", 1),
    "nested": ("try:\n  {}['a']\nexcept KeyError as e:\n  raise ValueError('b') from e", 1),
    "hard exit": ("import os; os._exit(9)", 9),
    "interrupt": ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    "terminated": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    "aborted": ("import os; os.abort()", -signal.SIGABRT),
    "atexit": ("import atexit; atexit.register(print, 'last')", 0),
    "unraisable": ("class A:\n  def __del__(self): 1 / 0\na = A()", 0),
    "handlers": ("import signal; print([signal.getsignal(s) for s in signal.valid_signals()])", 0),
    "mask": ("import signal; print(signal.pthread_sigmask(0, []))", 0),
    "threads": ("import threading as t; print([x.name for x in t.enumerate()], t.active_count())", 0),
    "descriptors": ("import os; print([os.open('/dev/null', 0) for _ in range(4)])", 0),
    "umask": ("import os; print(oct(os.umask(0)))", 0),
}


def told(done):
    """Status and output; addresses differ from run to run."""
    return done.returncode, done.stdout, re.sub("0x[0-9a-f]+", "ADDRESS", done.stderr)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_as_under_plain_python(name, tmp_path):
    # GIVEN a script WHEN it runs under ouro run and under python3
    # THEN status, stdout and stderr are the same to the byte
    code, status = PROGRAMS[name]
    script = tmp_path / "script.py"
    script.write_text(code)
    arguments = [script, "--limit", "-x", "--", "a b", ""]
    on_ouro = ouro("run", "--quiet", *arguments, input="line 1\nline 2")
    stock = plain(*arguments, input="line 1\nline 2")
    assert stock.returncode == status
    assert told(on_ouro) == told(stock)


@pytest.mark.parametrize("arguments", [
    ["-c", "import sys; print(__name__, sys.argv, sys.path[:1])", "-q", "x"],
    ["-mplatform", "--help"],
    ["-m", "json.tool", "--indent", "2"],
    ["-", "one", "two"],
    ["-m", "no_such_module_at_all"],
])
def test_every_way_to_name_a_program(arguments):
    # GIVEN code, modules and stdin as programs THEN they run as under plain Python
    text = "print(7)" if arguments[0] == "-" else "[1, 2]"
    assert told(ouro("run", "-q", *arguments, input=text)) == told(plain(*arguments, input=text))


def test_a_folder_with_a_main_runs(tmp_path):
    tmp_path.joinpath("__main__.py").write_text("import sys; print(sys.argv, __name__)")
    assert ouro("run", "-q", tmp_path, "x").stdout == plain(tmp_path, "x").stdout != ""


def test_signals_reach_the_program():
    # GIVEN a program that handles SIGTERM WHEN the process started as ouro gets it
    # THEN the program's handler runs: they are one process
    code = ("import signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
            "print('ready', flush=True)\ntime.sleep(60)")
    with subprocess.Popen([OURO, "run", "-q", "-c", code], stdout=subprocess.PIPE, text=True,
                          env=environment()) as process:
        assert process.stdout.readline() == "ready\n"
        assert pathlib.Path(f"/proc/{process.pid}/exe").resolve().name.startswith("python")
        process.terminate()
        assert process.wait(30) == 5


def test_the_program_and_its_children_run_on_ouro():
    # GIVEN a program that starts interpreters by subprocess WHEN it runs under ouro run
    # THEN all of them are on Ouro, and only the first reports at its end
    code = ("import ouro, subprocess, sys\nassert ouro.installed()\n"
            "subprocess.run([sys.executable, '-c', 'import ouro; print(ouro.installed())'], check=True)")
    done = ouro("run", "-c", code)
    assert (done.returncode, done.stdout) == (0, "True\n"), done
    assert done.stderr.count("resident") >= 1
    assert done.stderr.count("--- ouro") == 1, done.stderr


def test_quiet_says_nothing():
    done = ouro("run", "--quiet", "-c", "print(1)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_options_reach_the_interpreter():
    # GIVEN all options at once THEN OURO_RUN has them in order, sizes in bytes
    done = ouro("run", "-q", "--limit", "1.5G", "--keep=0", "--decay", "100", "--huge", "off",
                "--hardened", "--no-channel", "--pause", "1.5ms", "--garbage-limit", "33%",
                "-c", "import os; print(os.environ['OURO_RUN'])")
    assert done.stdout == ("quiet=1,limit=1610612736,keep=0,decay=100,huge=off,hardened=1,"
                           "channel=0,pause_us=1500,garbage_permille=330\n"), done


def test_a_limit_is_a_memory_error():
    code = "try:\n  [str(i) for i in range(10**6)]\nexcept MemoryError:\n  print('refused')"
    assert ouro("run", "-q", "--limit", "20M", "-c", code).stdout == "refused\n"


def test_exec_of_itself_keeps_the_channel_name(tmp_path):
    # GIVEN a program that replaces itself by another interpreter, as reloaders do
    # THEN the new one runs on Ouro, without a word about the socket of the old one
    script = tmp_path / "again.py"
    script.write_text("import os, sys, ouro\nassert ouro.installed()\nif len(sys.argv) == 1:\n"
                      "    os.execv(sys.executable, [sys.executable, __file__, 'again'])\nprint('again')")
    done = ouro("run", "-q", script, OURO_DIR=tmp_path / "sockets")
    assert (done.returncode, done.stdout, done.stderr) == (0, "again\n", "")


# --- Settings in the environment -----------------------------------------------------------------

SHOW_RUN = "import os; print(os.environ['OURO_RUN'])"
READ = """
import sys
from ouro import _options
try:
    print(_options.from_environment(sys.argv[1:]))
except ValueError as error:
    print(error)
"""


def test_settings_in_the_environment():
    # GIVEN all settings as variables, some as options too THEN the options win, the others are kept
    variables = {"OURO_PAUSE": "2ms", "OURO_GARBAGE_LIMIT": "0.5", "OURO_LIMIT": "1.5G",
                 "OURO_KEEP": "0", "OURO_DECAY": "100", "OURO_HUGE": "off", "OURO_HARDENED": "1"}
    done = ouro("run", "-q", "--pause", "500us", "--keep=1K", "-c", SHOW_RUN, **variables)
    assert (done.stdout, done.stderr) == (
        "quiet=1,pause_us=500,keep=1024,limit=1610612736,decay=100,huge=off,hardened=1,"
        "garbage_permille=500\n", "")


def test_what_is_empty_is_not_set():
    # GIVEN an empty variable, and a garbage limit for a program without pauses THEN neither counts
    done = ouro("run", "-q", "-c", SHOW_RUN, OURO_LIMIT="", OURO_GARBAGE_LIMIT="30%")
    assert (done.stdout, done.stderr) == ("quiet=1\n", "")


def test_a_wrong_option_is_named_before_a_wrong_variable():
    assert "--decay 'x'" in one_line(ouro("run", "--decay", "x", "x.py", OURO_LIMIT="y"), 2)


@pytest.mark.parametrize("variable, keyword, key, values", [
    ("OURO_LIMIT", "limit", "limit",
     "64m 512M 1.5G 99999.5kib 3.25MB 2T 0 -1 1e3 5X 1.G .5G 1..5 99999999999999999999"),
    ("OURO_KEEP", "keep", "keep", "0 1K 1b 9223372036854775807 9223372036854775808 much"),
    ("OURO_DECAY", "decay", "decay", "0 250 86400000 86400001 1.5 -1 1s"),
    ("OURO_HUGE", "huge", "huge", "auto off always Auto"),
    ("OURO_HARDENED", "hardened", "hardened", "0 1 yes 2"),
    ("OURO_PAUSE", "pause_ms", "pause_us",
     "1ms 1 0.5 250us 1s 10s 10.1s 0 0.0004 0.0005 .5 1. 1..2 fast 1m -1 nan 1e1 99999999999999999 1.0005"),
    ("OURO_GARBAGE_LIMIT", "garbage_limit", "garbage_permille",
     "25% 0.25 1 1% 400% 4 4.1 0.9% 0 25 % half -1% 33.35% 1e1"),
])
def test_both_readers_agree(variable, keyword, key, values):
    # GIVEN one text in a variable WHEN `ouro run` and ouro.install() read it
    # THEN they take it for the same value or complain in the same words
    rest = {"OURO_PAUSE": "1ms"} if key == "garbage_permille" else {}
    for value in values.split(" "):
        setting = {**rest, variable: value}
        run = ouro("run", "-q", "-c", SHOW_RUN, **setting)
        read = plain("-c", READ, "pause_ms" if rest else "", **setting).stdout.strip()
        if run.returncode:
            assert one_line(run, 2) == f"ouro: {read}"
            continue
        given = dict(item.split("=") for item in run.stdout.strip().split(","))[key]
        thousandths = key in ("pause_us", "garbage_permille")
        wanted = given if key == "huge" else int(given) / 1000 if thousandths else int(given)
        assert eval(read) == {keyword: wanted}, (value, run.stdout, read)


def test_keywords_beat_variables():
    assert plain("-c", READ, "limit", OURO_LIMIT="nonsense", OURO_KEEP="1").stdout == "{'keep': 1}\n"


def test_misspelt_settings_are_named():
    # GIVEN variables that look like settings WHEN a program is run THEN each is named in a line, those
    # of Ouro's own tests and tools are not, and the program runs
    done = ouro("run", "-q", "-c", "print(1)", OURO_PUASE="1ms", OURO_COLOUR="1", OURO_SEED="1",
                OURO_TEST_ANYTHING="1", OURO_PAUSE="1ms")
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert sorted(done.stderr.splitlines()) == [
        "ouro: OURO_COLOUR is no setting of Ouro; to see them: ouro help run",
        "ouro: OURO_PUASE is no setting of Ouro; did you mean OURO_PAUSE?"]
    told = ouro("help", "run").stdout
    assert all(name in told for name in ("OURO_PAUSE", "OURO_GARBAGE_LIMIT", "OURO_LIMIT", "OURO_KEEP",
                                         "OURO_DECAY", "OURO_HUGE", "OURO_HARDENED"))


# --- Which interpreter ---------------------------------------------------------------------------


def fake_python(folder, body, name="python3"):
    """An executable that is no Python but answers the command's question as one would."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_interpreter_beside_the_command():
    # GIVEN an active environment and a PATH that lead elsewhere THEN the sibling is used
    done = ouro("run", "-q", "-c", "import sys; print(sys.executable)",
                VIRTUAL_ENV="/nonexistent", PATH="/usr/bin:/bin")
    assert done.stdout == str(pathlib.Path(OURO).with_name("python3")) + "\n"


def elsewhere(tmp_path):
    """A copy of the command without an interpreter beside it."""
    copy = tmp_path / "elsewhere" / "ouro"
    copy.parent.mkdir()
    copy.write_bytes(pathlib.Path(OURO).read_bytes())
    copy.chmod(0o755)
    return copy


def test_the_active_environment_then_the_path(tmp_path):
    # GIVEN no interpreter beside the command
    # THEN the active environment's is taken, else the first on PATH
    copy = elsewhere(tmp_path)
    active = fake_python(tmp_path / "env" / "bin", '[ "$1" = -c ] && [ "$2" = 1 ] && echo env; exit 40')
    first = fake_python(tmp_path / "path", '[ "$1" = -c ] && [ "$2" = 1 ] && echo path; exit 40')
    command = [copy, "run", "-c", "1"]
    settings = environment(VIRTUAL_ENV=active.parents[1], PATH=f"{first.parent}:/usr/bin:/bin")
    assert subprocess.run(command, env=settings, capture_output=True).stdout == b"env\n"
    del settings["VIRTUAL_ENV"]
    assert subprocess.run(command, env=settings, capture_output=True).stdout == b"path\n"
    settings["PATH"] = str(tmp_path / "nothing")
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    assert "--python PATH" in one_line(done, 1)


def test_python_names_the_interpreter(tmp_path):
    done = ouro("run", "-q", "--python", PYTHON, "-c", "import ouro; print(ouro.installed())")
    assert (done.returncode, done.stdout) == (0, "True\n"), done
    chosen = fake_python(tmp_path, 'echo "$@"; exit 40', "mine")
    assert ouro("run", "--python", chosen, "-m", "mod", "-x").stdout == "-m mod -x\n"
    by_name = ouro("run", "--python", "mine", "-m", "mod", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert by_name.stdout == "-m mod\n"


@pytest.mark.parametrize("status, words", [
    (41, "has no ouro package; run: {} -m pip install ouro"),
    (42, "ouro_boot.pth"),
    (43, "older than Python 3.10"),
    (44, "free-threaded"),
    (45, "not CPython"),
    (1, "does not work as a Python interpreter"),
])
def test_an_interpreter_that_cannot(tmp_path, status, words):
    # GIVEN an interpreter that answers the question with `status` THEN one line says what to do
    chosen = fake_python(tmp_path, f"exit {status}")
    line = one_line(ouro("run", "--python", chosen, "-c", "1"), 1)
    assert str(chosen) in line and words.format(chosen) in line


def test_a_missing_package(tmp_path):
    # GIVEN a real interpreter's environment without the package THEN the line has the pip command
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    bare = tmp_path / "bare" / "bin" / "python3"
    line = one_line(ouro("run", "--python", bare, "-c", "1", PYTHONPATH=None), 1)
    assert line == f"ouro: {bare} has no ouro package; run: {bare} -m pip install ouro"


# --- Wrong use -----------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, status, words", [
    ([], 2, "nothing to run"),
    (["no_such.py"], 2, "can't open file 'no_such.py': No such file or directory"),
    (["."], 1, "__main__.py"),
    (["-m"], 2, "-m needs a value: -m MODULE"),
    (["-c"], 2, "-c needs a value"),
    (["--limit"], 2, "--limit needs a value"),
    (["--limt", "5", "x.py"], 2, "'--limt' is no option; to see them: ouro run --help"),
    (["--limit", "much", "x.py"], 2, "--limit 'much'"),
    (["--limit", "0", "x.py"], 2, "--limit '0'"),
    (["--limit", "-5M", "x.py"], 2, "--limit '-5M'"),
    (["--limit", "99999999999999999999", "x.py"], 2, "--limit"),
    (["--keep", "1.5X", "x.py"], 2, "--keep"),
    (["--decay", "soon", "x.py"], 2, "--decay 'soon'"),
    (["--decay", "1.5", "x.py"], 2, "--decay"),
    (["--huge", "big", "x.py"], 2, "--huge 'big' is none of auto, off, always"),
    (["--hardened=1", "x.py"], 2, "--hardened"),
    (["--pause"], 2, "--pause needs a value: --pause TIME"),
    (["--pause", "fast", "x.py"], 2, "--pause 'fast' is not a time; write it like 1ms"),
    (["--pause", "-1ms", "x.py"], 2, "--pause '-1ms' is not a time; write it like 1ms"),
    (["--pause", "0", "x.py"], 2, "--pause '0' is not a time from 1us to 10s"),
    (["--pause", "10001", "x.py"], 2, "--pause '10001' is not a time from 1us to 10s"),
    (["--garbage-limit", "25", "x.py"], 2, "--garbage-limit '25' is not a share from 1% to 400%"),
    (["--garbage-limit", "half", "x.py"], 2, "is not a share; write it like 25% or 0.25"),
    (["--garbage-limit", "25%", "x.py"], 2, "add --pause 1ms"),
    (["--python", "no_such_python", "-c", "1"], 1, "no interpreter 'no_such_python'"),
    (["--python", "/", "-c", "1"], 1, "no interpreter '/'"),
])
def test_wrong_use_is_one_line(arguments, status, words, tmp_path):
    line = one_line(ouro("run", *arguments, cwd=tmp_path), status)
    assert words in line


def test_an_unreadable_script(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    script = tmp_path / "secret.py"
    script.touch(0)
    assert "Permission denied" in one_line(ouro("run", script), 2)


def test_a_missing_script_has_pythons_status():
    assert ouro("run", "no_such.py").returncode == plain("no_such.py").returncode
    assert ouro("run", "/").returncode == plain("/").returncode
