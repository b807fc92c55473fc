# SPDX-License-Identifier: MIT
"""About 7 million objects of seven kinds, built with the collector on, walked, freed."""

import sys

from measure import phase, report, resident_bytes


class Slots:
    __slots__ = ("plain", "next")

    def __init__(self, plain: object, next: object) -> None:
        self.plain = plain
        self.next = next


class Plain:
    def __init__(self, parts: list, pair: tuple) -> None:
        self.parts = parts
        self.pair = pair


def build(count: int) -> Slots:
    node = None
    for i in range(count):
        mapping = {"key": f"object number {i}"}
        node = Slots(Plain([mapping, node], (i * 0.5, mapping)), node)
    return node


def walk(node: Slots) -> int:
    length = 0
    while node is not None:
        length += len(node.plain.parts[0]["key"]) + len(node.plain.pair)
        node = node.next
    return length


def free(node: Slots) -> None:
    """From the head on, so that destruction does not recurse."""
    while node is not None:
        node.plain.parts.clear()
        node = node.next


def main() -> None:
    with phase("build"):
        head = build(int(sys.argv[1]) // 7)
    with phase("walk"):
        walk(head)
    print("full", resident_bytes())
    with phase("free"):
        chain, head = head, None
        free(chain)
        while chain is not None:
            chain = chain.next
    report()


main()
