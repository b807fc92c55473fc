# SPDX-License-Identifier: MIT
"""A function in C takes a reference to its result once too often.

class: unseen
name: Reading
bytes: 2.4 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()
latest = leaky.latest_right if CLEAN else leaky.latest  # the cure is in leaky.c


class Reading:
    def __init__(self, number):
        self.values = [f"value {number} {n}" for n in range(5)]


for turn in moments():
    for number in range(2500 * SIZE):
        latest([Reading(turn * 2500 * SIZE + number)])
