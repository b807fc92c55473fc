# SPDX-License-Identifier: MIT
"""Each failure is raised from the one before it, so the last error holds all of them.

class: growth
holder: traceback | global
name: last
bytes: 3.8 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments

last = None


def attempt(number, before):
    tried = [f"host {number} {n}" for n in range(20)]
    raise ConnectionError(tried[0]) from before


for turn in moments():
    for number in range(1000 * SIZE):
        try:
            attempt(number, None if CLEAN else last)  # the cure: from None, or from what caused it
        except ConnectionError as error:
            last = error
