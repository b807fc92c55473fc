# SPDX-License-Identifier: MIT
"""Cycles whose objects have __del__, in a program that lets the collector come too seldom for them.

class: late
name: Connection
bytes: 3.3 MiB ± 20 %
"""

import gc

from corpus import CLEAN, SIZE, moments

gc.set_threshold(10_000_000)


class Connection:
    def __init__(self, number):
        self.buffer = [f"byte {number} {n}" for n in range(10)]
        self.owner = self

    def close(self):
        if CLEAN:
            self.owner = None  # the cure: who closes it opens the cycle

    def __del__(self):
        self.buffer.clear()


for turn in moments():
    for number in range(2000 * SIZE):
        Connection(turn * 2000 * SIZE + number).close()
