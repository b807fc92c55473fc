# SPDX-License-Identifier: MIT
"""As ../gcbench.c."""

import sys
from array import array

from shared import end, fail

LEAST_DEPTH = 4
ARRAY = 500_000


class Node:
    __slots__ = ("left", "right", "i", "j")

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right
        self.i = self.j = 0


def size(depth):
    return (2 << depth) - 1


def populate(depth, node):
    if depth <= 0:
        return
    node.left = Node()
    node.right = Node()
    populate(depth - 1, node.left)
    populate(depth - 1, node.right)


def tree(depth):
    if depth <= 0:
        return Node()
    return Node(tree(depth - 1), tree(depth - 1))


def construct(depth, most):
    trees = 2 * size(most + 2) // size(depth)
    for _ in range(trees):
        populate(depth, Node())
    for _ in range(trees):
        tree(depth)
    return 2 * trees * size(depth)


def count(node):
    return 1 if node.left is None else 1 + count(node.left) + count(node.right)


def main(most):
    tree(most + 2)
    stays = Node()
    populate(most, stays)
    numbers = array("d", bytes(8 * ARRAY))
    for i in range(1, ARRAY // 2):
        numbers[i] = 1.0 / i
    nodes = sum(construct(depth, most) for depth in range(LEAST_DEPTH, most + 1, 2))
    if count(stays) != size(most):
        fail("the tree that stays has changed")
    if numbers[1000] != 1.0 / 1000:
        fail("the array has changed")
    print("nodes", nodes)


main(int(sys.argv[1]))
end()
