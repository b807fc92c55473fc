# SPDX-License-Identifier: MIT
"""functools.lru_cache on a method: the cache belongs to the class and keeps every instance that was asked.

class: growth
holder: cache
name: total
bytes: 2.9 MiB ± 20 %
"""

from functools import lru_cache

from corpus import CLEAN, SIZE, moments


class Order:
    def __init__(self, number):
        self.lines = [f"line {number} {n}" for n in range(5)]

    @lru_cache(maxsize=100 if CLEAN else None)  # the cure: a bound, or cached_property
    def total(self):
        return len(self.lines) * 7


for turn in moments():
    for number in range(2500 * SIZE):
        Order(turn * 2500 * SIZE + number).total()
