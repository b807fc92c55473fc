# SPDX-License-Identifier: MIT
"""12.5 million objects, of which 7.5 million tracked, linked at random; two full collections; free."""

import gc
import sys

from measure import phase, report, resident_bytes


class Node:
    __slots__ = ("links", "pair", "name", "weight")

    def __init__(self, i: int) -> None:
        self.links: list = []
        self.name = f"node {i}"
        self.weight = i * 0.5
        self.pair = (self.links, self.name)


def link(nodes: list) -> None:
    """To two random nodes each, by a linear congruence: cheap, and the same in every run."""
    count = len(nodes)
    at = 12345
    for node in nodes:
        at = (at * 1103515245 + 12345) & 0x7FFFFFFF
        node.links.append(nodes[at % count])
        at = (at * 1103515245 + 12345) & 0x7FFFFFFF
        node.links.append(nodes[at % count].pair)


def main() -> None:
    gc.disable()
    with phase("build"):
        nodes = [Node(i) for i in range(int(sys.argv[1]) // 5)]
    with phase("link"):
        link(nodes)
    print("full", resident_bytes())
    for k in (1, 2):
        with phase(f"collect{k}"):
            gc.collect()
    with phase("free"):
        del nodes
        gc.collect()
    report()


main()
