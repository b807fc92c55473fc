# SPDX-License-Identifier: MIT
"""Ouro under CPython's own memory tools: debug hooks, PYTHONMALLOC, tracemalloc."""

import pytest
from interpreter import VERSION, fail, run

WORK = """
import json, ouro
from ouro import _ouro
data = {str(i): [i, float(i), "x" * (i % 900)] for i in range(3_000)}
assert json.loads(json.dumps(data)) == data
"""

MALLOCS = ["malloc", "pymalloc", "debug", "malloc_debug", "pymalloc_debug"]
if VERSION >= (3, 13):
    MALLOCS += ["mimalloc", "mimalloc_debug"]


@pytest.mark.parametrize("name", MALLOCS)
def test_pythonmalloc(name):
    # GIVEN any PYTHONMALLOC WHEN a program runs on Ouro THEN small objects still come from the heap
    out = run(WORK + """
print(ouro.installed(), ouro.memory()["memo.heap.live_blocks"] > 9_000, _ouro._check())
""", PYTHONMALLOC=name)
    assert out == "True True None\n"


@pytest.mark.parametrize("options", [["-X", "dev"], ["-X", "dev", "-X", "tracemalloc=4"]])
def test_development_mode(options):
    out = run(WORK + 'print(ouro.memory()["memo.heap.live_blocks"] > 9_000)', *options)
    assert out == "True\n"


def test_installed_late_under_the_debug_hooks():
    # GIVEN debug blocks from before WHEN Ouro goes in under the debug hooks THEN they are
    # freed as before
    out = run("""
        import ouro
        old = [str(i) * 3 for i in range(20_000)] + ["x" * 5_000]
        ouro.install(channel=False)
        old = [text + "!" for text in old]
        print(ouro.installed(), old[-1][-1])
    """, ouro=None, PYTHONMALLOC="debug")
    assert out == "True !\n"


def test_debug_hooks_still_find_mistakes():
    # GIVEN the debug hooks over Ouro WHEN a block is freed by the other domain, or overrun
    # THEN they say so, as on stock
    code = """
        import ctypes
        def call(name, result, *types):
            return ctypes.PYFUNCTYPE(result, *types)((name, ctypes.pythonapi))
        block = call("PyMem_Malloc", ctypes.c_void_p, ctypes.c_size_t)(40)
        {mistake}
        call("{free}", None, ctypes.c_void_p)(block)
    """
    mixed = fail(code.format(mistake="", free="PyObject_Free"), PYTHONMALLOC="debug")
    overrun = fail(code.format(mistake="ctypes.memset(block, 0, 41)", free="PyMem_Free"),
                   PYTHONMALLOC="debug")
    assert mixed.returncode == overrun.returncode == -6
    assert "bad ID" in mixed.stderr and "bad trailing pad byte" in overrun.stderr


def test_tracemalloc_started_before():
    # GIVEN tracemalloc from the command line WHEN Ouro goes in THEN it goes on tracing over
    # Ouro with as many frames as before, and stopping it does not take Ouro out
    out = run("""
        import ouro, tracemalloc
        from ouro import _ouro
        kept = [str(i) for i in range(20_000)]
        print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
        print(tracemalloc.get_traced_memory()[0] > 800_000)
        before = ouro.memory()["memo.heap.live_blocks"]
        tracemalloc.stop()
        more = [str(i) for i in range(20_000)]
        print(ouro.memory()["memo.heap.live_blocks"] - before > 15_000, _ouro._check())
    """, "-X", "tracemalloc=7")
    assert out == "True 7\nTrue\nTrue None\n"


def test_tracemalloc_started_after():
    # GIVEN Ouro WHEN tracemalloc starts and stops THEN it sees what stock sees; blocks outlive it
    out = run("""
        import tracemalloc
        from ouro import _ouro
        old = [str(i) for i in range(10_000)]
        tracemalloc.start(2)
        kept = [str(i) for i in range(10_000)]
        top = tracemalloc.take_snapshot().statistics("lineno")[0]
        del old[::2]
        tracemalloc.stop()
        del old, kept
        print(top.count in range(9_900, 10_100), _ouro._check())
    """)
    assert out == "True None\n"


def test_tracemalloc_runs_while_ouro_is_installed():
    out = run("""
        import ouro, tracemalloc
        tracemalloc.start(3)
        old = [str(i) for i in range(10_000)]
        ouro.install(channel=False)
        print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
        tracemalloc.stop()
        del old
        print(ouro.installed())
    """, ouro=None)
    assert out == "True 3\nTrue\n"


def test_tracemalloc_comes_and_goes_while_memory_is_given_back():
    # GIVEN ticks every few milliseconds WHEN tracemalloc starts and stops again and again
    # THEN the thread that ticks never runs into it
    out = run("""
        import time, tracemalloc
        for _ in range(150):
            junk = [str(i) for i in range(20_000)]
            tracemalloc.start()
            del junk
            time.sleep(0.002)
            tracemalloc.stop()
        print("alive")
    """, ouro="decay=5,keep=0")
    assert out == "alive\n"
