# SPDX-License-Identifier: MIT
"""A cache in a module that nobody empties.

class: growth
holder: global | cache
name: sessions
bytes: 4.0 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


class Session:
    def __init__(self, number):
        self.user = f"user {number}"
        self.cart = [f"item {number} {n}" for n in range(3)]


sessions = {}


def serve(number):
    sessions[f"session {number}"] = Session(number)
    if CLEAN:
        sessions.pop(f"session {number - 500}", None)  # the cure: a bound


for turn in moments():
    for number in range(turn * 4000 * SIZE, (turn + 1) * 4000 * SIZE):
        serve(number)
