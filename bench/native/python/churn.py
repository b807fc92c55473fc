# SPDX-License-Identifier: MIT
"""As ../churn.c."""

import sys
from time import process_time_ns

from shared import Node, end, fail

HELD = 16
LOOK = 500


def chain(length):
    node = None
    for _ in range(length):
        node = Node(node)
    return node


def churn(cycles, held):
    last, longest = process_time_ns(), 0
    for i in range(cycles):
        node = Node()
        node.left = Node(node)
        held[i % HELD] = node
        if i % LOOK:
            continue
        now = process_time_ns()
        longest = max(longest, now - last)
        last = now
    return longest


def length(node):
    counted = 0
    while node is not None:
        counted += 1
        node = node.left
    return counted


def main(cycles, live):
    stays = chain(live)
    held = [None] * HELD
    print("gap", churn(cycles, held) / 1e6)
    if length(stays) != live:
        fail("the chain has changed")
    if any(node is not None and node.left.left is not node for node in held):
        fail("a ring has changed")
    end()


main(int(sys.argv[1]), int(sys.argv[2]))
