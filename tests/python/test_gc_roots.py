# SPDX-License-Identifier: MIT
"""What the collector marks from: locals and stacks of all threads' calls, and nothing that is gone."""

import pathlib
import subprocess
import textwrap

import pytest
from interpreter import PYTHON, VERSION, run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ASK = """import sys, sysconfig
print(sysconfig.get_path("include"), sysconfig.get_path("platinclude"),
      sysconfig.get_config_var("EXT_SUFFIX"), sep="\\n")"""

START = """
import asyncio, contextvars, dataclasses, gc, sys, threading, types
import gcroots_try
from gcroots_try import visited
class Thing:
    pass
def seen(thing, found=None):
    return any(other is thing for other in (visited() if found is None else found))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the module gcroots_try, for the interpreter under test."""
    folder = tmp_path_factory.mktemp("roots")
    include, platform, suffix = subprocess.check_output([PYTHON, "-c", ASK], text=True).split("\n")[
        :3
    ]
    folders = [f"-I{f}" for f in (ROOT / "include", ROOT / "python/ext/gc", include, platform)]
    sources = [ROOT / "python/ext/gc/roots.c", HERE / "gcroots_try.c"]
    command = [
        "cc",
        "-std=c11",
        "-O2",
        "-g",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fPIC",
        "-shared",
        "-D_GNU_SOURCE",
    ]
    subprocess.run(
        [*command, *folders, *sources, "-o", folder / f"gcroots_try{suffix}", "-ldl"], check=True
    )
    return folder


@pytest.fixture
def told(built):
    """Runs a snippet after START and returns what it printed."""

    def tell(code, *options, **settings):
        whole = START + textwrap.dedent(code)
        return run(whole, *options, ouro=None, PYTHONPATH=str(built), **settings).strip()

    return tell


# --- What must be found ---------------------------------------------------------------------------

FOUND = {
    "local of the caller": """
        def f():
            thing = Thing()
            return seen(thing)
        print(f())""",
    "local of callers far above": """
        def f(depth):
            thing = Thing()
            return seen(thing) and (depth == 0 or f(depth - 1))
        def g():
            thing = Thing()
            f(50)
            found = []
            h = lambda n: h(n - 1) if n else found.extend(visited())
            h(50)
            return seen(thing, found)
        print(g())""",
    "through calls by C": """
        def f():
            thing = Thing()
            return [*map(lambda _: sorted([1], key=lambda _: found.append(visited())), "a")] and thing
        found = []
        thing = f()
        print(seen(thing, found[0]))""",
    "what a local refers to": """
        def f():
            held = [Thing(), {"a": Thing()}]
            inner = held[0].inner = Thing()
            found = visited()
            return all(seen(o, found) for o in (held, held[0], held[1], inner))
        print(f())""",
    "cell": """
        def f():
            thing = Thing()
            def g():
                return thing, seen(thing)
            return g()[1]
        print(f())""",
    "argument, star arguments": """
        def f(a, *b, c=None, **d):
            found = visited()
            return seen(a, found) and seen(b, found) and seen(b[0], found) and seen(d["x"], found)
        print(f(Thing(), Thing(), x=Thing()))""",
    "function": """
        def f():
            def g():
                return seen(g)
            return g()
        print(f())""",
    "globals that only a function has": """
        def f():
            space = {"visited": visited}
            exec("def f(): return visited(), globals()", space)
            return space.pop("f")
        found, space = f()()
        print(seen(space, found))""",
    "globals of exec": """
        space = {"visited": visited, "seen": seen, "Thing": Thing}
        exec("thing = Thing(); found = visited()", space)
        print(seen(space, space["found"]) and seen(space["thing"], space["found"]))""",
    "locals of a class body": """
        class C:
            thing = Thing()
            found = visited()
        print(seen(C.thing, C.found))""",
    "generator that runs": """
        def f():
            thing = Thing()
            yield from g()
            yield thing
        def g():
            thing = Thing()
            found = visited()
            yield found
            yield thing
        found, inner, outer = f()
        print(seen(inner, found) and seen(outer, found))""",
    "generator that waits in a local": """
        def g():
            thing = things[0] = Thing()
            yield
        def f():
            generator = g()
            next(generator)
            thing = things.pop(0)
            del thing
            things.extend(o for o in visited() if type(o) is Thing)
            return len(things)
        things = [None]
        print(f() == 1)""",
    "another thread": """
        ready, done = threading.Event(), threading.Event()
        things = []
        def f():
            thing = Thing()
            things.append(id(thing))
            g()
        def g():
            ready.set()
            done.wait()
        thread = threading.Thread(target=f)
        thread.start()
        ready.wait()
        found = [id(o) for o in visited()]
        done.set()
        thread.join()
        print(things[0] in found)""",
    "many threads": """
        done, barrier = threading.Event(), threading.Barrier(41)
        things = []
        def f():
            thing = Thing()
            things.append(id(thing))
            barrier.wait()
            done.wait()
        threads = [threading.Thread(target=f) for _ in range(40)]
        [thread.start() for thread in threads]
        barrier.wait()
        found = {id(o) for o in visited()}
        done.set()
        [thread.join() for thread in threads]
        print(found.issuperset(things) and len(things) == 40)""",
    "thread's own data": """
        import ctypes
        get = ctypes.pythonapi.PyThreadState_GetDict
        get.restype = ctypes.c_void_p
        def f():
            thing = ctypes.cast(get(), ctypes.py_object).value["test"] = Thing()
            things.append(id(thing))
        things = []
        f()
        print(things[0] in map(id, visited()))""",
    "interpreter's own data": """
        import ctypes
        api = ctypes.pythonapi
        get, get_dict = api.PyInterpreterState_Get, api.PyInterpreterState_GetDict
        get.restype = get_dict.restype = ctypes.c_void_p
        def f():
            data = get_dict(ctypes.c_void_p(get()))
            thing = ctypes.cast(data, ctypes.py_object).value["test"] = Thing()
            things.append(id(thing))
        things = []
        f()
        print(things[0] in map(id, visited()))""",
    "context": """
        contextvars.ContextVar("v").set(Thing())
        print(contextvars.Context in map(type, visited()))""",
    "inside __init__ of a dataclass": """
        @dataclasses.dataclass
        class C:
            a: object
            def __post_init__(self):
                self.found = visited()
        def f():
            thing = Thing()
            c = C(thing)
            return seen(thing, c.found) and seen(c, c.found)
        print(all(f() for _ in range(100)))""",
    "inside __init__, specialised": """
        class C:
            def __init__(self, a):
                b = Thing()
                self.b = b
                self.found = visited()
        def f():
            for _ in range(100):
                c = C(Thing())
                yield seen(c, c.found) and seen(c.b, c.found)
        print(all(f()))""",
    "coroutines": """
        async def inner(thing):
            await asyncio.sleep(0)
            other = Thing()
            found = visited()
            return seen(thing, found) and seen(other, found)
        async def outer():
            thing = Thing()
            return await inner(thing) and all(await asyncio.gather(*[inner(Thing()) for _ in range(10)]))
        print(asyncio.run(outer()))""",
    "under a tracer": """
        found = []
        def tracer(frame, event, argument):
            thing = Thing()
            found.append(seen(thing) and seen(frame.f_code))
            return tracer
        def f(n):
            thing = Thing()
            return f(n - 1) if n else seen(thing)
        sys.settrace(tracer)
        result = f(20)
        sys.settrace(None)
        print(result and len(found) > 60 and any(found))""",
    "modules": """
        found = visited()
        print(all(seen(o, found) for o in (sys.modules, *sys.modules.values())))""",
}


if VERSION < (3, 11):
    del FOUND["generator that waits in a local"]  # its frame is an object, which it refers to


@pytest.mark.parametrize("what", FOUND)
def test_found(told, what):
    assert told(FOUND[what]) == "True"


@pytest.mark.parametrize("what", FOUND)
def test_found_in_dev_mode(told, what):
    """Freed memory is overwritten there: what is no object any more is noticed."""
    assert told(FOUND[what], "-X", "dev") == "True"


STACKS = """
def callee():
    return visited()
def inlined():
    pair = (Thing(), callee())
    return seen(*pair)
def from_c():
    pair = (Thing(), visited())
    return seen(*pair)
def in_generator():
    yield (Thing(), callee())
def deep(n):
    return (Thing(), deep(n - 1) if n else callee())
def all_of(pair):
    things = []
    while type(pair) is tuple:
        things.append(pair[0])
        pair = pair[1]
    return all(seen(thing, pair) for thing in things)
"""


@pytest.mark.skipif(VERSION < (3, 11), reason="no stack of a frame that runs is known")
def test_stacks_of_callers(told):
    ask = "print(inlined(), all(seen(*pair) for pair in in_generator()), all_of(deep(20)))"
    assert told(STACKS + ask) == "True True True"


@pytest.mark.skipif(VERSION < (3, 14), reason="the stack of a frame that calls C is not known")
def test_stacks_of_who_calls_c(told):
    assert told(STACKS + "print(from_c())") == "True"


# --- What must not happen -------------------------------------------------------------------------


def test_deep_recursion_is_bounded(told):
    """A visit looks at the newest calls of each thread, not at all."""
    code = """
    sys.setrecursionlimit(100_000)
    def f(n):
        thing = Thing()
        return (seen(thing), min(gcroots_try.seconds() for _ in range(9))) if n == 0 else f(n - 1)
    few, many = f(500), f(20_000)
    print(few[0], many[0], many[1][1] < few[1][1] + 1000, many[1][0] < 3 * few[1][0] + 1e-3)"""
    assert told(code) == "True True True True"


def test_many_deep_threads_are_bounded(told):
    code = """
    done, barrier = threading.Event(), threading.Barrier(41)
    def f(n):
        thing = [[n] for _ in range(20)]
        if n:
            f(n - 1)
        else:
            barrier.wait()
            done.wait()
    threads = [threading.Thread(target=f, args=(200,)) for _ in range(40)]
    [thread.start() for thread in threads]
    barrier.wait()
    found = gcroots_try.seconds()[1]
    done.set()
    [thread.join() for thread in threads]
    print(40_000 < found < 51_000)"""
    assert told(code) == "True"


def test_large_locals_are_not_gone_through(told):
    code = """
    def f(size):
        many = [Thing() for _ in range(size)]
        large = many, dict(enumerate(many)), set(many), tuple(many)
        return gcroots_try.seconds()[1]
    print(f(100_000) - f(1000) < 10)"""
    assert told(code) == "True"


def test_no_collection_starts(told):
    """Not even at the first visit, which makes objects, where one is due at the next."""
    code = """
    gc.callbacks.append(gcroots_try.watch)
    def f(n):
        if n:
            return f(n - 1)
        gc.set_threshold(1)
        return gcroots_try.collected()
    started = f(20)
    things = [Thing() for _ in range(50)]
    print(started, gcroots_try.watched()[0] > 0, gc.isenabled())"""
    assert told(code) == "False True True"


def test_switched_off_stays_off(told):
    assert told("gc.disable(); visited(); print(gc.isenabled())") == "False"


def test_end_of_the_interpreter(told):
    """What is taken apart is not looked at."""
    code = """
    import os
    class Late:
        def __del__(self, visited=visited, write=os.write):
            write(1, b"%d" % len(visited()))
    sys.late = Late()
    threading.Thread(target=threading.Event().wait, daemon=True).start()"""
    assert told(code) == "0"


@pytest.mark.skipif(VERSION < (3, 13), reason="nothing is published")
@pytest.mark.parametrize("place", range(2, 41))
def test_layout_that_does_not_agree(told, place):
    """Offsets that are not the known ones: frames are left alone, everything else is as before."""
    code = f"""
    import ctypes
    published = (ctypes.c_uint64 * 48).in_dll(ctypes.pythonapi, "_PyRuntime")
    checked = {sorted(PUBLISHED.get(VERSION, ()))}
    published[{place}] += 8
    def f():
        thing = Thing()
        return seen(thing)
    print(f() == ({place} not in checked), seen(sys))"""
    assert told(code) == "True True"


# Indices of the published words that count: free-threaded, of the thread state, of the frame.
PUBLISHED = {
    (3, 13): [2, 19, 23, 24, 25, 26, *range(28, 34)],
    (3, 14): [2, 22, 26, 27, 28, 29, *range(31, 38)],
    (3, 15): [2, 22, 26, 30, 31, 32, *range(39, 41)],
}

# --- Stress ---------------------------------------------------------------------------------------

WORK = """
import collections, copy, enum, functools, io, json, pickle, queue, random, re, typing
from typing import *

def work_json():
    return json.loads(json.dumps([{"a": [i, {"b": str(i)}], "c": None} for i in range(60)], indent=1))

def work_pickle():
    data = [collections.OrderedDict(a=i, b=Point(i, [i])) for i in range(40)]
    return copy.deepcopy(pickle.loads(pickle.dumps(data)))

@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: list = dataclasses.field(default_factory=list)
    def __post_init__(self):
        self.ring = [self]

def work_dataclasses():
    made = dataclasses.make_dataclass("Made", [("a", int), ("b", list, dataclasses.field())])
    return [dataclasses.asdict(made(i, [i])) for i in range(20)], sorted(Point(i) for i in range(50))

def work_typing():
    T = TypeVar("T")
    class G(Generic[T]):
        def f(self, a: "Optional[int]") -> Dict[str, List[T]]: ...
    class E(enum.Enum):
        A, B = 1, 2
    class N(NamedTuple):
        a: int
        b: Optional[str] = None
    return get_type_hints(G.f), G[int], E["A"], N(1), Union[int, Callable[[str], T]]

def work_generators():
    def tree(n):
        if n:
            yield from tree(n - 1)
            yield [n]
            yield from tree(n - 1)
    left = tree(9)
    next(left)
    return sum(len(x) for x in tree(7)), left, list(zip(tree(5), (lambda: (yield))(), range(9)))

def work_errors():
    class Error(Exception):
        def __init__(self, n):
            super().__init__(n)
            self.itself = self
    def f(n):
        held = [n]
        try:
            if n == 0:
                raise Error(n)
            f(n - 1)
        except Error as error:
            raise Error(n) from error
        finally:
            held.append(held)
    for _ in range(20):
        try:
            f(10)
        except Error:
            pass

class Final:
    def __init__(self):
        self.me = self
    def __del__(self):
        def f(n):
            return f(n - 1) if n else [gcroots_try.visited()[:0]]
        self.again = f(3)

def work_finalizers():
    def local():
        a, b = Final(), Final()
        a.b = b
        return a
    return [local() for _ in range(10)]

def work_threads():
    channel = queue.Queue()
    def f():
        for i in range(30):
            channel.put(json.dumps({"i": [i]}))
    threads = [threading.Thread(target=f) for _ in range(5)]
    [t.start() for t in threads]
    got = [json.loads(channel.get()) for _ in range(150)]
    [t.join() for t in threads]
    return got

def work_asyncio():
    async def produce(channel):
        for i in range(20):
            await channel.put([i])
            await asyncio.sleep(0)
    async def numbers(channel):
        for _ in range(60):
            yield await channel.get()
    async def main():
        channel = asyncio.Queue(5)
        tasks = [asyncio.create_task(produce(channel)) for _ in range(3)]
        got = [x async for x in numbers(channel)]
        await asyncio.gather(*tasks)
        return got
    return asyncio.run(main())

def work_compile():
    tree = re.compile("(a|b)*[c-f]{{2,5}}(?P<n>x+)").match("abcdxx")
    space = {}
    exec("class A:\\n x = [i for i in range(9)]\\n def f(self): super().__init__()\\nA().f()", space)
    return tree, functools.reduce(lambda a, b: [a, b], range(200)), sorted(range(90), key=lambda i: [-i])
"""

RUN = """
works = [f for name, f in list(globals().items()) if name.startswith("work_")]
gc.callbacks.append(gcroots_try.watch)
gc.set_threshold({threshold}, 3, 20)
sys.setswitchinterval(1e-4)
for _ in range({rounds}):
    for work in works:
        work()
gc.callbacks.clear()
calls, objects = gcroots_try.watched()
print(calls > {rounds} * 50 and objects > 100 * calls)
"""


@pytest.mark.parametrize("options", [[], ["-X", "dev"]], ids=["plain", "dev"])
def test_stress(told, options):
    """A visit at both ends of each young collection: each object it gets to is one."""
    threshold = 10
    assert told(WORK + RUN.format(threshold=threshold, rounds=3), *options) == "True"


@pytest.mark.parametrize("options", [[], ["-X", "dev"]], ids=["plain", "dev"])
def test_stress_under_a_tracer(told, options):
    code = """
    def tracer(frame, event, argument):
        held = [frame]
        return tracer
    threading.settrace(tracer)
    sys.settrace(tracer)"""
    code = WORK + textwrap.dedent(code) + RUN.format(threshold=100, rounds=1).replace("* 50", "* 5")
    assert told(code, *options) == "True"
