# SPDX-License-Identifier: MIT
"""C code appends new objects to a list and believes that PyList_Append takes over its references.

class: unseen
name: tuple
bytes: 4.3 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()
for turn in moments():
    for number in range(100 * SIZE):
        leaky.rows(200, CLEAN)  # the cure is in leaky.c
