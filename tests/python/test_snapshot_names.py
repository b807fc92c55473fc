# SPDX-License-Identifier: MIT
"""What references are called in a snapshot, for each kind of holder. SEMANTICS M4."""

import pytest
from interpreter import VERSION
from snapheap import heap

HOLDERS = """
import collections, contextvars, datetime, functools, threading, types, weakref

class Plain:
    def __init__(self): self.first = [1]; self.second = [2]
class Slots:
    __slots__ = ("one", "two")
class Both(Slots):
    pass
class Dict(dict): pass
class List(list): pass
class Str(str): pass
Point = collections.namedtuple("Point", "x y")

target = ["the target"]
plain = Plain(); plain.first = target
dictated = Plain(); dictated.__dict__["other"] = target
dynamic = Plain(); vars(dynamic)["a b"] = target; vars(dynamic)["third"] = 3
slots = Slots(); slots.two = target
both = Both(); both.one = 1 << 70; both.free = target
listed = [1, target]
tupled = (1, 2, target)
inherited = List([1, target]); inherited.own = [3]
point = Point(target, 1)
text_keys = {"key": target}
int_keys = {-70_000_000_000: target}
big_keys = {1 << 80: target}
mixed = {"a": 1, (1, 2): target}
mapping = Dict(k=target); mapping.own = [4]
default = collections.defaultdict(list, k=target)
ordered = collections.OrderedDict(k=target)
counted = collections.Counter({"k": 5 << 70})
deque = collections.deque([1, target])
in_set = {"%d" % 12345}
def closure():
    variable = target
    def inner(given=target, *, keyword=target): return variable
    inner.extra = target
    return inner
function = closure()
closed = function.__closure__
cell = closed[0]
method = plain.__init__
partial = functools.partial(len, target, key=[5])
@functools.lru_cache(maxsize=4)
def cached(number): return target
cached(17 << 70)
unbounded = functools.lru_cache(maxsize=None)(lambda number: target)
unbounded(18 << 70)
def suspended(argument):
    local = [argument]
    yield 1
generator = suspended(target); next(generator)
async def awaiting(argument):
    await types.coroutine(lambda: (yield))()
coroutine = awaiting(target); coroutine.send(None)
def fails(argument):
    raise ValueError(target)
try: fails(target)
except ValueError as caught: error = caught
raised = error.__traceback__.tb_next
reference = weakref.ref(plain, function)
when = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=2)))
at = when.timetz()
span = range(10**30, 10**31)
cut = slice(target, 1 << 70)
space = types.SimpleNamespace(field=target)
class Described:
    wanted = target
    @property
    def computed(self): return 1
    @staticmethod
    def static(): pass
computed = vars(Described)["computed"]
static = vars(Described)["static"]
module = types.ModuleType("made"); module.entry = target
namespace = vars(module)
described = vars(Described)
snap({name: id(thing) for name, thing in globals().items() if name[0] != "_"})
coroutine.close()
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return heap(HOLDERS, tmp_path_factory.mktemp("names") / "names.snap")


def names_of(found, at):
    """What its references are called; those of its dictionary and, of a generator, of its frame are
    its own in versions that have no such objects until somebody asks."""
    names = found.named(at)
    for field in "__dict__", "gi_frame", "cr_frame":
        other = names.get(("attribute", field))
        if other and found.kind_of(at) in ("instance", "generator"):
            for (kind, label), target in found.named(other).items():
                names.setdefault(("attribute" if kind == "value" else kind, label), target)
    return names


TARGETS = [
    ("plain", "attribute", "first"),
    ("slots", "attribute", "two"),
    ("both", "attribute", "free"),
    ("listed", "index", 1),
    ("tupled", "index", 2),
    ("inherited", "index", 1),
    ("point", "index", 0),
    ("text_keys", "value", "key"),
    ("int_keys", "value", "-70000000000"),
    ("big_keys", "value", None),
    ("mixed", "value", None),
    ("mapping", "value", "k"),
    ("default", "value", "k"),
    ("ordered", "value", "k"),
    ("deque", "index", 1),
    ("cell", "attribute", "cell_contents"),
    ("generator", "local", "argument"),
    ("coroutine", "local", "argument"),
    ("cut", "attribute", "start"),
    ("namespace", "value", "entry"),
]


@pytest.mark.parametrize(("holder", "kind", "label"), TARGETS)
def test_m4_the_reference_has_the_name_that_code_knows_it_by(seen, holder, kind, label):
    # GIVEN an object that refers to the target THEN that reference is called as code calls it
    found, ids = seen
    assert names_of(found, ids[holder]).get((kind, label)) == ids["target"], found.objects[
        ids[holder]
    ]


# (holder, steps) where each step is (kind, label): a path to the target.
PATHS = [
    ("function", [("attribute", "__defaults__"), ("index", 0)]),
    ("function", [("attribute", "__kwdefaults__"), ("value", "keyword")]),
    ("function", [("attribute", "__closure__"), ("cellvar", "variable"),
                  ("attribute", "cell_contents")]),
    ("function", [("attribute", "__dict__"), ("value", "extra")]),
    ("partial", [("attribute", "args"), ("index", 0)]),
    ("generator", [("local", "local"), ("index", 0)]),
    ("error", [("attribute", "args"), ("index", 0)]),
    ("error", [("attribute", "__traceback__"), ("attribute", "tb_next"), ("attribute", "tb_frame"),
               ("local", "argument")]),
    ("method", [("attribute", "__self__"), ("attribute", "first")]),
    ("space", [("attribute", "__dict__"), ("value", "field")]),
    ("Described", [("attribute", "__dict__"), ("value", "wanted")]),
    ("module", [("attribute", "__dict__"), ("value", "entry")]),
    ("unbounded", [("attribute", "cache"), ("value", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "steps"), PATHS)
def test_m4_paths_are_named_step_by_step(seen, holder, steps):
    # GIVEN a holder some references away from the target THEN each step has its name
    found, ids = seen
    at = ids[holder]
    for step in steps:
        names = names_of(found, at)
        assert step in names, (step, names)
        at = names[step]
    assert at == ids["target"]


def test_m4_attributes_that_are_no_identifiers_have_names(seen):
    # GIVEN an instance whose dictionary was changed directly THEN its entries are named, too
    found, ids = seen
    names = names_of(found, ids["dynamic"])
    assert names.get(("attribute", "a b")) == ids["target"], names


def test_m4_a_bounded_cache_shows_keys_and_results(seen):
    # GIVEN a result in an lru_cache THEN the cache refers to it under the call's key
    found, ids = seen
    edges = found.objects[ids["cached"]]["edges"]
    assert (ids["target"], "value") in [(edge.target, edge.kind) for edge in edges]
    assert found.kind_of(ids["cached"]) == "lru_cache"


@pytest.mark.parametrize(
    ("holder", "names"),
    [
        ("plain", {"first", "second"}),
        ("computed", {"fget"}),
        ("static", {"__func__"}),
        ("when", {"tzinfo"}),
        ("at", {"tzinfo"}),
        ("span", {"start", "stop", "step", "length"}),
        ("reference", {"__callback__"}),
        ("method", {"__func__", "__self__"}),
        ("Plain", {"__dict__", "__bases__", "__mro__", "__name__", "__qualname__"}),
        ("error", {"args", "__traceback__"}),
        ("raised", {"tb_frame"}),
    ],
)
def test_m4_fields_have_names(seen, holder, names):
    # GIVEN objects of built-in types THEN their fields are called as their attributes
    found, ids = seen
    called = {label for kind, label in names_of(found, ids[holder]) if kind == "attribute"}
    assert names <= called, called


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("module", "made"),
        ("Plain", "__main__.Plain"),
        ("function", "__main__.closure.<locals>.inner"),
        ("generator", "suspended"),
    ],
)
def test_m4_titles_are_what_code_calls_them(seen, name, title):
    # GIVEN modules, classes, functions, generators THEN they are called by their names
    found, ids = seen
    assert found.objects[ids[name]]["title"] == title


def test_m4_code_is_called_by_where_it_is(seen):
    found, ids = seen
    code = found.named(ids["function"])["attribute", "__code__"]
    name = "closure.<locals>.inner" if VERSION >= (3, 11) else "inner"
    title = found.objects[code]["title"]
    assert title.startswith(f"{name} <string>:") and title.rsplit(":")[1].isdigit()


KINDS = {
    "plain": "instance", "text_keys": "dict", "mapping": "dict", "default": "dict", "listed": "list",
    "inherited": "list", "tupled": "tuple", "point": "tuple", "in_set": "set", "Plain": "type",
    "module": "module", "function": "function", "method": "method", "cell": "cell",
    "error": "exception", "raised": "traceback", "generator": "generator",
    "coroutine": "generator", "reference": "weakref", "partial": "partial", "span": "other",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(KINDS))
def test_m3_types_have_their_kinds(seen, name):
    # GIVEN an object of each kind THEN its type says so to readers
    found, ids = seen
    assert found.kind_of(ids[name]) == KINDS[name]


def test_m5_each_of_these_is_explained_to_the_last_reference(seen):
    # GIVEN holders of all kinds THEN no reference was found twice, and none of theirs is missing
    found, ids = seen
    assert found.overexplained() == []
    missing = {
        name: found.unexplained(at)
        for name, at in ids.items()
        if at in found.objects and found.unexplained(at) and found.type_of(at) != "type"
    }
    missing.pop("snap", None)  # the call in progress holds it
    assert missing == {}


def test_m4_private_keys_are_kept_back_when_asked(tmp_path):
    # GIVEN keys from outside and names in code WHEN a redacted snapshot is taken
    # THEN only the names are in the file
    code = """
secret = {"%s@example.org" % "user": 1, 4711 << 20: 2, "".join(["plain", "word"]): 3}
class Open: pass
thing = Open(); thing.attribute = secret
snap(ids(secret=secret, thing=thing), 1)
"""
    path = tmp_path / "a.snap"
    found, ids = heap(code, path)
    data = path.read_bytes()
    assert b"user@example.org" not in data and str(4711 << 20).encode() not in data
    assert b"plainword" not in data and found.facts["keys"] == "names"
    assert names_of(found, ids["thing"])["attribute", "attribute"] == ids["secret"]
    open_, ids = heap(code.replace(", 1)", ")"), path)
    assert b"user@example.org" in path.read_bytes() and open_.facts["keys"] == "all"


def test_m4_arguments_are_kept_back_when_asked(tmp_path):
    # GIVEN a program with its code in the command line WHEN a redacted snapshot is taken
    # THEN of the command there is only which interpreter it is
    code = "snap({}, 1)"
    found, _ = heap(code, tmp_path / "a.snap")
    assert found.facts["command"].startswith("/") and " " not in found.facts["command"]
    assert b"import gc, json" not in (tmp_path / "a.snap").read_bytes()
    heap(code.replace("{}, 1", ""), tmp_path / "a.snap")
    assert b"import gc, json" in (tmp_path / "a.snap").read_bytes()
