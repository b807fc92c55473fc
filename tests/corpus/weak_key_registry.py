# SPDX-License-Identifier: MIT
"""A WeakKeyDictionary whose values hold their keys: weak or not, no entry ever goes.

class: growth
holder: registry
name: notes
bytes: 2.7 MiB ± 20 %
"""

import weakref

from corpus import CLEAN, SIZE, moments


class Page:
    def __init__(self, number):
        self.text = f"page {number} " * 20


class Note:
    def __init__(self, page):
        self.page = None if CLEAN else page  # the cure: a weak reference, or none
        self.text = "read"


notes = weakref.WeakKeyDictionary()
for turn in moments():
    for number in range(2500 * SIZE):
        page = Page(turn * 2500 * SIZE + number)
        notes[page] = Note(page)
        del page
