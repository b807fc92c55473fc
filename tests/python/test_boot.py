# SPDX-License-Identifier: MIT
"""What `ouro run` does inside the interpreter: everything the program can see stays as on stock."""

import pytest
from interpreter import PYTHON, environment, run, start

LOOK = """
import signal, sys, warnings, threading
print(sys.argv, sys.orig_argv[1:], sys.path, sys.flags, sys.warnoptions, warnings.filters)
print(__name__, sorted(vars(sys.modules["__main__"])), sys.excepthook is sys.__excepthook__)
print([signal.getsignal(number) for number in range(1, 32)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(sys.gettrace(), sys.getprofile(), sys.getrecursionlimit(), sys.getswitchinterval())
print(threading.active_count(), sorted(vars(sys)))
import gc
print(gc.isenabled(), gc.get_threshold(), gc.get_debug())
"""


@pytest.mark.parametrize("options", [[], ["-I"], ["-O", "-W", "error"], ["-X", "dev", "-u"]])
def test_the_program_sees_what_it_sees_on_stock(options):
    stock, ouro = run(LOOK, *options, ouro=None), run(LOOK, *options)
    assert ouro == stock


def test_without_a_site_there_is_no_ouro():
    code = "import sys; print('ouro' in sys.modules)"
    assert run(code, "-S") == run(code, ouro=None) == "False\n"


BAD = [
    ("colour=red", "OURO_RUN: unknown option 'colour=red'"),
    ("limit=1G", "OURO_RUN: unknown option 'limit=1G'"),
    ("hardened=yes", "OURO_RUN: unknown option 'hardened=yes'"),
    ("huge=on", "huge must be 'auto', 'off' or 'always'"),
    ("decay=99999999999", "decay must be an int"),
]


@pytest.mark.parametrize(("ouro", "message"), BAD)
def test_bad_options_end_the_process_of_ouro_run_in_one_line(ouro, message):
    # GIVEN options that make no sense WHEN `ouro run` becomes the interpreter THEN one line
    # and status 2
    done = start(["-c", "print('ran')"], ouro=ouro)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ouro: ") and message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("ouro", [ouro for ouro, _ in BAD])
def test_bad_options_leave_child_interpreters_as_stock(ouro):
    import subprocess

    settings = environment(ouro, OURO_RUN_PID="1")
    done = subprocess.run([PYTHON, "-c", "import ouro; print(ouro.installed())"], env=settings,
                          text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_sizes_and_flags_reach_the_heap():
    out = run("""
        import ouro
        ouro.install(limit=5 * 10**8, keep=4096, decay=10, huge="off", hardened=True, channel=False)
        print("same")
    """, ouro="limit=500000000,keep=4096,decay=10,huge=off,hardened=1")
    assert out == "same\n"


@pytest.mark.parametrize("ending", [
    "raise SystemExit(7)", "1 / 0", "import os; os.kill(os.getpid(), 15)", "import os; os._exit(9)",
    "raise KeyboardInterrupt"])
def test_the_program_ends_as_on_stock(ending):
    stock, ouro = start(["-c", ending], ouro=None), start(["-c", ending])
    assert ouro.returncode == stock.returncode
    assert (ouro.stdout, ouro.stderr) == (stock.stdout, stock.stderr)
