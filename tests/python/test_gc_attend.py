# SPDX-License-Identifier: MIT
"""When CPython calls the collector: while there is something to do, and else once a generation 1 is
collected. Whatever a program does, it is noticed again, and the program's own callbacks hear of
everything, once, as on stock.
"""

import textwrap

import pytest
from gc_ways import NODES, agrees
from interpreter import run

REST = NODES + """
import ctypes, ouro, ouro.gc

def number(name): return ouro.gc.stats()[name]

def calls(*generations):
    "Of collections of these generations: which the collector was called for."
    told = []
    for generation in generations:
        before = ouro.gc.stats()
        gc.collect(generation)
        after = ouro.gc.stats()
        told.append(after["young"] - before["young"])
        assert told[-1] + after["untimed"] - before["untimed"] == 1, (before, after)
    return told

def markers(generation):
    return sum(type(o).__name__ == "Marker" for o in gc.get_objects(generation))

def rests():
    "Whether only what matters is noticed, and that always."
    gc.collect(0)
    return calls(0, 1, 0, 0, 1) == [0, 1, 0, 0, 1] and (markers(1), markers(2)) == (1, 1)

def by_C():
    "Which does nothing where automatic collections are off."
    before = gc.get_stats()[2]["collections"]
    gc.enable(), ctypes.pythonapi.PyGC_Collect(), gc.disable()
    assert gc.get_stats()[2]["collections"] == before + 1

def settle():
    "All that was promoted is known: each time some of it is, however slow the machine."
    for _ in range(20): gc.collect(1)

def begin():
    while not number("in_cycle"): ouro.gc.step(0.01)

gc.collect()
"""


def resting(code):
    return run(REST + textwrap.dedent(code), ouro="pause_us=1000")


def test_only_collections_that_promote_are_noticed():
    assert resting("""
    gc.collect(0)
    print(calls(0, 0, 0, 1, 0, 0, 1, 1, 0), gc.callbacks, rests())
    """) == "[0, 0, 0, 1, 0, 0, 1, 1, 0] [] True\n"


def test_each_collection_counts_while_a_cycle_is_in_progress():
    assert resting("""
    old = [Node() for _ in range(20_000)]
    gc.collect(1)
    begin()
    with ouro.gc.quiet(): print(calls(0, 0, 1, 0), gc.callbacks)
    while ouro.gc.step(): pass
    print(rests())
    """) == "[1, 1, 1, 1] []\nTrue\n"


def test_each_collection_counts_while_somebody_hears_of_pauses():
    assert resting("""
    seen = []
    gc.collect(0)
    @ouro.gc.on_pause
    def hear(pause): seen.append(pause.kind)
    print(calls(0, 0, 1, 0), seen)
    ouro.gc.off_pause(hear)
    print(rests(), len(seen))
    """) == "[1, 1, 1, 1] ['young', 'young', 'young', 'young']\nTrue 4\n"


def test_each_collection_counts_in_a_busy_collector():
    code = REST + "print(calls(0, 0, 1, 0))"
    assert run(code, ouro="pause_us=1000,gc_busy=1") == "[1, 1, 1, 1]\n"


AFTER = {
    "nothing": "",
    "a full collection": "gc.collect()",
    "one by C": "by_C()",
    "one by CPython": "gc.set_debug(gc.DEBUG_SAVEALL); gc.collect(); gc.set_debug(0)",
    "young ones by CPython": "gc.set_debug(gc.DEBUG_SAVEALL); calls(0, 1, 1, 0); gc.set_debug(0)",
    "freeze": "gc.freeze(); assert gc.get_freeze_count() > 0",
    "freeze and unfreeze": "gc.freeze(); gc.unfreeze()",
    "disabled": "gc.disable(); kept = [[] for _ in range(9000)]; gc.enable(); gc.disable()",
    "quiet": "with ouro.gc.quiet(): calls(0, 1, 0)",
    "a cycle": "ouro.gc.step(1000)",
    "a cycle that is ended": "begin(); gc.collect()",
    "a cycle that is ended by C": "begin(); by_C()",
    "a cycle that is frozen": "begin(); gc.freeze(); gc.unfreeze()",
    "many collections": "gc.enable(); kept = [[] for _ in range(300_000)]; gc.disable()",
    "no callbacks": "gc.callbacks.clear(); gc.callbacks = None",
    "it was taken out": "settle(); ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object("
    "[o for o in gc.get_objects(1) if type(o).__name__ == 'Marker'][0])); "
    "assert calls(1) == [0]; by_C()",
}


@pytest.mark.parametrize("what", AFTER)
def test_what_matters_is_noticed_after(what):
    code = f"""
    old = [Node() for _ in range(20_000)]
    gc.collect(1)
    {AFTER[what]}
    for _ in range(100):
        gc.collect(1)
        if number("in_cycle"): ouro.gc.step(10)
    print(rests(), gc.garbage)
    """
    assert resting(code) == "True []\n"


def test_what_matters_is_noticed_in_a_forked_child():
    assert resting("""
    import os
    def child():
        "What holds there."
        pid = os.fork()
        if pid: return os.waitpid(pid, 0)[1]
        os._exit(0 if number("in_cycle") == 0 and number("untimed") < 3 and rests() else 1)
    old = [Node() for _ in range(20_000)]
    settle()
    print(child(), rests())
    """) == "0 True\n"


def test_what_matters_is_noticed_after_a_freeze_by_a_finalizer():
    # in a batch, while the young generations are put aside
    assert resting("""
    class Last(Node):
        def __del__(self): gc.freeze(), gc.collect(1), gc.get_referrers(self)
    left = [Last() for _ in range(10)]
    gc.collect(1)
    del left
    while ouro.gc.step(): pass
    gc.unfreeze()
    gc.collect()
    print(nodes(), rests())
    """) == "0 True\n"


def test_what_is_ours_is_not_counted_as_promoted():
    assert resting("""
    before = number("pending")
    for _ in range(1000): gc.collect(1)
    print(number("pending") - before < 100)
    """) == "True\n"


def test_CPython_does_no_full_collection_meanwhile():
    # GIVEN collections as they come, with callbacks that come and go WHEN few objects stay THEN
    # full collections are those that were asked for
    assert resting("""
    from collections import deque
    kept = [[] for _ in range(100_000)]
    gc.collect()
    before, cycles = gc.get_stats(), number("cycles")
    gc.set_threshold(100, 1, 0)
    gc.enable()
    window = deque(maxlen=500)
    for i in range(200_000):
        window.append([])
        window[-1].append(window[-1])
        if i % 20_000 == 0: gc.callbacks.append(lambda phase, info: None)
        if i % 20_000 == 9_000: gc.callbacks.pop()
    gc.disable()
    done = [now["collections"] - was["collections"] for now, was in zip(gc.get_stats(), before)]
    print(done[1] > 500, done[2] - number("cycles") + cycles)
    """) == "True 0\n"


def test_where_it_is_lost_CPython_does_full_collections_again():
    # GIVEN a sentinel that is in no list, as only C code could do WHEN old objects gather THEN
    # CPython collects them, and from then on all is as before
    assert resting("""
    kept = [[] for _ in range(10_000)]
    gc.collect()
    calls(0)
    mine = [o for o in gc.get_objects(1) if type(o).__name__ == "Marker"]
    ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(mine.pop()))
    before = gc.get_stats()[2]["collections"]
    gc.enable()
    while gc.get_stats()[2]["collections"] == before and len(kept) < 10_000_000:
        kept += [[] for _ in range(1000)]
    gc.disable()
    gc.collect()
    print(len(kept) < 1_000_000, rests())
    """) == "True True\n"


# --- gc.callbacks ----------------------------------------------------------------------------------

HEAR = """
heard = []
def hear(phase, info):
    told = (phase, info["generation"], info["collected"], info["uncollectable"])
    if info["generation"] < 2: heard.append(told)
def drop(): Node(), Node()
"""


@pytest.mark.parametrize("way", ["collect", "mark", "batches"])
def test_C9_a_callback_hears_of_each_collection_once(way):
    # GIVEN callbacks from different times WHEN collections are asked for THEN each is heard by all,
    # with what was found, in the order of the list
    assert agrees("""
    gc.collect(0)
    begin()
    gc.collect(0)
    print(gc.callbacks)
    gc.callbacks.append(hear)
    for generation in (0, 1, 0, 1, 1, 0, 0):
        drop()
        gc.collect(generation)
    print(heard)
    also = []
    gc.callbacks.insert(0, lambda phase, info: also.append((phase, len(heard))))
    heard.clear()
    for generation in (0, 1, 0, 0):
        drop()
        gc.collect(generation)
    print(heard, also)
    del gc.callbacks[1]
    heard.clear()
    gc.collect(1), gc.collect(0)
    print(heard, len(also))
    gc.callbacks.clear()
    gc.collect(1), gc.collect(0)
    print(heard, len(also), gc.callbacks)
    """, way, setup=HEAR).startswith("[]\n[('start', 0, 0, 0), ('stop', 0, ")


@pytest.mark.parametrize("way", ["collect", "mark"])
def test_C9_callbacks_that_look_at_all_objects_do_not_disturb_the_next(way):
    # what tp_traverse is called for by others is no collection
    assert agrees("""
    def looks(phase, info):
        gc.get_referrers(looks), [gc.get_referents(o) for o in gc.get_objects()]
    gc.collect(0)
    begin()
    gc.callbacks.extend([looks, hear, looks, hear])
    for generation in (0, 1, 0, 1): gc.collect(generation)
    print([one[:2] for one in heard])
    """, way, setup=HEAR).count("'stop', 1") == 4


@pytest.mark.parametrize("way", ["collect", "mark"])
def test_C9_callbacks_that_come_and_go_in_a_collection(way):
    assert agrees("""
    def once(phase, info):
        gc.callbacks.remove(once)
        gc.callbacks.append(hear)
        gc.collect()
    def gone(phase, info):
        if phase == "stop": gc.callbacks.clear()
    gc.collect(0)
    begin()
    for generation in (0, 1):
        gc.callbacks.append(once)
        gc.collect(generation), gc.collect(0), gc.collect(1)
        gc.callbacks.append(gone)
        gc.collect(generation), gc.collect(0), gc.collect(1)
    print([one[:2] for one in heard], gc.callbacks)
    """, way, setup=HEAR).endswith(" []\n")


@pytest.mark.parametrize("way", ["collect", "mark"])
def test_C9_a_callback_sees_the_collection_and_what_garbage_of_it_did(way):
    # what is heard between start and stop is of the young garbage, not of the old
    assert agrees("""
    class Last(Node):
        def __del__(self): heard.append(self.name)
    begin()
    gc.collect(0)
    gc.callbacks.append(hear)
    Last("first"), gc.collect(0)
    Last("second"), gc.collect(1)
    gc.callbacks.remove(hear)
    print(heard)
    """, way, setup=HEAR).count("first") == 1
