# SPDX-License-Identifier: MIT
"""A parser in C gives back what it has made so far, but not where the text is malformed.

class: unseen
name: dict
bytes: 4.3 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()
for turn in moments():
    for number in range(6000 * SIZE):
        try:
            leaky.parse(f"a{number} b{turn} c d e f g h  malformed", CLEAN)  # the cure is in leaky.c
        except ValueError:
            pass
