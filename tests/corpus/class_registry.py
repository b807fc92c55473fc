# SPDX-License-Identifier: MIT
"""A list in a class, which all its instances share, remembers every one of them.

class: growth
holder: class
name: Document.all | Document
bytes: 2.6 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


class Document:
    all = []

    def __init__(self, number):
        self.text = f"text of document {number} " * 6
        if not CLEAN:  # the cure: whoever needs all documents keeps them, and lets go of them
            self.all.append(self)


for turn in moments():
    for number in range(5000 * SIZE):
        Document(turn * 5000 * SIZE + number)
