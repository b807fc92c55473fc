# SPDX-License-Identifier: MIT
"""The collector was turned off for speed, and the tree's nodes know their parents.

class: collector off
name: Node
bytes: 2.8 MiB ± 20 %
"""

import gc

from corpus import CLEAN, SIZE, moments

gc.disable()


class Node:
    def __init__(self, parent, number):
        self.parent = parent
        self.text = f"node {number}"
        self.children = []
        if parent:
            parent.children.append(self)


def parse(number):
    tree = Node(None, number)
    for n in range(10):
        Node(tree, n)


for turn in moments():
    for number in range(600 * SIZE):
        parse(number)
    if CLEAN:
        gc.collect()  # the cure: between two requests, or `ouro run --pause 1ms`
