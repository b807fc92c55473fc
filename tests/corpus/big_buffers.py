# SPDX-License-Identifier: MIT
"""Few but large objects: each upload's bytes stay in a dictionary.

class: growth
holder: global | cache
name: uploads
bytes: 9.5 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments

uploads = {}
for turn in moments():
    for number in range(20 * SIZE):
        uploads[turn, number] = bytes(250_000)
        if CLEAN:
            uploads.pop(next(iter(uploads)))  # the cure: what was stored goes
