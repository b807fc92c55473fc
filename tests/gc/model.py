# SPDX-License-Identifier: MIT
"""What must be alive: a graph of numbers beside the graph of objects, and the comparison of both."""

import collections
import gc
import sys
import weakref

import kinds
from kinds import KINDS


class Wrong(Exception):
    """The collector did what it must not do, or did not what it must."""


def demand(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


class World:
    """Nodes have serial numbers. `roots` holds objects, `root_serials` says which; `hidden` are
    those that are held by some frame, thread or function in C instead. In `limbo` is what came
    back: by its finalizer, or taken from a weak reference when it may have been garbage already;
    what is there depends on the collector's moment, so nothing is chosen from it."""

    def __init__(self, rng):
        self.rng = rng
        self.tokens, self.serials = [], {}
        self.kinds, self.edges = [], []
        self.roots, self.root_serials = [], []
        self.hidden = []
        self.limbo, self.held = [], set()
        self.died, self.died_seen = [], 0
        self.fired, self.fired_seen = [], 0
        self.watches = []  # (serial, weak reference, whether it has a callback)
        self.values = weakref.WeakValueDictionary()
        self.remembered = set()
        self.frozen = 0
        self.report = []  # what stock must agree with
        base = [object()]
        self.only_known = sys.getrefcount(base[0])
        kinds.hooks.update(died=self.on_death, revive=self.limbo.append, noise=lambda: None,
                           coin=lambda: rng.random() < 0.5)

    # --- Making and changing ---

    def make(self, name, serials, wrappings):
        """A new node with edges to others, which need not be in the roots."""
        serial, token = len(self.tokens), object()
        kind = KINDS[name]
        serials = [s for s in serials if not kind.unordered or KINDS[self.kinds[s]].hashable]
        if kind.unordered:
            serials, wrappings = list(dict.fromkeys(serials)), [None] * len(serials)
        places = [kinds.wrap(w, self.fetch(s))
                  for w, s in zip(wrappings[:kind.most], serials[:kind.most])]
        self.tokens.append(token)
        self.serials[id(token)] = serial
        self.kinds.append(name)
        self.edges.append(serials[:len(places)])
        return serial, kind.make(token, places)

    def add_root(self, serial, node):
        self.roots.append(node)
        self.root_serials.append(serial)

    def take_root(self, at):
        """Serial and node, which the caller must hold now, or let die."""
        return self.root_serials.pop(at), self.roots.pop(at)

    def insert(self, holder, at, target, wrapping):
        kind = KINDS[self.kinds[holder]]
        if kind.unordered:
            if not KINDS[self.kinds[target]].hashable or target in self.edges[holder]:
                return
            wrapping = None
        kind.insert(self.fetch(holder), at, kinds.wrap(wrapping, self.fetch(target)))
        self.edges[holder].insert(at, target)

    def remove(self, holder, at):
        """Takes an edge away; the place's value."""
        node, kind = self.fetch(holder), KINDS[self.kinds[holder]]
        serial = self.edges[holder].pop(at)
        if not kind.unordered:
            return serial, kind.remove(node, at)
        value = self.element(node, serial)
        node.discard(value)
        return serial, value

    # --- Finding ---

    def serial_of(self, node):
        return self.serials[id(KINDS[kinds.kind_of(node)].read(node)[0])]

    def element(self, node, serial):
        """Of a set, the element that is this node."""
        for value in KINDS[kinds.kind_of(node)].read(node)[1]:
            if self.serial_of(value) == serial:
                return value
        raise Wrong(f"{serial} is not in its set any more")

    def reachable(self, starts):
        seen, todo = set(starts), list(starts)
        while todo:
            for serial in self.edges[todo.pop()]:
                if serial not in seen:
                    seen.add(serial)
                    todo.append(serial)
        return seen

    def must_live(self):
        return self.reachable(self.root_serials + self.hidden)

    def paths(self):
        """The serials that can be fetched, in an order that depends on the model alone, each with
        the holder and the place it is found by; None, i: root i."""
        found = {serial: (None, i) for i, serial in reversed(list(enumerate(self.root_serials)))}
        todo = collections.deque(found)
        while todo:
            holder = todo.popleft()
            if KINDS[self.kinds[holder]].opaque:
                continue
            for at, serial in enumerate(self.edges[holder]):
                if serial not in found:
                    found[serial] = holder, at
                    todo.append(serial)
        return found

    def fetch(self, serial):
        """The object. It walks from a root, so that the model holds nothing."""
        found, path = self.paths(), []
        while serial is not None:
            path.append((serial, *found[serial]))
            serial = found[serial][0]
        node = None
        for serial, holder, at in reversed(path):
            if holder is None:
                node = self.roots[at]
            elif KINDS[self.kinds[holder]].unordered:
                node = self.element(node, serial)
            else:
                node = kinds.unwrap(KINDS[self.kinds[holder]].read(node)[1][at])
        return node

    # --- Watching ---

    def on_death(self, token):
        self.died.append(self.serials[id(token)])

    def watch(self, serial, callback):
        node = self.fetch(serial)
        call = (lambda _: self.fired.append(serial)) if callback else None
        self.watches.append((serial, weakref.ref(node, call), callback))

    def remember(self, serial):
        self.values[serial] = self.fetch(serial)
        self.remembered.add(serial)

    # --- Checking ---

    def alive(self, serial):
        return sys.getrefcount(self.tokens[serial]) > self.only_known

    def check(self):
        """Everything that must be there is there and as it was; nobody was told of its death."""
        live = self.must_live()
        self.check_messages(live)
        for serial in live:
            demand(self.alive(serial), f"{serial}, a {self.kinds[serial]}, must be alive")
        self.walk(list(zip(self.roots, self.root_serials)), set())
        self.check_weak(live)
        # Not what hangs on what can be fetched: that may be changed.
        seen = set(live)
        self.walk([(node, self.serial_of(node)) for node in list(self.limbo)
                   if not kinds.closed(node)], seen, came_back=True)
        self.check_messages(live)  # a collection in the course of this is no news for the next
        self.held = seen - live

    def check_messages(self, live):
        """Finalizers and callbacks of what was reachable all the time since the last check."""
        died, fired = self.died[self.died_seen:], self.fired[self.fired_seen:]
        self.died_seen, self.fired_seen = len(self.died), len(self.fired)
        for serial in died:
            demand(serial not in live and serial not in self.held,
                   f"finalizer of {serial}, a {self.kinds[serial]}, which is reachable")
        for serial in fired:
            demand(serial not in live, f"callback for {serial}, which is reachable")
        twice = [s for s, n in collections.Counter(self.died).items() if n > 1]
        demand(not twice, "finalizers ran twice:", twice)

    def check_weak(self, live):
        for serial, reference, _ in self.watches:
            if serial in live:
                demand(reference() is not None, f"weak reference to {serial} is dead")
        for serial in self.remembered & live:
            demand(serial in self.values, f"{serial} is not in the weak dictionary")

    def walk(self, todo, seen, came_back=False):
        """Compares objects with the model. What came back may have closed generators."""
        while todo:
            node, serial = todo.pop()
            if serial in seen:
                continue
            seen.add(serial)
            name, kind = self.kinds[serial], KINDS[self.kinds[serial]]
            demand(kinds.kind_of(node) == name, f"{serial} is not a {name} but a {type(node).__name__}")
            if came_back and kinds.closed(node):
                seen.discard(serial)
                continue
            token, places = kind.read(node)
            demand(token is self.tokens[serial], f"the token of {serial} is wrong")
            if kind.opaque:
                continue
            children = [kinds.unwrap(value) for value in places]
            demand(len(children) == len(self.edges[serial]), f"{serial}, a {name}, has "
                   f"{len(children)} places instead of {len(self.edges[serial])}")
            if kind.unordered:
                todo += [(child, self.serial_of(child)) for child in children
                         if not kinds.closed(child)]
            else:
                todo += zip(children, self.edges[serial])

    def check_lists(self, serials):
        """gc.get_objects() and gc.get_referrers() know the tracked ones among these."""
        known = {id(o) for o in gc.get_objects()}
        for serial in serials:
            node = self.fetch(serial)
            if gc.is_tracked(node):
                demand(id(node) in known, f"gc.get_objects() lacks {serial}")
        for at, node in enumerate(self.roots[:2]):
            if gc.is_tracked(node) and gc.is_tracked(self.roots):
                demand(any(o is self.roots for o in gc.get_referrers(node)),
                       f"gc.get_referrers() of {self.root_serials[at]} lacks the list of roots")

    def check_gone(self):
        """After complete collections: what is not reachable is gone, and everybody was told."""
        live = self.must_live()
        left = [f"{s} ({self.kinds[s]})" for s in range(len(self.tokens))
                if s not in live and self.alive(s)]
        demand(not left, "garbage is left:", *left)
        told = collections.Counter(self.died)
        for serial, name in enumerate(self.kinds):
            if KINDS[name].finalized and serial not in live:
                demand(told[serial] == 1, f"finalizer of {serial}, a {name}: {told[serial]} times")
        wanted = collections.Counter(s for s, _, call in self.watches if call and s not in live)
        demand(collections.Counter(self.fired) == wanted, "callbacks of weak references:",
               collections.Counter(self.fired), "instead of", wanted)
        demand(set(self.values) == self.remembered & live, "the weak dictionary has",
               set(self.values), "instead of", self.remembered & live)
        self.report.append((sorted(self.died), sorted(self.fired), len(live)))
