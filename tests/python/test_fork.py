# SPDX-License-Identifier: MIT
"""Forks and children of every kind."""

import pytest
from interpreter import run, start

# A parent with threads of its own and a channel, as programs have.
SETTINGS = ["1", "channel=1", "hardened=1"]


@pytest.mark.parametrize("ouro", SETTINGS)
def test_fork_copies_the_heap(ouro, tmp_path):
    # GIVEN a heap full of objects WHEN the process forks, and the child forks again
    # THEN each may use, free and make objects, also what the other still holds
    out = run("""
        import os, threading
        from ouro import _ouro
        kept = [{"n": i, "s": str(i)} for i in range(30_000)]
        stop = threading.Event()
        def churn():
            while not stop.is_set(): [b"x" * i for i in range(600)]
        noise = threading.Thread(target=churn)
        noise.start()
        def generation(depth):
            global kept
            assert all(item["s"] == str(item["n"]) for item in kept)
            del kept[::2]
            more = [[i] * (i % 70) for i in range(30_000)]
            assert _ouro._check() is None
            if depth:
                child = os.fork()
                if child == 0:
                    generation(depth - 1)
                    os._exit(40 + depth)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 40 + depth
        generation(2)
        stop.set()
        noise.join()
        print(len(kept), _ouro._check())
    """, "-W", "ignore::DeprecationWarning", ouro=ouro, OURO_DIR=str(tmp_path / "sockets"))
    assert out == "15000 None\n"


@pytest.mark.parametrize("ouro", SETTINGS)
def test_forks_in_many_threads_at_once(ouro, tmp_path):
    # GIVEN threads WHEN they fork at the same time, each waiting for its children
    # THEN every child ends, and so does the program
    out = run("""
        import os, threading
        def forks():
            for _ in range(15):
                child = os.fork()
                if child == 0:
                    os._exit(7)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        threads = [threading.Thread(target=forks) for _ in range(6)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("done")
    """, "-W", "ignore::DeprecationWarning", ouro=ouro, OURO_DIR=str(tmp_path / "sockets"))
    assert out == "done\n"


@pytest.mark.parametrize("ouro", SETTINGS)
def test_a_child_forked_in_a_thread_ends_with_that_thread(ouro, tmp_path):
    # GIVEN a thread that forks WHEN the thread returns in the child too, a moment later
    # THEN the child ends by that, as there is nothing else of the program in it
    out = run("""
        import os, threading, time
        def forks(wait):
            child = os.fork()
            if child == 0:
                time.sleep(wait)
                return
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        for wait in (0, 0.01, 0.1, 0.5):
            thread = threading.Thread(target=forks, args=(wait,))
            thread.start()
            thread.join()
        print("done")
    """, "-W", "ignore::DeprecationWarning", ouro=ouro, OURO_DIR=str(tmp_path / "sockets"))
    assert out == "done\n"


@pytest.mark.parametrize("ouro", SETTINGS)
def test_a_fork_warns_of_no_thread_of_ours(ouro, tmp_path):
    # GIVEN a program of one thread, and a hook in Python that runs before CPython counts threads
    # WHEN it forks THEN nothing is warned of
    program = """if True:
        import logging, os
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
    """
    ended = start(["-W", "always", "-c", program], ouro=ouro, OURO_DIR=str(tmp_path / "sockets"))
    assert (ended.returncode, ended.stderr) == (0, "")


MULTIPROCESSING = """
import multiprocessing, sys
import ouro

def work(items):
    assert ouro.installed()
    return [{"n": n, "square": n * n, "text": str(n) * 9} for n in items]

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(2) as pool:
        parts = pool.map(work, [range(i, i + 500) for i in range(0, 5_000, 500)])
    squares = sum(item["square"] for part in parts for item in part)
    print(squares == sum(n * n for n in range(5_000)))
"""


@pytest.mark.parametrize("ouro", SETTINGS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method, ouro, tmp_path):
    # GIVEN a pool of workers WHEN they start in any way THEN all of them run on Ouro
    script = tmp_path / "work.py"
    script.write_text(MULTIPROCESSING)
    done = start([str(script), method], ouro=ouro, OURO_DIR=str(tmp_path / "sockets"))
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_subprocesses_inherit_ouro():
    out = run("""
        import subprocess, sys
        code = "import ouro; print(ouro.installed())"
        for options in [], ["-I"], ["-E", "-s"]:
            subprocess.run([sys.executable, *options, "-c", code], check=True)
    """)
    assert out == "True\n" * 3
