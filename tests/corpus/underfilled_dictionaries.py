# SPDX-License-Identifier: MIT
"""Dictionaries that were large once: removing entries does not make their tables smaller.

class: waste
name: dict
bytes: 4.4 MiB ± 25 %
"""

from corpus import CLEAN, SIZE, moments

words = [f"word {n}" for n in range(100)]


def make(number):
    index = {word: number for word in words}
    for word in words[1:]:
        del index[word]
    return dict(index) if CLEAN else index  # the cure: a copy has a table that fits


indexes = [make(number) for number in range(1500 * SIZE)]
for turn in moments():
    sum(len(index) for index in indexes)
