# SPDX-License-Identifier: MIT
"""Records read from a file: the same few words, each time as a text of its own.

class: waste
name: str
bytes: 4.5 MiB ± 35 %
"""

from sys import intern

from corpus import CLEAN, SIZE, moments


def read(number):
    text = "-".join(["status", "delivered to the neighbour", "by", "bicycle"])
    return (number, intern(text) if CLEAN else text)  # the cure


records = [read(number) for number in range(50_000 * SIZE)]
for turn in moments():
    sum(number for number, text in records)
