# SPDX-License-Identifier: MIT
"""Callbacks wait to be called that never are; each needs a number of a document and holds the document.

class: growth
holder: closure | handler
name: document | later
bytes: 4.6 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments

later = []


def when_done(document):
    return lambda: len(document)


for turn in moments():
    for number in range(1000 * SIZE):
        later.append(when_done([f"line {turn} {number} {n}" for n in range(30)]))
    if CLEAN:
        later.clear()  # the cure: what was called, or never will be, is taken off the list
