# SPDX-License-Identifier: MIT
"""Heaps of containers, as lists of what holds them; made with the collector switched off."""

import gc
from collections import OrderedDict, deque
from contextlib import contextmanager
from random import Random

PER_RECORD = 4  # containers: an instance, a dict, a list and a tuple
RING = 10  # records
PAGE = 1000


class Record:
    def __init__(self, number: int) -> None:
        self.parts = [number]
        self.pair = (self.parts, number)
        self.info = {"number": number, "pair": self.pair}
        self.next = None


class Node:
    __slots__ = ("left", "right")

    def __init__(self) -> None:
        self.left = self.right = None


class Dictionary(dict):
    pass


@contextmanager
def switched_off():
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def link(records: list, others: list, draw) -> None:
    """Closes every ten neighbours to a ring, each with a reference to some record of the others."""
    count = len(others)
    for first in range(0, len(records), RING):
        ring = records[first : first + RING]
        last = ring[-1]
        for record in ring:
            last.next = last = record
            record.parts.append(others[int(draw() * count)])


def in_pages(records: list) -> list:
    """So that no single list holds them all."""
    return [records[i : i + PAGE] for i in range(0, len(records), PAGE)]


def records(containers: int, garbage: int) -> tuple:
    """Records linked at random: pages of the living ones, and one of each ring that is to be garbage.

    `garbage` percent of the rings, evenly among the living in memory, are referred to by nobody else."""
    living, doomed = [], []
    with switched_off():
        for number in range(containers // PER_RECORD):
            share = number // RING * 37 % 100
            (doomed if share < garbage else living).append(Record(number))
        draw = Random(1).random
        link(living, living, draw)
        link(doomed, living, draw)
        return in_pages(living), doomed[::RING]


def tree(nodes: int) -> Node:
    """A binary tree of which no node lies beside its neighbours."""
    with switched_off():
        places = [Node() for _ in range(nodes)]
        Random(1).shuffle(places)
        for i in range(1, nodes):
            parent = places[(i - 1) // 2]
            if i % 2:
                parent.left = places[i]
            else:
                parent.right = places[i]
        return places[0]


def ordered(lists: int) -> OrderedDict:
    return OrderedDict((i, []) for i in range(lists))


GIANTS = {
    "list": lambda n: [[] for _ in range(n)],
    "tuple": lambda n: tuple([] for _ in range(n)),
    "dict": lambda n: {i: [] for i in range(n)},
    "set": lambda n: {Node() for _ in range(n)},
    "deque": lambda n: deque([] for _ in range(n)),
    "dict_subclass": lambda n: Dictionary((i, []) for i in range(n)),
    "ordered_dict": ordered,
}


def giant(kind: str, items: int):
    """One container of so many others."""
    with switched_off():
        return GIANTS[kind](items)


def family(members: int) -> list:
    """A list of children that each refer to it."""
    parent = []
    parent.extend([parent] for _ in range(members))
    return parent


def ladder(members: int) -> Node:
    """A chain of nodes, linked in both directions."""
    first = last = Node()
    for _ in range(members - 1):
        node = Node()
        last.right, node.left = node, last
        last = node
    return first


COMPONENTS = {"family": family, "ladder": ladder}


def component(kind: str, members: int):
    with switched_off():
        return COMPONENTS[kind](members)
