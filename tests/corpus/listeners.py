# SPDX-License-Identifier: MIT
"""Views subscribe to a bus that lives for ever and do not unsubscribe when they are closed.

class: growth
holder: handler
name: listeners
bytes: 2.8 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


class Bus:
    def __init__(self):
        self.listeners = []


class View:
    def __init__(self, bus, number):
        self.bus = bus
        self.rows = [f"row {number} {n}" for n in range(4)]
        bus.listeners.append(self.refresh)

    def refresh(self, event):
        self.rows.append(event)

    def close(self):
        if CLEAN:  # the cure; or weakref.WeakMethod in the bus
            self.bus.listeners.remove(self.refresh)


bus = Bus()
for turn in moments():
    for number in range(3000 * SIZE):
        View(bus, turn * 3000 * SIZE + number).close()
