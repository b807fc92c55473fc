# SPDX-License-Identifier: MIT
"""What holds objects by itself, in snapshots: modules, calls, threads, the interpreter. SEMANTICS M4."""

from interpreter import VERSION
from snapheap import PSEUDO, heap


def roots(found, kind):
    return {row["text"]: row["target"] for row in found.roots if row["root"] == kind}


def locals_of(found, title):
    """Locals of the calls of a function, by name."""
    calls = [o["at"] for o in found.objects.values()
             if title in o.get("title", "") and o["flags"] & PSEUDO]  # fmt: skip
    if VERSION < (3, 11):
        calls = [row["target"] for row in found.roots if row["root"] == "frame"]
    names = {}
    for at in calls:
        names.update(
            {label: to for (kind, label), to in found.named(at).items() if kind == "local"}
        )
    return names


def test_m4_modules_are_roots_under_their_names(tmp_path):
    # GIVEN modules, one of them made by the program THEN each is a root
    code = """
import types
made = sys.modules["made.up"] = types.ModuleType("other")
snap(ids(made=made, sys=sys, json=json))
"""
    found, ids = heap(code, tmp_path / "a.snap")
    modules = roots(found, "module")
    assert modules["made.up"] == ids["made"] and modules["sys"] == ids["sys"]
    assert modules["json"] == ids["json"]
    assert {"sys.modules", "sys.__dict__", "builtins.__dict__"} <= set(roots(found, "interpreter"))


def test_m4_calls_hold_their_locals_by_name(tmp_path):
    # GIVEN calls in progress with locals, cells and arguments THEN each is named
    code = """
class Thing: pass
def outer(argument):
    cell_variable = Thing()
    plain = Thing()
    named = ids(argument=argument, plain=plain, cell=cell_variable)
    def inner(): return cell_variable
    del argument
    return middle(plain, named)
def middle(given, named):
    def deepest(): snap(named)
    deepest()
outer(Thing())
"""
    found, ids = heap(code, tmp_path / "a.snap")
    held = locals_of(found, "outer")
    assert held["plain"] == ids["plain"]
    cell = held["cell_variable"]
    assert found.named(cell)["attribute", "cell_contents"] == ids["cell"]
    if VERSION < (3, 14):  # from then on the callee may borrow its arguments
        assert locals_of(found, "middle")["given"] == ids["plain"]
    assert found.unexplained(ids["plain"]) in (0, 1)  # 1: an argument on a stack
    assert found.facts["frames"] == "seen" and found.overexplained() == []


def test_m4_each_threads_calls_are_its_own(tmp_path):
    # GIVEN threads that wait THEN what they hold is found under their names
    code = """
import threading
ready, done = threading.Barrier(4), threading.Event()
class Thing: pass
held = {}
def work(name):
    mine = Thing()
    held[name] = id(mine)
    ready.wait(); done.wait()
threads = [threading.Thread(target=work, args=(n,), name=f"worker {n}") for n in range(3)]
for thread in threads: thread.start()
ready.wait()
snap({str(n): at for n, at in held.items()})
done.set()
for thread in threads: thread.join()
"""
    found, ids = heap(code, tmp_path / "a.snap")
    for n in range(3):
        calls = [r["target"] for r in found.roots
                 if r["root"] == "frame" and r["text"] == f"worker {n}"]  # fmt: skip
        assert calls and any(ids[str(n)] in found.named(at).values() for at in calls)
    assert "MainThread" in {row["text"] for row in found.roots if row["root"] == "frame"}
    assert found.overexplained() == []


def test_m4_running_generators_and_coroutines_hold_their_locals(tmp_path):
    # GIVEN a snapshot taken inside of a generator and a coroutine
    # THEN they are calls in progress, and their locals are found once
    code = """
import asyncio
class Thing: pass
def generate(kept):
    mine = Thing()
    yield asyncio.run(main(ids(kept=kept, mine=mine)))
async def main(named):
    inside = Thing()
    snap({**named, **ids(inside=inside)})
for _ in generate(Thing()): pass
"""
    found, ids = heap(code, tmp_path / "a.snap")
    calls = [r["target"] for r in found.roots if r["root"] == "frame"]
    held = {target for at in calls for target in found.named(at).values()}
    generators = [at for at in held | set(calls) if at in found.objects
                  and found.kind_of(at) == "generator"]  # fmt: skip
    held |= {target for at in generators for target in found.named(at).values()}
    if VERSION >= (3, 11):
        assert {ids["kept"], ids["mine"], ids["inside"]} <= held
    assert found.overexplained() == []


def test_m4_the_handled_exception_is_the_threads(tmp_path):
    # GIVEN a snapshot taken while an exception is handled THEN nothing is explained twice, and the
    # frames that it pins are there with their locals
    code = """
class Thing: pass
def raises():
    pinned = Thing()
    raise ValueError(id(pinned))
try:
    raises()
except ValueError as error:
    snap({"pinned": error.args[0]})
"""
    found, ids = heap(code, tmp_path / "a.snap")
    frames = [o["at"] for o in found.of_type("frame")]
    holders = [at for at in frames if found.named(at).get(("local", "pinned")) == ids["pinned"]]
    assert len(holders) == 1 and found.unexplained(ids["pinned"]) == 0
    assert found.overexplained() == []


def test_m6_the_collectors_state_is_among_the_facts(tmp_path):
    # GIVEN a collector that the program has set up THEN the snapshot says how
    code = "gc.disable()\ngc.set_threshold(701, 12, 13)\ngc.collect()\nsnap()"
    found, _ = heap(code, tmp_path / "a.snap")
    facts = found.facts
    assert facts["gc.enabled"] == "0" and facts["gc.collector"] == "python"
    assert [facts[f"gc.threshold{n}"] for n in range(2)] == ["701", "12"]
    assert int(facts["gc.collections2"]) >= 1 and facts["lists"] == "seen"
    assert facts["writer"] == "cpython" and facts["mode"] == "in place"
    assert facts["python"].startswith("%d.%d" % VERSION) and int(facts["rss"]) > 1 << 20
    assert facts["command"] and int(facts["pid"]) > 1 and int(facts["time"]) > 1_600_000_000


def test_m6_our_collector_is_said_to_be_at_work(tmp_path):
    # GIVEN Ouro's collector THEN the snapshot says so, and its objects are found all the same
    code = "class Node: pass\nnodes = [Node() for _ in range(100)]\nsnap()"
    found, _ = heap(code, tmp_path / "a.snap", ouro="pause_us=1000")
    assert found.facts["gc.collector"] == "ouro" and int(found.facts["gc.pending"]) >= 0
    assert len(found.of_type("__main__.Node")) == 100 and found.overexplained() == []


def test_m4_a_deep_stack_of_calls_is_there_whole(tmp_path):
    # GIVEN 5,000 calls one inside the other THEN each is an object with its local
    code = """
sys.setrecursionlimit(10_000)
def down(n):
    if n: return down(n - 1)
    snap()
down(5_000)
"""
    found, _ = heap(code, tmp_path / "a.snap")
    assert len([r for r in found.roots if r["root"] == "frame"]) > 5_000
    assert found.overexplained() == []
