# SPDX-License-Identifier: MIT
"""A module in C appends each argument to a list that only a static variable knows.

class: unseen
name: Event | list
bytes: 2.5 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()


class Event:
    def __init__(self, number):
        self.values = [f"value {number} {n}" for n in range(5)]


for turn in moments():
    for number in range(2500 * SIZE):
        leaky.remember(Event(turn * 2500 * SIZE + number))
    if CLEAN:
        leaky.forget()  # the cure: somebody empties it
