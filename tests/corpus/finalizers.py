# SPDX-License-Identifier: MIT
"""weakref.finalize with an argument that holds the object: it can never die, so it is never called.

class: growth
holder: registry | class
name: finalize | _registry
bytes: 3.5 MiB ± 20 %
"""

import weakref

from corpus import CLEAN, SIZE, moments


class Lease:
    def __init__(self, number):
        self.rooms = [f"room {number} {n}" for n in range(6)]
        # The cure: a function and arguments that do not lead to the object.
        weakref.finalize(self, *((len, "") if CLEAN else (self.end,)))

    def end(self):
        self.rooms.clear()


for turn in moments():
    for number in range(2000 * SIZE):
        Lease(turn * 2000 * SIZE + number)
