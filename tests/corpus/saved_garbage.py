# SPDX-License-Identifier: MIT
"""A debug flag was left on: what the collector finds goes to gc.garbage instead of being freed.

class: uncollectable
name: Request
bytes: 3.4 MiB ± 20 %
"""

import gc

from corpus import CLEAN, SIZE, moments

gc.set_debug(0 if CLEAN else gc.DEBUG_SAVEALL)  # the cure: no such flag in production


class Request:
    def __init__(self, number):
        self.lines = [f"line {number} {n}" for n in range(10)]
        self.handler = self


for turn in moments():
    for number in range(2000 * SIZE):
        Request(turn * 2000 * SIZE + number)
    gc.collect()
