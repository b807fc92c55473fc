# SPDX-License-Identifier: MIT
"""A list of texts grows by one for every event.

class: growth
holder: global
name: log
bytes: 2.2 MiB ± 20 %
"""

from collections import deque

from corpus import CLEAN, SIZE, moments

log = deque(maxlen=100) if CLEAN else []  # the cure: a ring
for turn in moments():
    for number in range(10_000 * SIZE):
        log.append(f"event {turn} {number}: nothing to see here, go on, all is well")
