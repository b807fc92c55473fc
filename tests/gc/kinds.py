# SPDX-License-Identifier: MIT
"""The kinds of objects random graphs are made of, and the wrappings an edge between two may have.

A node holds its token, an `object()` of its own: it tells which node it is, and its count of
references tells whether the node is still there, without asking any collector, weak reference or
finalizer. A node's places are values that lead to other nodes, each plain or in a wrapping.
"""

import _queue
import _thread
import collections
import contextvars
import ctypes
import functools
import io
import itertools
import types
import xml.etree.ElementTree as ElementTree


class Kind:
    """How to make, read and change nodes of one kind. `make` returns a node, `read` its token and
    the list of its places; `write` exchanges all places. Kinds that cannot be changed have
    `fixed`; those whose places nobody can read are `opaque`."""

    fixed = opaque = hashable = weakable = finalized = unordered = False
    most = 8

    def insert(self, node, at, value):
        values = self.read(node)[1]
        values.insert(at, value)
        self.write(node, values)

    def remove(self, node, at):
        values = self.read(node)[1]
        value = values.pop(at)
        self.write(node, values)
        return value


class List(Kind):
    most = 40

    def make(self, token, values):
        return [token, *values]

    def read(self, node):
        return node[0], node[1:]

    def write(self, node, values):
        node[1:] = values

    def insert(self, node, at, value):
        node.insert(at + 1, value)

    def remove(self, node, at):
        return node.pop(at + 1)


class Deque(List):
    weakable = True

    def make(self, token, values):
        return collections.deque([token, *values])

    def read(self, node):
        return node[0], list(node)[1:]

    def write(self, node, values):
        token = node[0]
        node.clear()
        node.append(token)
        node.extend(values)

    def remove(self, node, at):
        value = node[at + 1]
        del node[at + 1]
        return value


class SubclassedList(list):
    pass


class ListSubclass(List):
    weakable = True

    def make(self, token, values):
        return SubclassedList([token, *values])


class Dict(Kind):
    most = 40
    type = dict

    def make(self, token, values):
        node = self.type(token=token)
        node.update(enumerate(values))
        return node

    def read(self, node):
        return node["token"], [value for key, value in node.items() if key != "token"]

    def write(self, node, values):
        token = node["token"]
        node.clear()
        node["token"] = token
        node.update(enumerate(values))


class SubclassedDict(dict):
    pass


class DictSubclass(Dict):
    weakable = True
    type = SubclassedDict


class Ordered(Dict):
    weakable = True
    type = collections.OrderedDict


class Default(Dict):
    def type(self, token):
        return collections.defaultdict(list, token=token)


class Tuple(Kind):
    fixed = True

    def make(self, token, values):
        return (token, *values)

    def read(self, node):
        return node[0], list(node[1:])


class PaddedTuple(tuple):
    pass


class Padded(Tuple):
    """Larger than what pools serve, or than a page."""

    def make(self, token, values):
        size = 30_000 if hooks["coin"]() and hooks["coin"]() else 200
        return PaddedTuple((token, *values, *[None] * size))

    def read(self, node):
        return node[0], list(node[1:node.index(None)])


class Set(Kind):
    """Its places have no order and take only what can be hashed, each once."""

    weakable = unordered = True
    type = set

    def make(self, token, values):
        return self.type([token, *values])

    def read(self, node):
        (token,) = (value for value in node if type(value) is object)
        return token, [value for value in node if value is not token]

    def write(self, node, values):
        token = self.read(node)[0]
        node.clear()
        node.add(token)
        node.update(values)

    def insert(self, node, at, value):
        node.add(value)


class FrozenSet(Set):
    fixed = hashable = True
    type = frozenset


class Thing:
    """An instance with a dictionary (or what stands for one)."""

    def touch(self):
        return self


class Slotted:
    __slots__ = ("token", "p0", "p1", "p2", "__weakref__")

    def touch(self):
        return self


class Mourned(Thing):
    def __del__(self):
        hooks["died"](self.token)


class Phoenix(Thing):
    """Its finalizer makes it reachable again."""

    def __del__(self):
        hooks["died"](self.token)
        hooks["revive"](self)


class Spreader(Thing):
    """Its finalizer makes others reachable again."""

    def __del__(self):
        hooks["died"](self.token)
        for value in instance_places(self):
            hooks["revive"](unwrap(value))


class Busy(Thing):
    """Its finalizer calls the collector."""

    def __del__(self):
        hooks["died"](self.token)
        hooks["noise"]()


hooks = {}  # what finalizers call: died(token), revive(node), noise(); and coin(), a random bit
PLACES = tuple(f"p{i}" for i in range(12))


def instance_places(node):
    return [getattr(node, name) for name in PLACES if hasattr(node, name)]


class Instance(Kind):
    weakable = hashable = True

    def __init__(self, type_, most=8, finalized=False):
        self.type, self.most, self.finalized = type_, most, finalized

    def make(self, token, values):
        node = self.type()
        node.token = token
        self.write(node, values)
        return node

    def read(self, node):
        return node.token, instance_places(node)

    def write(self, node, values):
        for name in PLACES[:len(values)]:
            setattr(node, name, values[int(name[1:])])
        for name in PLACES[len(values):]:
            if hasattr(node, name):
                delattr(node, name)


class Failure(Kind):
    """An exception that holds its places by the frame it was raised in. Raised in a thread of its
    own: a frame holds those that called it, and these whatever their variables hold."""

    fixed = weakable = hashable = True
    type = type("GraphFailure", (Exception,), {"touch": Thing.touch})

    def make(self, token, values):
        box, done = [token, values], _thread.allocate_lock()
        done.acquire()
        _thread.start_new_thread(self.catch, (box, done))
        done.acquire()
        return box.pop()

    def catch(self, box, done):
        try:
            self.fail(box)
        except self.type as error:
            error.__traceback__ = error.__traceback__.tb_next
            box.append(error)
        done.release()

    def fail(self, box):
        token, values = box
        box.clear()
        error = self.type()
        error.token = token
        del token
        try:
            raise error
        finally:
            del error

    def read(self, node):
        return node.token, list(node.__traceback__.tb_frame.f_locals["values"])


class Class(Instance):
    """A class: always part of cycles with its own parts."""

    def __init__(self):
        super().__init__(type, most=4)

    def make(self, token, values):
        node = type("Made", (Thing,), {"token": token, "touch": classmethod(lambda cls: cls)})
        self.write(node, values)
        return node


class Closure(Kind):
    weakable = hashable = True

    def make(self, token, values):
        def node(new=None):
            nonlocal values
            if new is not None:
                values = new
            return token, values

        values = tuple(values)
        return node

    def read(self, node):
        token, values = node()
        return token, list(values)

    def write(self, node, values):
        node(tuple(values))


class Generator(Kind):
    """Suspended, its places in its locals."""

    weakable = hashable = True
    type = types.GeneratorType

    @staticmethod
    def body(token, values):
        while True:
            new = yield token, values
            if new is not None:
                values = new
            new = None

    def make(self, token, values):
        node = self.body(token, tuple(values))
        self.send(node, None)
        return node

    def send(self, node, value):
        return node.send(value)

    def read(self, node):
        token, values = self.send(node, None)
        return token, list(values)

    def write(self, node, values):
        self.send(node, tuple(values))


class MournedGenerator(Generator):
    finalized = True

    @staticmethod
    def body(token, values):
        try:
            while True:
                new = yield token, values
                if new is not None:
                    values = new
                new = None
        finally:
            hooks["died"](token)


class AsyncGenerator(Generator):
    @staticmethod
    async def body(token, values):
        while True:
            new = yield token, values
            if new is not None:
                values = new
            new = None

    def send(self, node, value):
        try:
            node.asend(value).send(None)
        except StopIteration as done:
            return done.value


@types.coroutine
def point(answer):
    return (yield answer)


class Coroutine(Generator):
    type = types.CoroutineType

    @staticmethod
    async def body(token, values):
        while True:
            new = await point((token, values))
            if new is not None:
                values = new
            new = None


class Stacked(Generator):
    """Suspended, its places only on its value stack."""

    fixed = opaque = True
    most = 3

    @staticmethod
    def body(token, box):
        box.reverse()
        if len(box) == 1:
            yield box.pop(), (yield token)
        elif len(box) == 2:
            yield box.pop(), [box.pop(), (yield token)]
        elif len(box) == 3:
            yield {1: box.pop(), 2: len((box.pop(), box.pop(), (yield token)))}
        yield token

    def make(self, token, values):
        node = self.body(token, list(values))
        next(node)
        return node

    def read(self, node):
        return node.gi_frame.f_locals["token"], []


class Ring(Kind):
    """Thousands of lists in one cycle, all of them one node: long, or wide with a parent's
    pointer in each."""

    fixed = True
    most = 0
    size = 3000

    def make(self, token, values):
        node = [token]
        if hooks["coin"]():
            node.append([[node, token] for _ in range(self.size)])
        else:
            node.append(functools.reduce(lambda last, _: [last, token], range(self.size), node))
        return node

    def read(self, node):
        token, inner = node
        if len(inner) == self.size:
            assert all(one[0] is node and one[1] is token for one in inner)
        else:
            for _ in range(self.size):
                assert inner[1] is token
                inner = inner[0]
            assert inner is node
        return token, []


KINDS = {
    "list": List(), "deque": Deque(), "list-subclass": ListSubclass(), "dict": Dict(),
    "dict-subclass": DictSubclass(), "ordered": Ordered(), "default": Default(),
    "tuple": Tuple(), "padded": Padded(), "set": Set(), "frozenset": FrozenSet(), "instance": Instance(Thing),
    "slots": Instance(Slotted, 3), "mourned": Instance(Mourned, 8, True),
    "phoenix": Instance(Phoenix, 8, True), "spreader": Instance(Spreader, 8, True),
    "busy": Instance(Busy, 8, True), "failure": Failure(), "class": Class(), "closure": Closure(),
    "generator": Generator(), "mourned-generator": MournedGenerator(),
    "async-generator": AsyncGenerator(), "coroutine": Coroutine(), "stacked": Stacked(),
    "ring": Ring(),
}
WEIGHTS = {"ring": 0.06, "class": 0.3, "list": 3, "dict": 2, "tuple": 2, "instance": 3}
OF_TYPE = {
    collections.deque: "deque", PaddedTuple: "padded", SubclassedList: "list-subclass",
    dict: "dict", tuple: "tuple",
    SubclassedDict: "dict-subclass", collections.OrderedDict: "ordered", set: "set",
    collections.defaultdict: "default", frozenset: "frozenset", Thing: "instance",
    Slotted: "slots", Mourned: "mourned", Phoenix: "phoenix", Spreader: "spreader", Busy: "busy",
    KINDS["failure"].type: "failure", type: "class", types.FunctionType: "closure",
    types.CoroutineType: "coroutine", types.AsyncGeneratorType: "async-generator",
}
GENERATORS = {KINDS[name].body.__code__: name
              for name in ("generator", "mourned-generator", "stacked")}


def kind_of(node):
    """The name of the kind a node has."""
    if type(node) is list:
        return "ring" if len(node) == 2 and type(node[1]) is list and _is_ring(node) else "list"
    if type(node) is types.GeneratorType:
        return GENERATORS[node.gi_code]
    return OF_TYPE[type(node)]


def _is_ring(node):
    """A list of one list is told from a ring by its inner list, which begins with no token."""
    return type(node[1][0]) is not object


def closed(node):
    """Whether a suspended kind's node has been run to its end by its finalizer."""
    for name in ("gi_frame", "cr_frame", "ag_frame"):
        if hasattr(node, name):
            return getattr(node, name) is None
    return False


# --- Edges ---------------------------------------------------------------------------------------

class File(io.BytesIO):
    """Its finalizer is written in C."""


class Box:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def _in_queue(value):
    queue = _queue.SimpleQueue()
    queue.put(value)
    return queue


def _from_queue(queue):
    value = queue.get()
    queue.put(value)
    return value


def _in_context(value):
    context = contextvars.Context()
    context.run(variable.set, value)
    return context


def _with(wrapping, value, name):
    setattr(wrapping, name, value)
    return wrapping


variable = contextvars.ContextVar("wrapped")

WRAPPINGS = {
    "queue": _in_queue,
    "context": _in_context,
    "repeat": itertools.repeat,
    "element": lambda value: _with(ElementTree.Element("e"), value, "text"),
    "file": lambda value: _with(File(), value, "value"),
    "ctypes": ctypes.py_object,
    "alias": lambda value: types.GenericAlias(list, (value,)),
    "partial": functools.partial,
    "cell": types.CellType,
    "box": Box,
    "iterator": lambda value: iter([value]),
    "slice": slice,
    "error": KeyError,
    "namespace": lambda value: types.SimpleNamespace(value=value),
    "property": lambda value: property(fdel=value) if callable(value) else Box(value),
    "method": lambda value: value.touch if hasattr(value, "touch") else Box(value),
    "view": lambda value: {0: value}.values(),
    "proxy": lambda value: types.MappingProxyType({0: value}),
}
UNWRAPPINGS = {
    _queue.SimpleQueue: _from_queue,
    contextvars.Context: lambda wrapped: wrapped[variable],
    itertools.repeat: next,
    ElementTree.Element: lambda wrapped: wrapped.text,
    File: lambda wrapped: wrapped.value,
    ctypes.py_object: lambda wrapped: wrapped.value,
    types.GenericAlias: lambda wrapped: wrapped.__args__[0],
    functools.partial: lambda wrapped: wrapped.func,
    types.CellType: lambda wrapped: wrapped.cell_contents,
    Box: lambda wrapped: wrapped.value,
    type(iter([])): lambda wrapped: wrapped.__reduce__()[1][0][0],
    slice: lambda wrapped: wrapped.stop,
    KeyError: lambda wrapped: wrapped.args[0],
    types.SimpleNamespace: lambda wrapped: wrapped.value,
    property: lambda wrapped: wrapped.fdel,
    types.MethodType: lambda wrapped: wrapped.__self__,
    type({}.values()): lambda wrapped: next(iter(wrapped)),
    types.MappingProxyType: lambda wrapped: wrapped[0],
}


def wrap(name, node):
    if name == "partial" and not callable(node):
        name = "box"
    return WRAPPINGS[name](node) if name else node


def unwrap(value):
    """The node a place leads to."""
    read = UNWRAPPINGS.get(type(value))
    return read(value) if read else value

