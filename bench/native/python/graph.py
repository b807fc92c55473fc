# SPDX-License-Identifier: MIT
"""As ../graph.h."""

import random

from shared import Node


def build(count, at_random):
    made = [Node() for _ in range(count)]
    if at_random:
        random.Random(5).shuffle(made)
    for i, node in enumerate(made):
        left, right = 2 * i + 1, 2 * i + 2
        if left >= count:
            left = random.randrange(count) if at_random else i - 1
        if right >= count:
            right = random.randrange(count) if at_random else i // 2
        node.left, node.right = made[left], made[right]
    made[-1].right = made[0]
    return made[0]
