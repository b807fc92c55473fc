# SPDX-License-Identifier: MIT
"""The module ouro.gc: what it asks of the extension, and what the program gets to see.

Where the tests must decide what the collector does, a stand-in takes the extension's place; the rest
is about the real one.
"""

import pathlib
import re
import textwrap

import pytest
from interpreter import run, start

STAND_IN = """
    import ouro, ouro.gc
    class StandIn:
        def __init__(self):
            self.asked, self.depth, self.hook, self.cycle, self.want = [], 0, None, 0, 0
            self.numbers = {"budget_ns": 1_500_000}
        def _gc_stats(self): return {"quiet": self.depth > 0, **self.numbers}
        def _gc_wanted(self): return self.want > 0
        def _gc_on_pause(self, hook): self.hook = hook
        def _gc_quiet(self, on):
            self.depth += 1 if on else -1
            return self.depth
        def _gc_step(self, ms, start):
            self.asked.append((ms, start))
            self.want = max(self.want - 1, 0)
            return self.want > 0
    fake = ouro.gc._ouro = StandIn()
"""


def pretend(code):
    """What the snippet printed, with `fake` in the extension's place."""
    return run(textwrap.dedent(STAND_IN) + textwrap.dedent(code), ouro=None)


# --- When -----------------------------------------------------------------------------------------


def test_a_step_takes_the_budget_unless_told():
    assert pretend("""
        ouro.gc.step(), ouro.gc.step(2), ouro.gc.step(ms=0.25)
        print(fake.asked)
    """) == "[(1.5, True), (2.0, True), (0.25, True)]\n"


def test_a_step_is_wanted_by_the_collector_and_outside_of_quiet_sections():
    assert pretend("""
        print(ouro.gc.wanted())
        fake.want = 1
        print(ouro.gc.wanted())
        with ouro.gc.quiet(): print(ouro.gc.wanted())
    """) == "False\nTrue\nFalse\n"


def test_impossible_times_are_named():
    out = pretend("""
        for ms in (0, -1, 10_001, float("nan"), "1"):
            try: ouro.gc.step(ms)
            except (TypeError, ValueError) as error: print(type(error).__name__, error)
        print(fake.asked)
    """).splitlines()
    assert out[0] == "ValueError ms must be more than 0 and at most 10000, not 0"
    assert [line.split()[0] for line in out[1:5]] == 3 * ["ValueError"] + ["TypeError"]
    assert out[5] == "[]"


def test_quiet_sections_nest_and_end_with_exceptions():
    assert pretend("""
        import asyncio
        with ouro.gc.quiet():
            with ouro.gc.quiet(): print(fake.depth)
            print(fake.depth)
        @ouro.gc.quiet()
        def function(a, *, b): return fake.depth, a, b
        @ouro.gc.quiet()
        async def coroutine(a):
            await asyncio.sleep(0)
            return fake.depth, a
        print(function(1, b=2), asyncio.run(coroutine(3)), function.__name__, coroutine.__name__)
        try:
            with ouro.gc.quiet(): 1 / 0
        except ZeroDivisionError: print(fake.depth)
    """) == "2\n1\n(1, 1, 2) (1, 3) function coroutine\n0\n"


def test_quiet_tasks_overlap():
    assert pretend("""
        import asyncio
        section = ouro.gc.quiet()
        @section
        async def task(first, then):
            await asyncio.sleep(first)
            deepest = fake.depth
            await asyncio.sleep(then)
            return deepest
        async def main(): return await asyncio.gather(task(.01, .05), task(.02, .02))
        print(asyncio.run(main()), fake.depth)
    """) == "[2, 2] 0\n"


def test_a_generator_is_no_section():
    assert pretend("""
        async def two(): yield
        for function in (lambda: (yield)), two:
            try: ouro.gc.quiet()(function)
            except TypeError as error: print(error)
    """) == 2 * "a generator is no section: use `with ouro.gc.quiet():` inside it\n"


# --- Idle loops -----------------------------------------------------------------------------------


def test_an_idle_loop_steps_until_the_cycle_ends():
    # GIVEN a cycle of five steps WHEN the loop has nothing to do THEN they are taken at once, each
    # begins a cycle only where one is wanted, and stop() ends it
    assert pretend("""
        import asyncio
        fake.want = 5
        async def main():
            with ouro.gc.idle(ms=2) as idle:
                for _ in range(500):
                    if fake.want == 0: break
                    await asyncio.sleep(.02)
                print(fake.asked == 5 * [(2.0, True)])
            fake.want = 5
            await asyncio.sleep(.2)
            print(fake.want)
        asyncio.run(main())
    """) == "True\n5\n"


def test_a_busy_loop_is_left_alone():
    # GIVEN tasks that always have something to do WHEN a cycle is wanted THEN no step is taken
    assert pretend("""
        import asyncio, time
        fake.want = 5
        async def work(until):
            while time.monotonic() < until:
                end = time.perf_counter() + .0003
                while time.perf_counter() < end: pass
                await asyncio.sleep(0)
        async def main():
            ouro.gc.idle()
            await work(time.monotonic() + .3)
            print(fake.asked)
        asyncio.run(main())
    """) == "[]\n"


def test_who_becomes_ready_during_a_step_comes_before_the_next():
    # GIVEN steps of 5 ms WHEN a message arrives during one and is handed from callback to task
    # THEN the answer is written before the next step
    assert pretend("""
        import asyncio, socket, time
        left, right = socket.socketpair()
        order = []
        class Slow(StandIn):
            def _gc_step(self, ms, start):
                order.append("step")
                if len(order) == 2: left.send(b"x")
                time.sleep(ms / 1e3)
                return super()._gc_step(ms, start)
        fake = ouro.gc._ouro = Slow()
        fake.want = 5
        async def serve():
            reader, writer = await asyncio.open_connection(sock=right)
            await reader.readexactly(1)
            order.append("answer")
            writer.close()
        async def main():
            task = asyncio.create_task(serve())
            ouro.gc.idle(ms=5)
            for _ in range(500):
                if fake.want == 0: break
                await asyncio.sleep(.02)
            await task
        asyncio.run(main())
        print(order.index("answer"))
    """) == "2\n"


def test_an_idle_loop_sleeps_where_nothing_is_wanted():
    # GIVEN nothing to collect WHEN a loop is idle for a second THEN it is woken for two looks and for
    # its own timer. Not its CPU time: a machine may charge 1 % to one that only sleeps
    out = pretend("""
        import asyncio, resource, time
        def wakes(): return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        async def main():
            ouro.gc.idle()
            await asyncio.sleep(.1)
            before = wakes()
            await asyncio.sleep(1)
            print(wakes() - before, fake.asked)
        asyncio.run(main())
    """)
    woken, asked = out.split()
    assert int(woken) <= 6 and asked == "[]"


def test_a_loop_of_another_thread():
    assert pretend("""
        import asyncio, threading
        fake.want = 3
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        idle = ouro.gc.idle(loop)
        while fake.want: pass
        idle.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        print(len(fake.asked))
    """) == "3\n"


def test_without_a_loop_there_is_nothing_to_be_idle():
    assert "no running event loop" in pretend("""
        try: ouro.gc.idle()
        except RuntimeError as error: print(error)
    """)


# --- What happened --------------------------------------------------------------------------------


def test_pauses_are_told():
    assert pretend("""
        seen = []
        @ouro.gc.on_pause
        def first(pause): seen.append(pause.seconds)
        ouro.gc.on_pause(seen.append)
        fake.hook(.001, "slice", "mark")
        ouro.gc.off_pause(first)
        fake.hook(.002, "young", "")
        ouro.gc.off_pause(seen.append)
        print(seen, fake.hook)
        try: ouro.gc.off_pause(first)
        except ValueError as error: print("is not registered" in str(error))
    """) == (
        "[0.001, Pause(seconds=0.001, kind='slice', phase='mark'),"
        " Pause(seconds=0.002, kind='young', phase='')] None\nTrue\n"
    )


def test_all_callbacks_run_whatever_one_raises():
    assert pretend("""
        seen = []
        @ouro.gc.on_pause
        def broken(pause): 1 / 0
        ouro.gc.on_pause(seen.append)
        for _ in range(2):
            try: fake.hook(.001, "slice", "mark")
            except ZeroDivisionError: print(len(seen))
    """) == "1\n2\n"


def test_quantiles():
    # GIVEN 1000 pauses WHEN asked for quantiles THEN each is the border of its bucket, and none is
    # longer than the longest
    assert pretend("""
        fake.numbers = {"buckets": [(1e-6, 500), (1e-3, 490), (2e-3, 9), (4e-3, 1)],
                        "pauses": 1000, "pauses_ns": 5e8, "longest_ns": 3e6}
        print(ouro.gc.pauses())
        fake.numbers["buckets"] = [(1e-6, 500), (1e-3, 489), (4e-3, 11)]
        print(ouro.gc.pauses()[3:])
        fake.numbers = {"buckets": [], "pauses": 0, "pauses_ns": 0, "longest_ns": 0}
        print(*ouro.gc.pauses())
    """) == (
        "Pauses(number=1000, total=0.5, p50=1e-06, p99=0.001, p999=0.002, longest=0.003)\n"
        "(0.003, 0.003, 0.003)\n"
        "0 0.0 0.0 0.0 0.0 0.0\n"
    )


# --- The end screen -------------------------------------------------------------------------------

SCREEN = """
    import time
    from ouro import _ouro, _screen
    ouro.install()
    _ouro._pauses_start()
    numbers = {"cycles": 3, "slices_ns": 12_100_000, "slice_longest_ns": 1_100_000,
               "found": 12345, "budget_ns": 10**6,
               "buckets": [(1e-3, 1_234_566), (1, 1)], "pauses": 1_234_567,
               "longest_ns": 25 * 10**7,
               "escalations": dict.fromkeys(
                   ("bound", "giant", "object", "batch", "stock", "memory"), COUNT)}
    _ouro._gc_stats = lambda: numbers
    begun = {"pid": 1, "clock": time.monotonic(), "resident": 2**20, "program": "x",
             "gc_isenabled": lambda: False}
    print(_screen.screen(_screen.collect(begun)), end="")
"""


def screen(escalations):
    code = SCREEN.replace("COUNT", str(escalations))
    return run("import ouro\n" + textwrap.dedent(code), ouro=None).splitlines()


def test_the_screen_says_what_took_generation_2_s_place():
    lines = screen(escalations=0)
    at = lines.index("full, in slices      3   12.1 ms    1.1 ms       12,345")
    assert lines[at - 1].startswith("generation 1 ") and lines[at + 2] == ""
    assert lines[at + 1] == "99 % of 1,234,567 pauses took at most 1.0 ms, the longest 250.0 ms"
    assert "ouro why PID" in lines[-1]
    assert not any(line.startswith("generation 2") for line in lines)


def test_the_screen_says_why_pauses_were_long_and_still_fits():
    lines = screen(escalations=1)
    assert len(lines) == 24 and max(map(len, lines)) <= 80
    assert lines[-2].startswith("over the budget of 1.0 ms: 1 bound, 1 giant, 1 object, 1 batch")
    assert "ouro gc PID" in lines[-1]


def test_the_screen_of_a_program_with_pauses():
    done = start(["-c", "keep = [[i] for i in range(300_000)]"], ouro="quiet=0,pause_us=1000")
    lines = done.stderr.splitlines()
    row = next(line for line in lines if line.startswith("full, in slices"))
    assert done.returncode == 0 and len(lines) <= 24 and max(map(len, lines)) <= 80
    assert int(row.split()[3]) > 0 and row.split()[7] in ("us", "ms", "s")
    assert any(re.match(r"99 % of [\d,]+ pauses took at most .+, the longest .+s$", line)
               for line in lines)


def test_young_collections_are_shown_without_slices():
    assert real("""
        ouro._ouro._pauses_start()
        before = ouro.gc.stats()
        keep = [[Node()] for _ in range(300_000)]
        after = ouro.gc.stats()
        spent = {name: after[name] - before[name] for name in ("slices_ns", "pauses_ns")}
        shown = sum(total for _, total, *_ in ouro._ouro._pauses()[:2])
        print(0 < shown + spent["slices_ns"] < 1.02 * spent["pauses_ns"])
    """) == "True\n"


def test_the_screen_changes_no_status():
    # GIVEN an interrupt, which CPython forgets when code is evaluated behind it
    done = start(["-c", "import os; os.kill(os.getpid(), 2)"], ouro="quiet=0,pause_us=1000")
    assert done.returncode == -2 and "full, in slices" in done.stderr


# --- The real collector ---------------------------------------------------------------------------

REAL = """
    import gc, ouro, sys
    ouro.install(pause_ms=1, channel=False)
    class Node:
        def __init__(self): self.self = self
    def age():
        gc.collect(0), gc.collect(1)
"""


def real(code, *options):
    """What the snippet printed, on Ouro's collector."""
    return run(textwrap.dedent(REAL) + textwrap.dedent(code), *options, ouro=None)


def test_steps_find_old_garbage():
    # GIVEN 5000 old objects that hold themselves WHEN they are let go of and a cycle is done THEN
    # it has taken several steps, and they are gone
    assert real("""
        before = ouro.gc.stats()["found"]
        nodes = [Node() for _ in range(5000)]
        age()
        del nodes
        steps = 1
        while ouro.gc.step(0.05): steps += 1
        print(steps > 5, ouro.gc.stats()["found"] - before >= 5000, ouro.gc.wanted())
        print(sum(type(thing) is Node for thing in gc.get_objects()))
    """) == "True True False\n0\n"


def test_slices_need_no_call():
    assert real("""
        keep = []
        for _ in range(200_000): keep.append([Node()])
        numbers = ouro.gc.stats()
        print(numbers["slices"] > 0, numbers["cycles"] > 0, numbers["examined"] > 0)
    """) == "True True True\n"


def test_no_slices_in_quiet_sections_until_the_limit():
    # GIVEN old objects WHEN some more are made in a quiet section THEN there is no slice; and when
    # many are, there are, and that is an escalation
    assert real("""
        keep = [[Node()] for _ in range(200_000)]
        while ouro.gc.step(): pass
        before = ouro.gc.stats()
        with ouro.gc.quiet():
            some = [[Node()] for _ in range(10_000)]
            between = ouro.gc.stats()
            print(between["quiet"], between["slices"] - before["slices"])
            many = [[Node()] for _ in range(400_000)]
            after = ouro.gc.stats()
        print(after["slices"] > between["slices"], ouro.gc.stats()["quiet"])
        print(after["escalations"]["bound"] > before["escalations"]["bound"])
    """) == "1 0\nTrue 0\nTrue\n"


def test_every_kind_of_pause_is_told():
    assert real("""
        kinds = set()
        @ouro.gc.on_pause
        def callback(pause):
            kinds.add(pause.kind)
            assert 0 < pause.seconds < 10 and isinstance(pause.phase, str)
        keep = [[Node()] for _ in range(20_000)]
        gc.collect()
        while ouro.gc.step(): pass
        ouro.gc.off_pause(callback)
        print(sorted(kinds))
        kinds.clear()
        gc.collect()
        print(kinds)
    """) == "['explicit', 'slice', 'young']\nset()\n"


def test_what_callbacks_raise_is_unraisable():
    assert real("""
        caught, seen = [], []
        sys.unraisablehook = lambda unraisable: caught.append(unraisable.exc_type)
        @ouro.gc.on_pause
        def broken(pause): raise KeyError("mine")
        ouro.gc.on_pause(seen.append)
        gc.collect()
        print(len(seen) >= 1, set(caught))
    """) == "True {<class 'KeyError'>}\n"


def test_callbacks_may_cause_collections():
    assert real("""
        seen = []
        @ouro.gc.on_pause
        def callback(pause):
            seen.append(pause.kind)
            gc.collect(0)
            gc.collect()
            [Node() for _ in range(2000)]
        gc.collect()
        print(seen[:1])
        print(len(seen) < 10)
    """) == "['explicit']\nTrue\n"


def test_pauses_add_up():
    assert real("""
        gc.collect()
        gc.disable()
        pauses, numbers = ouro.gc.pauses(), ouro.gc.stats()
        print(pauses.number == numbers["pauses"] == sum(n for _, n in numbers["buckets"]))
        print(0 < pauses.p50 <= pauses.p99 <= pauses.p999 <= pauses.longest <= pauses.total)
    """) == "True\nTrue\n"


def test_a_forked_child_counts_its_own():
    assert real("""
        import os
        keep = [[Node()] for _ in range(100_000)]
        gc.collect()
        def work():
            numbers = ouro.gc.stats()
            garbage = [Node() for _ in range(2000)]
            age()
            del garbage
            while ouro.gc.step(): pass
            return numbers["explicits"], ouro.gc.stats()["found"] - numbers["found"] >= 2000
        if os.fork() == 0:
            print(*work(), flush=True)
            os._exit(0)
        os.wait()
        print(*work())
    """) == "0 True\n1 True\n"


def test_a_forked_child_is_in_no_quiet_section():
    # GIVEN a thread in a section, which a child does not inherit WHEN another thread forks THEN the
    # child is not kept quiet for ever, and leaving a section of the parent's is no error
    assert real("""
        import os, threading
        inside, done = threading.Event(), threading.Event()
        def section():
            with ouro.gc.quiet():
                inside.set()
                done.wait()
        thread = threading.Thread(target=section)
        thread.start()
        inside.wait()
        with ouro.gc.quiet(): child = os.fork()
        with ouro.gc.quiet(): depth = ouro.gc._ouro._gc_quiet(True)
        ouro.gc._ouro._gc_quiet(False)
        if not child:
            print(depth, ouro.gc.stats()["quiet"], flush=True)
            os._exit(0)
        os.wait()
        print(depth, ouro.gc.stats()["quiet"])
        done.set()
        thread.join()
        print(ouro.gc.stats()["quiet"])
    """, "-W", "ignore:This process") == "2 0\n3 1\n0\n"


def test_an_idle_loop_collects():
    # GIVEN old garbage, and a cycle that has just begun WHEN the loop has nothing to do THEN it is
    # found, although nothing is allocated
    assert real("""
        import asyncio
        keep = [[Node()] for _ in range(50_000)]
        age()
        while ouro.gc.step(): pass
        before = ouro.gc.stats()["found"]
        gc.disable()
        del keep[40_000:]
        while not ouro.gc.stats()["in_cycle"]: ouro.gc.step(0.01)
        async def main():
            with ouro.gc.idle():
                for _ in range(500):
                    if not ouro.gc.stats()["in_cycle"]: break
                    await asyncio.sleep(.02)
        asyncio.run(main())
        print(ouro.gc.stats()["found"] - before >= 10_000)
    """) == "True\n"


def test_no_steps_of_idle_loops_in_quiet_sections():
    assert real("""
        import asyncio
        async def slices(seconds):
            before = ouro.gc.stats()["slices"]
            await asyncio.sleep(seconds)
            return ouro.gc.stats()["slices"] - before
        async def main():
            with ouro.gc.idle():
                with ouro.gc.quiet(): print(await slices(.3))
                print(await slices(3) > 0)
        keep = []
        while not ouro.gc._ouro._gc_wanted(): keep += [[Node()] for _ in range(500)]
        gc.disable()
        asyncio.run(main())
    """) == "0\nTrue\n"


OFF = ["wanted()", "step()", "quiet().__enter__()", "on_pause(print)", "stats()", "pauses()", "idle()",
       "idle(ms=2)"]


@pytest.mark.parametrize("call", OFF)
def test_where_it_is_off_all_say_how_to_switch_it_on(call):
    assert run(f"""
        import asyncio, ouro
        async def main():
            try: ouro.gc.{call}
            except RuntimeError as error: print(error)
        asyncio.run(main())
        print(ouro.gc._callbacks)
    """, ouro=None) == (
        "Ouro's collector is off: use `ouro run --pause 1ms` or ouro.install(pause_ms=1)\n[]\n"
    )


# --- How it is switched on ------------------------------------------------------------------------

LOOK = """
    try: print(ouro.gc.stats()["budget_ns"], ouro.gc.stats()["limit_permille"])
    except RuntimeError: print("off")
"""


def installed(call, **environment):
    code = "import ouro\n" + call + "\n" + textwrap.dedent(LOOK)
    return run(code, ouro=None, **environment).strip()


def test_off_unless_asked_for():
    assert installed("ouro.install()") == "off"
    assert installed("ouro.install(pause_ms=None, garbage_limit=0.5)") == "off"


def test_budget_and_limit():
    assert installed("ouro.install(pause_ms=2)") == "2000000 250"
    assert installed("ouro.install(pause_ms=0.5, garbage_limit=0.1)") == "500000 100"


def test_the_environment_is_asked_for_what_is_not_given():
    both = {"OURO_PAUSE": "3ms", "OURO_GARBAGE_LIMIT": "40%"}
    assert installed("ouro.install()", **both) == "3000000 400"
    assert installed("ouro.install(pause_ms=1)", **both) == "1000000 400"
    assert installed("ouro.install(pause_ms=None)", **both) == "off"


def test_a_second_call_does_not_ask_the_environment():
    call = "ouro.install(pause_ms=1); ouro.install()"
    assert installed(call, OURO_PAUSE="3ms") == "1000000 250"


def test_a_bad_environment_is_named():
    call = "try: ouro.install()\nexcept ValueError as error: print(error, ouro.installed())"
    assert installed(call, OURO_PAUSE="fast") == (
        "OURO_PAUSE='fast' is not a time; write it like 1ms False\noff"
    )


@pytest.mark.parametrize("value", ["0", "-1", "20_000", "'1ms'", "float('nan')"])
def test_impossible_pauses_are_refused(value):
    call = f"try: ouro.install(pause_ms={value})\nexcept ValueError as error: print(error)"
    assert installed(call).startswith("pause_ms must be a number from 0.001 to 10000")


# --- The example ----------------------------------------------------------------------------------

IDLE = pathlib.Path(__file__).parents[2] / "examples/python/idle.py"


@pytest.mark.parametrize(
    ("ouro", "how"), [(None, "at once"), ("1", "at once"), ("pause_us=1000", "in slices")])
def test_the_example_runs_with_and_without_ouro(ouro, how):
    done = start([str(IDLE), "--visits", "300", "--seconds", "0.5"], ouro=ouro)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+ answers: half within [\d.]+ ms, 99 % within [\d.]+ ms,\n"
                        rf"the longest took [\d.]+ ms; collected {how}\n", done.stdout)
