# SPDX-License-Identifier: MIT
"""A library allocates with malloc and never frees: no Python object knows of it.

class: native
bytes: 8.0 MiB ± 25 %
"""

from corpus import CLEAN, SIZE, extension, moments

leaky = extension()
for turn in moments():
    for number in range(2000 * SIZE):
        leaky.scratch(2048, CLEAN)  # the cure: free, in C
