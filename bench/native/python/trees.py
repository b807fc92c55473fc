# SPDX-License-Identifier: MIT
"""As ../trees.c."""

import sys

from shared import Node, end, fail

LEAST_DEPTH = 4


def tree(depth):
    if depth == 0:
        return Node()
    return Node(tree(depth - 1), tree(depth - 1))


def count(node):
    return 1 if node.left is None else 1 + count(node.left) + count(node.right)


def expect(counted, trees, depth):
    if counted != trees * ((2 << depth) - 1):
        fail("a tree has not as many nodes as were made")


def many_trees(depth, trees):
    counted = 0
    for _ in range(trees):
        counted += count(tree(depth))
    expect(counted, trees, depth)
    return counted


def main(most):
    expect(count(tree(most + 1)), 1, most + 1)
    stays = tree(most)
    nodes = 0
    for depth in range(LEAST_DEPTH, most + 1, 2):
        nodes += many_trees(depth, 1 << (most - depth + LEAST_DEPTH))
    expect(count(stays), 1, most)
    print("nodes", nodes)


main(int(sys.argv[1]))
end()
