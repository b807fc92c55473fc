# SPDX-License-Identifier: MIT
"""Forks in the middle of a cycle: child and parent each finish it, collect, and end well."""

from gc_ways import PHASES, WAYS, agrees, in_ways, on_ouro

ALL = in_ways(*WAYS)

SETUP = """
import os, threading
def check():
    "Everything dropped is gone, once, and what lives is whole."
    assert nodes() == 0, f"{nodes()} left"
    assert sorted(fired) == list(range(100)), len(fired)
    assert all(pair == [i, {"i": i}] for i, pair in enumerate(kept)), "changed"
def wait(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the child failed"
fired = []
class Fires(Node):
    def __del__(self): fired.append(self.name)
kept = [[i, {"i": i}] for i in range(1000)]
left = [Fires(i) for i in range(100)] + [Node() for _ in range(100)]
age()
"""

QUIET = ("-W", "ignore:This process")


@ALL
def test_both_finish_in_their_own_way(way):
    assert agrees("""
    begin()
    del left
    child = os.fork()
    full()
    check()
    more = [Node() for _ in range(100)]
    age()
    del more
    gc.collect()
    check()
    if child:
        wait(child)
        print("done")
    """, way, SETUP) == "done\n"


@in_ways("collect", *PHASES, "given up")
def test_the_child_collects_at_once_and_the_parent_goes_on(way):
    assert agrees("""
    begin()
    del left
    child = os.fork()
    if not child:
        gc.collect()
        check()
        os._exit(0)
    wait(child)
    full()
    check()
    print("done")
    """, way, SETUP) == "done\n"


@in_ways("collect", *PHASES)
def test_every_kind_of_end_of_a_child(way):
    assert agrees("""
    begin()
    del left
    for end in "os._exit(7)", "sys.exit(7)", "raise SystemExit(7)", "exec('def f(): f()', e := {}); e['f']()":
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try: eval(end) if end[0] in "os" else exec(end)
            except RecursionError: os._exit(7)
        # Flushed, or each child that exits prints the buffer it got again.
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    full()
    check()
    """.replace("e := {}", "globals()").replace("e['f']()", "f()"), way, SETUP) == "7\n7\n7\n7\n"


@in_ways("collect", *PHASES)
def test_generations_of_children(way):
    # each forks in a cycle of its own
    assert agrees("""
    def generation(depth):
        global left
        begin()
        left = None
        if depth:
            child = os.fork()
            if not child:
                generation(depth - 1)
                os._exit(0)
        full()
        check()
        if depth: wait(child)
        more = [Node() for _ in range(50)]
    generation(3)
    print("done")
    """, way, SETUP) == "done\n"


@in_ways("collect", "mark", "subtract", "batches")
def test_forks_beside_threads_that_collect(way):
    # GIVEN threads that make garbage and collect, or are in slices of their own WHEN another forks
    # THEN each child collects and ends, and nothing of the parent's is lost
    assert on_ouro("""
    def churn():
        while not stop.is_set():
            some = [Node() for _ in range(500)]
            gc.collect(turns % 3)
            ouro.gc.step(0.1)
    begin()
    del left
    gc.enable()
    stop, turns = threading.Event(), 0
    threads = [threading.Thread(target=churn) for _ in range(3)]
    for thread in threads: thread.start()
    for turns in range(12):
        child = os.fork()
        if not child:
            mine = [Fires(i) for i in range(1000, 1100)]
            gc.collect(1)
            mine = mine[:0]
            pairs = [[i, {}] for i in range(30_000)]
            assert all(pair == [i, {}] for i, pair in enumerate(pairs))
            os._exit(0)
        wait(child)
    stop.set()
    for thread in threads: thread.join()
    gc.disable()
    gc.collect()
    gc.collect()
    check()
    print("done")
    """, way, SETUP.replace("import os", "import os, warnings\nwarnings.simplefilter('ignore')\nimport os"),
                   timeout=300) == "done\n"


@in_ways("collect", "mark", "held", "batches")
def test_frozen_before_the_fork(way):
    assert agrees("""
    begin()
    gc.freeze()
    del left
    child = os.fork()
    if not child:
        more = [Node() for _ in range(100)]
        age()
        del more
        full()
        print(nodes(), len(fired), flush=True)
        os._exit(0)
    wait(child)
    gc.unfreeze()
    full()
    gc.collect()
    check()
    """, way, SETUP) == "0 0\n"


@in_ways("mark", "batches")
def test_a_child_copies_little(way):
    # GIVEN 400,000 old objects WHEN a child finishes the cycle in slices THEN it has written to far
    # fewer pages than those objects take
    assert on_ouro("""
    many = [[i] for i in range(400_000)]
    age()
    cycle()
    begin()
    def written():
        with open("/proc/self/smaps_rollup") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))
    child = os.fork()
    if not child:
        before = written()
        full()
        print(written() - before < 16_000, flush=True)
        os._exit(0)
    wait(child)
    """, way, SETUP) == "True\n"
