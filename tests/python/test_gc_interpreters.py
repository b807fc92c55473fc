# SPDX-License-Identifier: MIT
"""Other interpreters keep CPython's collector, and the main one's slices go on beside them."""

import pytest
from gc_ways import PHASES, WAYS, in_ways, on_ouro
from interpreter import VERSION
from test_interpreters import INTERPRETERS

# Interpreters of either kind; from 3.12 on the isolated ones have a GIL of their own.
either = pytest.mark.parametrize("isolated", [False, True])

GARBAGE = '''
GARBAGE = """if True:
    import gc
    class Thing:
        def __init__(self): self.me = self
        def __del__(self): died.append(1)
    died = []
    gc.disable()
    gc.collect()
    things = [Thing() for _ in range(100)]
    gc.collect(0), gc.collect(1)
    del things
    found = gc.collect()
    assert (len(died), found >= 100) == (100, True), (len(died), found)
    assert not gc.callbacks and gc.get_count()[2] == 0
    gc.enable()
    for turn in range(30):
        kept = [[Thing()] for _ in range(1_000)]
    gc.freeze()
    assert gc.get_freeze_count() > 1_000
    gc.unfreeze()
    del kept
    gc.collect()
    assert len(died) == 100 + 30 * 1_000, len(died)
"""
'''

SETUP = INTERPRETERS + GARBAGE


@either
@in_ways(*WAYS)
def test_they_collect_as_ever_in_the_middle_of_a_cycle(way, isolated):
    # GIVEN garbage of the main interpreter's, and a cycle THEN an interpreter finds its own, and
    # none of the main one's; and the main one finds all of its own afterwards
    assert on_ouro(f"""
    left = [Node() for _ in range(100)]
    age()
    begin()
    del left
    before, cycle_ = nodes(), number("in_cycle")
    for _ in range(2):
        other = create({isolated})
        execute(other, GARBAGE)
        print(nodes() == before, number("in_cycle") == cycle_)
        ouro.gc.step(0.01)
        before, cycle_ = nodes(), number("in_cycle")
        execute(other, GARBAGE)
        destroy(other)
    full()
    print(nodes(), number("in_cycle"))
    """, way, SETUP) == "True True\nTrue True\n0 0\n"


@either
@pytest.mark.parametrize("ouro", ["collect", "automatic"])
def test_threads_in_both(ouro, isolated):
    assert on_ouro(f"""
    def live():
        for _ in range(3):
            other = create({isolated})
            execute(other, GARBAGE)
            destroy(other)
        lived.append(other)
    lived = []
    gc.enable()
    sys.setswitchinterval(1e-4)
    slices = number("slices")
    threads = [threading.Thread(target=live) for _ in range(2)]
    for thread in threads: thread.start()
    kept = []
    while any(thread.is_alive() for thread in threads) or number("slices") < slices + 20:
        kept += [[Node(i)] for i in range(1000)]
        if len(kept) > 50_000: del kept[::2]
        ouro.gc.step(0.1)
        # Up to 3.11 a thread that waits for the GIL asks only those of its own interpreter for it.
        time.sleep(0)
    for thread in threads: thread.join()
    gc.disable()
    assert all(type(node.me) is Node for node, in kept)
    del kept
    gc.collect()
    print(nodes(), len(lived))
    """, ouro, SETUP, timeout=300) == "0 2\n"


CALLS = ["step()", "step(1)", "wanted()", "stats()", "pauses()", "quiet().__enter__()", "on_pause(print)"]


@either
def test_calls_there_say_one_clear_line(isolated):
    out = on_ouro(f"""
    code = '''if True:
        import ouro, ouro.gc
        for call in {CALLS!r}:
            try: print(eval("ouro.gc." + call))
            except RuntimeError as error: print(error)
    '''
    begin()
    before = number("slices"), number("quiet")
    other = create({isolated})
    execute(other, code)
    destroy(other)
    print((number("slices"), number("quiet")) == before, flush=True)
    """, "mark", SETUP).splitlines()
    assert out == [*["call it in the main interpreter"] * len(CALLS), "True"]


@either
@pytest.mark.skipif(VERSION < (3, 12), reason="ouro.install() is for the process there")
def test_installing_there_changes_nothing(isolated):
    assert on_ouro(f"""
    other = create({isolated})
    execute(other, "import gc, ouro; ouro.install(); assert not gc.callbacks")
    destroy(other)
    print(number("on"), len(gc.callbacks))
    """, "collect", SETUP) == "1 0\n"


@either
@in_ways("collect", *PHASES)
def test_the_main_one_ends_while_others_exist(way, isolated):
    assert on_ouro(f"""
    left = [Node() for _ in range(100)]
    age()
    begin()
    del left
    others = [create({isolated}) for _ in range(2)]
    for other in others: execute(other, GARBAGE)
    for other in others: destroy(other)
    print("end")
    """, way, SETUP) == "end\n"
