# SPDX-License-Identifier: MIT
"""What CPython does in the scenarios of rules_weak.c and rules_finalizers.c, event by event.

Without an argument: prints each scenario's events. With the names of C files: compares them with the
texts that these files expect, `STORY(name, "events")` or, where Ouro does otherwise on purpose,
`DIFFERS(name, "events in CPython", "events in Ouro")`; a difference ends in status 1. The texts are those of
3.10 to 3.12; later ones clear weak references that finalizers made (gh-91636), and 3.15 clears those without
a callback behind the finalizers (gh-136189): status 77 there.
"""

import gc
import re
import sys
import weakref

events: list[str] = []
box: dict[str, object] = {}  # what a scenario holds from outside: the C tests' static variables
SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def say(text: str) -> None:
    events.append(text)


class Node:
    __slots__ = ("name", "at_end", "left", "right", "weak", "__weakref__")

    def __init__(self, name, left=None, right=None, weak=None, at_end=None):
        self.name, self.left, self.right, self.weak = name, left, right, weak
        self.at_end = at_end

    def __del__(self):
        say(f"del {self.name}")
        if self.at_end:
            self.at_end(self)


def tell(name):
    """A callback that says its weak reference's name."""
    return lambda ref: say(name if ref() is None else f"{name} alive")


def ring(*names):
    """Nodes that refer to the next by `left`, the last to the first."""
    nodes = [Node(name) for name in names]
    for i, node in enumerate(nodes):
        node.left = nodes[(i + 1) % len(nodes)]
    return nodes


def state(key) -> str:
    return "gone" if box[key]() is None else "alive"


def collect() -> None:
    gc.collect()
    say("collected")


# --- reference counting


@scenario
def finalizer_then_callback_then_references():
    x = Node("x", left=Node("y"))
    box["x"] = weakref.ref(x, tell("wx"))
    box["y"] = weakref.ref(x.left, tell("wy"))
    del x


@scenario
def alive_in_the_finalizer():
    x = Node("x", at_end=lambda self: say("w " + state("w")))
    box["w"] = weakref.ref(x, tell("w"))
    del x


@scenario
def youngest_first():
    x = Node("x")
    for name in "w1", "w2", "w3":
        box[name] = weakref.ref(x, tell(name))
    del x


@scenario
def all_are_cleared_before_the_first_callback():
    x = Node("x")
    box["plain"] = weakref.ref(x)
    box["w1"] = weakref.ref(x, lambda _: say("w1 plain " + state("plain")))
    box["w2"] = weakref.ref(x, lambda _: say("w2 w1 " + state("w1")))
    del x


@scenario
def dropped_by_an_earlier_callback():
    x = Node("x")
    box["w1"] = weakref.ref(x, tell("w1"))
    box["w2"] = weakref.ref(x, lambda _: (box.pop("w1"), say("w2 drops w1")))
    del x


@scenario
def a_dead_weak_reference_is_not_told():
    x = Node("x")
    box["w1"] = weakref.ref(x, tell("w1"))
    box["w2"] = weakref.ref(x, tell("w2"))
    del box["w2"], x


@scenario
def resurrected_by_its_finalizer():
    x = Node("x", at_end=lambda self: box.update(x=self))
    box["w"] = weakref.ref(x, tell("w"))
    del x
    say("w " + state("w"))
    del box["x"]


@scenario
def made_by_the_finalizer():
    def at_end(self):
        box["w"] = weakref.ref(self, tell("w"))

    x = Node("x", left=Node("y"), at_end=at_end)
    del x


@scenario
def callback_destroys_the_next():
    def callback(_):
        say("wx")
        del box["y"]
        say("wx ends")

    x, y = Node("x"), Node("y")
    box["y"] = y
    box["wx"] = weakref.ref(x, callback)
    box["wy"] = weakref.ref(y, tell("wy"))
    del y, x


@scenario
def a_chain_dies_from_its_head():
    x = Node("x", left=Node("y", left=Node("z")), right=Node("r"))
    del x


# --- cycles


@scenario
def callbacks_then_finalizers():
    a, b = ring("a", "b")
    box["wa"] = weakref.ref(a, lambda _: say("wa wb " + state("wb")))
    box["wb"] = weakref.ref(b, tell("wb"))
    del a, b
    collect()


@scenario
def gone_in_the_finalizer():
    a, b = ring("a", "b")
    a.at_end = lambda self: say("wb " + state("wb"))
    box["wb"] = weakref.ref(b)
    del a, b
    collect()


@scenario
def garbage_weak_references_are_not_told():
    a, b = ring("a", "b")
    a.weak = weakref.ref(b, tell("in the cycle"))
    box["w"] = weakref.ref(b, tell("outside"))
    del a, b
    collect()


@scenario
def not_told_where_both_cycles_are_garbage():
    a, b = ring("a", "b")
    c, d = ring("c", "d")
    c.weak = weakref.ref(a, tell("in the other cycle"))
    del a, b, c, d
    collect()


@scenario
def told_where_only_the_referent_is_garbage():
    a, b = ring("a", "b")
    c, d = ring("c", "d")
    c.weak = weakref.ref(a, tell("in the other cycle"))
    box["c"] = c
    del a, b, c, d
    collect()
    del box["c"]
    collect()


@scenario
def a_garbage_weak_reference_to_what_lives():
    x = box["x"] = Node("x")
    a, b = ring("a", "b")
    a.weak = weakref.ref(x, tell("w"))
    del x, a, b
    collect()
    del box["x"]


@scenario
def youngest_first_for_each_member_in_turn():
    a, b = ring("a", "b")
    for name, node in ("a1", a), ("b1", b), ("a2", a), ("b2", b):
        box[name] = weakref.ref(node, tell(name))
    del a, b, node
    collect()


@scenario
def references_are_whole_in_finalizers():
    a, b, c = ring("a", "b", "c")
    for node in a, b, c:
        node.at_end = lambda self: say(self.left.name + self.left.left.name)
    del a, b, c, node
    collect()


@scenario
def what_hangs_from_a_cycle():
    a, b = ring("a", "b")
    b.right = Node("t", left=Node("u"))
    del a, b
    collect()


@scenario
def a_cycle_resurrected_by_one_member():
    a, b = ring("a", "b")
    a.at_end = lambda self: box.update(a=self)
    box["w"] = weakref.ref(b, tell("w"))
    del a, b
    collect()
    say("w " + state("w"))
    box["w2"] = weakref.ref(box["a"].left, tell("w2"))
    del box["a"]
    collect()


@scenario
def part_of_the_garbage_resurrected():
    a, b = ring("a", "b")
    a.right = Node("t", at_end=lambda self: box.update(t=self))
    del a, b
    collect()
    del box["t"]
    say("end")


@scenario
def a_finalizer_breaks_its_cycle():
    def at_end(self):
        self.left = None
        say("broken")

    a, b, c = ring("a", "b", "c")
    a.at_end = at_end
    del a, b, c
    collect()


@scenario
def a_finalizer_makes_a_weak_reference_to_garbage():
    def at_end(self):
        box["w"] = weakref.ref(self.left, tell("w"))

    a, b = ring("a", "b")
    b.at_end = at_end
    del a, b
    collect()
    say("w " + state("w"))
    collect()


@scenario
def a_callback_collects():
    def callback(_):
        say("w")
        del box["c"]
        collect()

    a, b = ring("a", "b")
    c, d = ring("c", "d")
    box["c"] = c
    box["w"] = weakref.ref(a, callback)
    del a, b, c, d
    collect()
    collect()


@scenario
def a_finalizer_drops_the_last_outside_reference():
    def at_end(self):
        del box["x"]
        say("y ends")

    a, b = ring("a", "b")
    box["x"] = Node("x", left=a)
    y = Node("y", at_end=at_end)
    del a, b, y
    collect()


@scenario
def a_callback_makes_more_garbage():
    def callback(_):
        box["x"].left = None
        say("w ends")

    a, b = ring("a", "b")
    c = Node("c", left=a)
    box["x"] = Node("x", left=c)
    d, e = ring("d", "e")
    box["w"] = weakref.ref(d, callback)
    del a, b, c, d, e
    collect()
    collect()


# --- containers


@scenario
def a_key_dies_with_its_weak_value():
    d = box["d"] = weakref.WeakValueDictionary()
    v = Node("v")
    box["old"] = weakref.ref(v, tell("old"))
    d[Node("k")] = v
    box["young"] = weakref.ref(v, tell("young"))
    del v
    say(f"length {len(d)}")


@scenario
def a_value_dies_between_callbacks():
    d = box["d"] = weakref.WeakKeyDictionary()
    k = Node("k")
    box["old"] = weakref.ref(k, tell("old"))
    d[k] = Node("v")
    box["young"] = weakref.ref(k, tell("young"))
    del k


@scenario
def a_key_dies_between_callbacks_of_garbage():
    d = box["d"] = weakref.WeakValueDictionary()
    a, b = ring("a", "b")
    box["old"] = weakref.ref(a, tell("old"))
    d[Node("k")] = a
    box["young"] = weakref.ref(a, tell("young"))
    del a, b
    collect()


@scenario
def a_value_dies_with_its_weak_key():
    d = box["d"] = weakref.WeakKeyDictionary()
    k1, k2 = Node("k1"), Node("k2")
    d[k2] = Node("v2")
    d[k1] = Node("v1", left=k2)
    del k1, k2
    say(f"length {len(d)}")


@scenario
def a_value_that_refers_to_its_key():
    d = box["d"] = weakref.WeakKeyDictionary()
    k = Node("k")
    d[k] = Node("v", left=k)
    del k
    collect()
    say(f"length {len(d)}")
    del d, box["d"]
    collect()


@scenario
def garbage_leaves_a_weak_value_dictionary():
    d = box["d"] = weakref.WeakValueDictionary()
    a, b = ring("a", "b")
    d[Node("k")] = b
    a.at_end = lambda self: say(f"length {len(d)}")
    del a, b
    collect()


@scenario
def garbage_leaves_a_weak_key_dictionary():
    d = box["d"] = weakref.WeakKeyDictionary()
    a, b = ring("a", "b")
    d[b] = Node("v")
    a.at_end = lambda self: say(f"length {len(d)}")
    del a, b
    collect()


@scenario
def keys_of_a_garbage_dictionary_are_finalized_in_turn():
    k = Node("k")
    a, b = ring("a", "b")
    a.right = weakref.WeakValueDictionary({k: b})
    del k, a, b
    collect()


@scenario
def a_resurrected_dictionary():
    k = Node("k")
    a, b = ring("a", "b")
    a.at_end = lambda self: box.update(a=self)
    a.right = weakref.WeakValueDictionary({k: b})
    del k, a, b
    collect()
    say(f"length {len(box['a'].right)}")
    box["a"].right[Node("l")] = box["a"]
    say(f"length {len(box['a'].right)}")


def run(name: str) -> str:
    gc.collect()
    events.clear()
    SCENARIOS[name]()
    text = ", ".join(events)
    box.clear()
    gc.collect()
    return text


def expected_in(paths: list[str]) -> dict[str, str]:
    """The C files' expectations: adjacent string literals are one text, as in C."""
    source = "".join(open(path, encoding="utf-8").read() for path in paths)
    stories = re.findall(r'(?:STORY|DIFFERS)\((\w+),\s*((?:"[^"]*"\s*)+)[,)]', source)
    return {name: "".join(re.findall(r'"([^"]*)"', texts)) for name, texts in stories}


def main() -> int:
    if len(sys.argv) > 1 and sys.version_info >= (3, 13):
        print("skip: the texts are those of earlier versions")
        return 77
    gc.disable()
    seen = {name: run(name) for name in SCENARIOS}
    if len(sys.argv) == 1:
        for name, text in seen.items():
            print(f"{name}: {text}")
        return 0
    expected = expected_in(sys.argv[1:])
    wrong = [name for name in {**seen, **expected} if seen.get(name) != expected.get(name)]
    for name in wrong:
        print(f"{name}\n  CPython: {seen.get(name)}\n  C test:  {expected.get(name)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
