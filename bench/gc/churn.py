# SPDX-License-Identifier: MIT
"""Programs that leave cycles behind them: churn.py KIND COUNT BASE.

rings       pairs that refer to each other, the last 200,000 of them held
components  graphs of 100,000 containers that hang together, the last two of them held
chain       three lists linked both ways, one after the other, with a small cycle dropped at each link
exceptions  exceptions kept in the frames they came through, the last 2,000 of them held

They live beside a heap of BASE containers that stays.
"""

import sys
from collections import deque

import sliced
from graph import Node, records

COMPONENT = 100_000


def ring() -> Node:
    first, second = Node(), Node()
    first.left, second.left = second, first
    return first


def rings(count: int) -> None:
    window = deque(maxlen=200_000)
    for _ in range(count):
        window.append(ring())


def component() -> list:
    nodes = [Node() for _ in range(COMPONENT)]
    for i, node in enumerate(nodes):
        node.left, node.right = nodes[i * 7919 % COMPONENT], nodes[i - 1]
    return nodes[0]


def components(count: int) -> None:
    window = deque(maxlen=2)
    for _ in range(count):
        window.append(component())


def chain(links: int) -> None:
    for _ in range(3):
        last, window = Node(), deque(maxlen=50_000)
        for _ in range(links):
            node = Node()
            last.right, node.left = node, last
            last = node
            window.append(ring())
        del last, node


class Refused(Exception):
    pass


def fail(depth: int, payload: bytearray) -> None:
    if depth:
        fail(depth - 1, payload)
    try:
        raise Refused(depth)
    except Refused as error:
        kept = error  # the frame holds the exception, whose traceback holds the frame
        raise kept


def exceptions(count: int) -> None:
    window = deque(maxlen=2_000)
    for _ in range(count):
        try:
            fail(8, bytearray(2_000))
        except Refused as error:
            window.append(error)


KINDS = {"rings": rings, "components": components, "chain": chain, "exceptions": exceptions}


def main() -> None:
    kind, count = sys.argv[1], int(sys.argv[2])
    base = records(int(sys.argv[3]), 0)
    sliced.promote()
    pauses = sliced.Pauses()
    KINDS[kind](count)
    pauses.print_longest()
    sliced.finish()
    del base


main()
