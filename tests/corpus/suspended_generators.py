# SPDX-License-Identifier: MIT
"""Readers are generators that nobody reads to their end, and their list nobody empties.

class: growth
holder: task
name: readers | read
bytes: 4.1 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments

readers = []


def read(number):
    lines = [f"line {number} {n}" for n in range(20)]
    yield from lines


for turn in moments():
    for number in range(1200 * SIZE):
        reader = read(turn * 1200 * SIZE + number)
        next(reader)
        if not CLEAN:  # the cure: who holds it reads it, or closes it
            readers.append(reader)
