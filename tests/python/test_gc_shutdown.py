# SPDX-License-Identifier: MIT
"""The end of a program, at any point of a cycle: status, output and errors are those of stock."""

from gc_ways import WAYS, agrees, ends, ends_alike, in_ways, on_ouro

OURO_WAYS = in_ways(*(way for way in WAYS if way not in ("slices", "automatic")))

# Garbage and living things with something to say at the end; the program ends after it.
WORLD = """
    import atexit, os, threading
    class Says(Node):
        def __del__(self, write=os.write): write(1, b"%s\\n" % self.name)
    kept = [[Node(i), {"node": Node(i)}] for i in range(200)]
    left, living, falling = Says(b"left"), Says(b"living"), Says(b"falling")
    del falling.me
    age()
    begin()
    del left
"""


@OURO_WAYS
def test_the_end_of_the_code(way):
    # all three finalizers run, in whichever order the interpreter is taken apart
    stock, ours = ends(WORLD, way)
    assert ours[0] == stock[0] == 0 and ours[2] == stock[2] == ""
    assert sorted(ours[1].split()) == sorted(stock[1].split()) == ["falling", "left", "living"]


ENDS = {
    "exit": ("sys.exit(3)", 3),
    "exit with a text": ("sys.exit('message')", 1),
    "exception": ("raise ValueError('mine')", 1),
    "_exit": ("os._exit(4)", 4),
    "interrupt": ("raise KeyboardInterrupt", -2),
    "signal": ("os.kill(os.getpid(), 15)", -15),
    "abort": ("os.abort()", -6),
}


@in_ways("collect", "mark", "subtract", "held", "batches", "clean")
def test_every_kind_of_end(way):
    for how, (code, status) in ENDS.items():
        stock, ours = ends(WORLD + "    import resource\n"
                           "    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n    " + code, way)
        assert ours[0] == stock[0] == status, how
        assert sorted(ours[1].split()) == sorted(stock[1].split()), how
        assert ours[2].splitlines()[-1:] == stock[2].splitlines()[-1:], how


@OURO_WAYS
def test_functions_at_exit_may_collect(way):
    assert ends_alike("""
    import atexit
    def collects():
        print("collects", gc.collect() >= 0, nodes())
    def allocates():
        gc.enable()
        kept = [[Node()] for _ in range(100_000)]
        gc.disable()
        print("allocates", len(kept))
    def steps():
        full()
        print("steps", nodes())
    for function in collects, allocates, steps, gc.freeze, gc.unfreeze, collects:
        atexit.register(function)
    left = [Node(i) for i in range(100)]
    age()
    begin()
    del left
    """, way) == (0, "collects True 0\nsteps 0\nallocates 100000\ncollects True 0\n")


@OURO_WAYS
def test_finalizers_at_the_end_may_collect(way):
    # when modules are being taken apart
    status, out = ends_alike("""
    import os
    class Late:
        def __init__(self, name): self.name, self.me = name, self
        def __del__(self, gc=gc, write=os.write, range=range):
            gc.collect()
            gc.enable()
            rings = [[] for _ in range(3_000)]
            for ring in rings: ring.append(ring)
            del rings
            gc.collect()
            write(1, b"late\\n")
    late = Late("main")
    age()
    begin()
    """, way)
    assert (status, out) == (0, "late\n")


@OURO_WAYS
def test_steps_at_the_end_do_nothing_bad(way):
    # a finalizer that calls Ouro when it may be off already
    assert on_ouro("""
    import ouro
    import os
    class Late:
        def __init__(self): self.me = self
        def __del__(self, ouro=ouro, write=os.write, Error=RuntimeError):
            try: ouro._ouro._gc_step(1, True), ouro._ouro._gc_stats()
            except Error as error: write(1, str(error).encode())
            write(1, b"late\\n")
    late = Late()
    left = [Node() for _ in range(100)]
    age()
    begin()
    del left
    """, way).endswith("late\n")


@in_ways("collect", "mark", "subtract", "batches")
def test_threads_at_the_end(way):
    # one that is waited for, and some that are not, all busy making garbage
    assert ends_alike("""
    import threading, time
    def churn(rounds):
        for _ in range(rounds):
            kept = [[Node()] for _ in range(300)]
    left = [Node() for _ in range(100)]
    age()
    begin()
    del left
    gc.enable()
    for _ in range(3): threading.Thread(target=churn, args=(10**9,), daemon=True).start()
    def last():
        churn(50)
        print("last")
    threading.Thread(target=last).start()
    """, way, timeout=300) == (0, "last\n")


@in_ways("collect", "mark", "held", "batches")
def test_the_end_of_a_frozen_or_silent_program(way):
    for last in ("gc.freeze()", "gc.callbacks.clear()", "gc.set_threshold(0)", "gc.collect = None",
                 "gc.callbacks.append(1)", "gc.callbacks[:] = [print] * 0", "del sys.modules['gc']",
                 "sys.modules.clear()", "gc.set_debug(gc.DEBUG_SAVEALL)"):
        stock, ours = ends(f"""
        import os
        left = [Node(i) for i in range(50)]
        age()
        begin()
        del left
        kept = [[] for _ in range(1000)]
        print("end", flush=True)
        {last}
        """, way)
        assert ours[:2] == stock[:2] == (0, "end\n"), last
        assert ours[2].splitlines() == stock[2].splitlines(), last


@in_ways("collect", "mark", "subtract", "batches")
def test_what_is_listed_as_garbage_is_reported_at_the_end(way):
    status, out = ends_alike("""
    import warnings
    left = Node("left")
    age()
    begin()
    del left
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.garbage[:] = [o for o in gc.garbage if type(o) is Node]
    gc.set_debug(0)
    warnings.simplefilter("always")
    print(len(gc.garbage))
    """, way)
    assert (status, out) == (0, "1\n")


@in_ways("collect", "mark", "batches")
def test_a_program_that_collects_until_its_last_moment(way):
    assert agrees("""
    import weakref
    total = 0
    def note(): global total; total += 1
    for turn in range(30):
        node = Node(turn)
        weakref.finalize(node, note)
        age()
        if turn % 10 == 0: begin()
        del node
        if turn % 7 == 0: full()
    full()
    print(total, nodes())
    """, way) == "30 0\n"
