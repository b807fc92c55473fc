# SPDX-License-Identifier: MIT
"""Snapshots drawn in Python, written as docs/snapshot-format.md has it: what the verbs say of them is
known to the last byte."""

import itertools
import struct
import zlib

KINDS = ("other instance dict list tuple set str bytes number type module function method code cell frame "
         "traceback exception generator task context weakref lru_cache partial thread_local capsule").split()
LABELS = "unnamed index key value attribute local cell internal".split()
ROOTS = "module frame thread interpreter type native uncollectable".split()
SAME = 128  # stands for the target before
TITLE, KEY_STR, KEY_INT = range(3)
WORD, STR, BYTES, INT, FLOAT = range(1, 6)
CUT = 8
TRACKED, IMMORTAL, UNCOLLECTABLE = 4, 8, 128
FACTS, TYPES, NAMES, OBJECTS, TEXTS, ROOT_BLOCK, END, CONTENTS = range(1, 9)


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def signed(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(len(value)) + value


class Object:
    def __init__(self, heap, address, type, size, extra, flags):
        self.heap, self.address, self.type, self.size = heap, address, type, size
        self.extra, self.flags, self.edges, self.found, self.digest = extra, flags, [], 0, 0

    def holds(self, other, kind="unnamed", label=None):
        """A reference that the other one's count has, too. Returns the other one."""
        self.edges.append((kind, label, other))
        other.found += 1
        return other

    def says(self, form, value):
        """What the file has as its value. Returns itself."""
        self.heap.contents.append((self.address, form, value))
        return self

    def item(self, key, value, key_kind=KEY_STR):
        """An entry of a mapping."""
        self.holds(self.heap.key(key, key_kind), "key")
        return self.holds(value, "value")


class Heap:
    def __init__(self, **facts):
        self.facts = {"writer": "cpython", "pid": 4711, "command": "python shop.py", **facts}
        self.types, self.names, self.objects, self.texts, self.roots, self.keys = [], [], [], [], [], {}
        self.contents = []
        self.addresses = itertools.count(0x7F0000001000, 0x40)

    def type(self, name, kind="instance"):
        if (kind, name) not in self.types:
            self.types.append((kind, name))
        return self.types.index((kind, name))

    def object(self, type="shop.Thing", size=64, *, kind="instance", title=None, extra=0, flags=TRACKED):
        made = Object(self, next(self.addresses), self.type(type, kind), size, extra, flags)
        self.objects.append(made)
        if title is not None:
            self.texts.append((made.address, TITLE, title))
        return made

    def key(self, value, kind=KEY_STR):
        if value not in self.keys:
            made = self.object("str" if kind == KEY_STR else "int", 56, kind="str", flags=0)
            self.keys[value] = made
            self.texts.append((made.address, kind, value))
        return self.keys[value]

    def module(self, name):
        """A module that is a root; returns its namespace."""
        made = self.object("module", 72, kind="module", title=name)
        self.roots.append(("module", made, name))
        return made.holds(self.object("dict", 232, kind="dict"), "internal", "__dict__")

    def root(self, kind, target, name=""):
        self.roots.append((kind, target, name))
        return target

    # --- The file ---

    def edge(self, before, kind, label, target):
        """A run of one edge; `before`: the targets before it, of values and of other kinds."""
        out = varint(LABELS.index(kind) + (16 if kind == "key" else 8))
        if kind == "index":
            out += varint(label)
        elif LABELS.index(kind) >= LABELS.index("attribute"):
            if label not in self.names:
                self.names.append(label)
            out += varint(self.names.index(label))
        step = (target.address - before[kind == "value"]) // 8
        before[kind == "value"] = target.address
        return out + (signed(step) if step else bytes([0, SAME]))

    def payload(self):
        out, last = b"", 0
        for one in self.objects:
            header = 1 | 2 | 4 | (8 if one.digest else 0) | (16 if one.edges else 0)
            out += signed((one.address - last) // 8) + varint(one.type) + bytes([header])
            out += varint(one.flags) + varint(one.size) + varint(one.found + one.extra)
            out += struct.pack("<I", one.digest) if one.digest else b""
            last = one.address
            if one.edges:
                before = [one.address, one.address]
                out += varint(len(one.edges)) + b"".join(self.edge(before, *edge) for edge in one.edges)
        return out

    def blocks(self):
        yield FACTS, b"".join(text(k) + text(str(v)) for k, v in self.facts.items())
        yield TYPES, b"".join(
            varint(i) + varint(KINDS.index(kind)) + varint(2) + varint(0) + varint(0) + text(name)
            for i, (kind, name) in enumerate(self.types))
        yield OBJECTS, self.payload()
        yield NAMES, b"".join(varint(i) + text(name) for i, name in enumerate(self.names))
        if self.texts:
            yield TEXTS, varint(0) + b"".join(signed(a // 8) + varint(kind) + text(value)
                                              for a, kind, value in self.texts)
        yield ROOT_BLOCK, b"".join(
            varint(ROOTS.index(kind)) + varint(target.address // 8) + text(name)
            for kind, target, name in self.roots)
        if self.contents:
            yield CONTENTS, varint(0) + b"".join(
                signed(a // 8) + varint(form) + text(value) for a, form, value in self.contents)
        yield END, b"".join(map(varint, (
            len(self.objects), sum(len(one.edges) for one in self.objects), len(self.types), len(self.names),
            len(self.texts), len(self.roots))))

    def write(self, path, *, finished=True):
        with open(path, "wb") as out:
            out.write(b"ouroheap" + struct.pack("<II", 1, 0))
            for kind, payload in self.blocks():
                if kind == END and not finished:
                    break
                head = struct.pack("<II", kind, len(payload))
                out.write(head + struct.pack("<II", zlib.crc32(head + payload), 0))
                out.write(payload + bytes(-len(payload) % 8))
        return path


def shop(sessions=12, *, leaked=0, size=1000, time=1_700_000_000, **facts):
    """A shop whose module keeps a cache of sessions, a ring that hangs on it, and a ring that is garbage.
    `leaked` sessions have each one reference that nobody released."""
    heap = Heap(time=time, **facts)
    namespace = heap.module("shop.cache")
    cache = namespace.item("CACHE", heap.object("dict", 10_000, kind="dict"))
    for i in range(sessions):
        session = cache.item(f"user:{i}", heap.object("shop.models.Session", size))
        session.extra = int(i < leaked)
    tree = namespace.item("TREE", heap.object("shop.models.Node", 48))
    leaf = tree.holds(heap.object("shop.models.Node", 48), "attribute", "child")
    leaf.holds(tree, "attribute", "parent")
    lost = heap.object("shop.models.Lost", 500)
    lost.holds(heap.object("shop.models.Lost", 500), "attribute", "other").holds(lost, "attribute", "owner")
    heap.session = session if sessions else None
    heap.cache, heap.tree, heap.lost = cache, tree, lost
    return heap
