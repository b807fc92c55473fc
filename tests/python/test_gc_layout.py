# SPDX-License-Identifier: MIT
"""Where CPython keeps its collector's state: found, proved, and refused when it is elsewhere."""

import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest
from interpreter import PYTHON, VERSION

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("tests/python/gclayout_try.c", "python/ext/gc/layout.c", "python/ext/gc/probe.c")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with the extension gclayout_try for the interpreter under test."""
    built = tmp_path_factory.mktemp("gclayout")
    include = subprocess.check_output(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('include'))"], text=True)
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared",
         "-fPIC", "-D_GNU_SOURCE", "-DGCLAYOUT_TEST", f"-I{include.strip()}", "-Iinclude",
         "-Ipython/ext", *SOURCES, "-o", built / "gclayout_try.so"], cwd=ROOT, check=True)
    return built


@pytest.fixture
def run(folder):
    def run(code, *options, **environment):
        """What the snippet printed; it must end well and say nothing else."""
        prelude = "import gc, gclayout_try as try_\n"
        done = subprocess.run(
            [PYTHON, *options, "-X", "faulthandler", "-c", prelude + textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": str(folder), **environment}, text=True,
            capture_output=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), (done.stdout[-2000:], done.stderr)
        return done.stdout
    return run


def test_found_places_show_what_the_program_sees(run):
    # GIVEN a program with objects in all generations, frozen ones, and something in gc.garbage
    # WHEN the places are looked up THEN lists, counters and objects are those of the gc module
    out = run("""
        keep = [[] for _ in range(3000)]
        gc.disable()
        gc.collect()
        gc.freeze()
        keep += [[] for _ in range(2000)]
        gc.collect()
        total = len(gc.get_objects(2))
        keep += [[] for _ in range(1000)]
        gc.collect(1)
        pending = len(gc.get_objects(2)) - total
        seen = try_.look()
        old = gc.get_stats()[2]
        print(seen["garbage"] is gc.garbage, seen["callbacks"] is gc.callbacks)
        print({name: seen[name] for name in ("collections", "collected", "uncollectable")}
              == {name: old[name] for name in ("collections", "collected", "uncollectable")})
        print(seen["sizes"][3] - gc.get_freeze_count())
        print(abs(seen["sizes"][2] - len(gc.get_objects(2))), abs(seen["total"] - total) < 10,
              abs(seen["pending"] - pending) < 10)
    """)
    assert out.split("\n")[:4] == ["True True", "True", "0", "0 True True"]


@pytest.mark.parametrize("options", [
    [], ["-I", "-S"], ["-OO"], ["-X", "dev"], ["-X", "tracemalloc=5"], ["-W", "error"]])
def test_found_under_any_options(run, options):
    # GIVEN an interpreter with options that change allocators, checks or imports
    # WHEN the places are looked up THEN they are found
    path = "import sys; sys.path.insert(0, {!r})\n"
    code = "import gc, gclayout_try; print(gclayout_try.find()['why'])"
    folder = run("import os; print(os.path.dirname(try_.__file__))").strip()
    done = subprocess.run([PYTHON, *options, "-c", path.format(folder) + code], text=True,
                          capture_output=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("None\n", "", 0)


STATE = """
def state():
    return (gc.get_threshold(), gc.isenabled(), gc.get_debug(), gc.get_stats(),
            gc.get_freeze_count(), list(gc.garbage), list(gc.callbacks))

calls = []
gc.callbacks.append(lambda phase, info: calls.append((phase, info)))
gc.set_threshold(700, 7, 5)
gc.set_debug(gc.DEBUG_SAVEALL | gc.DEBUG_COLLECTABLE)
gc.disable()
gc.collect(), calls.clear(), gc.garbage.clear()
try_.find()  # what is made once: interned names, free lists
"""


def test_all_is_as_before(run):
    # GIVEN a program with thresholds, debug flags and callbacks of its own, the collector disabled
    # WHEN the places are looked up THEN none of it has changed, no callback was called, no object
    # is there that was not, and the next young collection comes a few dozen objects earlier
    out = run(STATE + """
def grown(call):
    objects = len(gc.get_objects())
    young, *older = gc.get_count()
    call()
    now, *still = gc.get_count()
    return len(gc.get_objects()) - objects - 2, now - young, older == still  # 2: the lists

grown(try_.find)
for generation in 1, 1, 0, 0, 0:
    gc.collect(generation)
calls.clear()
before = state()
objects, count, same = grown(try_.find)
print(state() == before, calls, objects, same, 0 <= count < 70)
gc.set_debug(0)
""")
    assert out == "True [] 0 True True\n"


@pytest.mark.parametrize("what, by", [
    (what, by)
    for what in ("window", "generations", "debug", "enabled", "statistics", "collecting", "pending")
    for by in (-4096, -72, -24, -16, -8, -4, 4, 8, 16, 24, 72, 4096)
    if by % 8 == 0 or what not in ("window", "statistics", "pending")])
def test_a_place_that_is_not_it_is_refused(run, what, by):
    # GIVEN a search that takes a place nearby for the right one WHEN it is proved THEN it is refused
    # in one line that names it, and nothing the program can see has changed
    out = run(STATE + f"""
before = state()
why = try_.find({what!r}, {by})["why"]
same = state() == before
gc.set_debug(0), gc.garbage.clear()
gc.enable()
for _ in range(3):  # the collector goes on as ever
    gc.collect()
print(same, try_.find()["why"], why)
""")
    same, after, why = out.rstrip("\n").split(" ", 2)
    if what == "window" and why == "None" and VERSION < (3, 13):
        return  # nothing is published: wherever the search begins, it finds the one place
    version = subprocess.check_output([PYTHON, "-c", "import sys; print(sys.version.split()[0])"],
                                      text=True).strip()
    assert why.startswith(f"CPython {version}'s collector is not laid out as expected (")
    assert why.endswith("): its own stays at work")
    assert after == "None"
    if what not in ("statistics", "pending"):  # their own numbers may differ by the experiments'
        assert same == "True"


def test_other_versions_are_refused(run):
    # GIVEN a version whose collector is another, or one that publishes nothing known WHEN the
    # places are looked up THEN it is refused, with what to do about it
    minor = VERSION[1]
    out = run(f"""
        print(try_.find("version", 0, "3.{minor + 1}.2 (main)")["why"])
        print(try_.find("version", 0, "3.{minor}.4+ (main)")["why"])
        print(try_.find("version", 0, "3.{minor}.5 (main)")["why"])
        print(try_.find("published", 8)["why"])
    """).splitlines()
    laid_out = "'s collector is not laid out as expected ({}): its own stays at work"
    foreign = laid_out.format("another version than Ouro was built for")
    assert out[0] == f"CPython 3.{minor + 1}.2{foreign}"
    incremental = laid_out.format("an incremental collector; update to 3.14.5")
    assert out[1] == (f"CPython 3.14.4+{incremental}" if minor == 14 else "None")
    assert out[2] == "None"
    assert ("what is published for debuggers" in out[3]) == (minor >= 13)


def test_replaced_functions_are_refused(run):
    # GIVEN a program that has put functions of its own into gc WHEN the places are looked up
    # THEN it is refused, with the name
    out = run("""
        def mine(*arguments): return 0
        for name in "collect", "freeze", "set_threshold", "get_stats":
            own = getattr(gc, name)
            setattr(gc, name, mine)
            print(try_.find()["why"])
            setattr(gc, name, own)
        gc.callbacks = []
        print(try_.find()["why"])
    """)
    names = ["gc.collect", "gc.freeze", "gc.set_threshold", "gc.get_stats",
             "gc.garbage and gc.callbacks"]
    assert [line.split("(")[1].split(")")[0] for line in out.splitlines()] == names


def test_again_and_again(run):
    # GIVEN a program whose collector starts at every third object, with other threads and a trace
    # function WHEN the places are looked up 3000 times THEN they are the same each time, nothing
    # remains of it, and what lives and dies is right
    out = run("""
        import sys, threading, weakref
        class Ring:
            def __init__(self): self.me = self
        frames = []
        def trace(frame, *event):
            frames.append((frame, frame.f_locals))
            return trace
        sys.setswitchinterval(1e-6)
        stop = threading.Event()
        def churn():
            while not stop.is_set():
                [Ring() for _ in range(20)]
        threads = [threading.Thread(target=churn) for _ in range(3)]
        for thread in threads: thread.start()
        kept = [Ring() for _ in range(100)]
        refs = [weakref.ref(ring) for ring in kept]
        first = try_.find()
        bad = 0
        for round in range(3000):
            if round % 500 == 0:
                gc.set_threshold(3, 2, 2) if round % 1000 else gc.set_threshold(700, 10, 10)
                sys.settrace(trace if round % 1500 else None)
            bad += try_.find() != first
        sys.settrace(None)
        frames.clear()
        stop.set()
        for thread in threads: thread.join()
        gc.collect()
        print(bad, first["why"], sum(ref() is None for ref in refs),
              sum(type(o) is Ring for o in gc.get_objects()))
        def grown():
            blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
            for _ in range(200): try_.find()
            return sys.getallocatedblocks() - blocks < 50, len(gc.get_objects()) - objects
        gc.disable()
        grown()
        print(*grown())
    """)
    assert out == "0 None 0 100\nTrue 0\n"


def test_no_memory(run):
    # GIVEN that the n-th request for memory is refused, from where things begin to be changed on
    # WHEN the places are looked up THEN they are found or refused, for each n, and nothing has
    # changed
    out = run(STATE + """
before, outcomes = state(), []
for n in range(1, 400):
    why = try_.find_starved(n)
    if why not in outcomes: outcomes.append(why)
    if state() != before: print(n, why, state())
gc.set_debug(0)
print(why, len(outcomes) > 1)
""")
    assert out == "None True\n"


def test_takes_a_fraction_of_a_millisecond(run):
    # GIVEN a program of a million objects WHEN the places are looked up THEN it takes as long as
    # in a small one: 0.1 to 0.3 ms
    out = run("""
        import json
        small = min(try_.measure() for _ in range(20))
        keep = [[] for _ in range(1_000_000)]
        large = min(try_.measure() for _ in range(20))
        print(json.dumps([small, large]))
    """)
    small, large = json.loads(out)
    assert small < 1_000_000 and large < 3 * small
