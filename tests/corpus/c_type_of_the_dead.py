# SPDX-License-Identifier: MIT
"""Objects of a type in C do not let go of their type when they die, so classes that extend it never die.

class: unseen
name: Connection
bytes: 4.7 MiB ± 20 %
"""

import gc

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()
Handle = leaky.HandleRight if CLEAN else leaky.Handle  # the cure is in leaky.c


def connect(number):
    class Connection(Handle):  # made for each server, as its commands differ
        server = f"server {number}"

    return Connection()


for turn in moments():
    for number in range(1000 * SIZE):
        connect(number)
    gc.collect()  # classes are rings: those that may go, go
