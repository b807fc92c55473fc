# SPDX-License-Identifier: MIT
"""A buffer that fills and is written out: it is fuller at one moment than at another, and does not grow.

class: no growth | churn
bytes: 0.0 MiB ± 100 %
"""

from corpus import CLEAN, SIZE, mark

buffer = []
for turn in (0, 1, 2):
    for number in range(60_000 * SIZE):
        buffer.append(f"line {number} of {turn}")
        if len(buffer) > 30_000 * SIZE:
            buffer.clear()
    fullness = 20_000 if CLEAN else (20_000, 4_000, 24_000)[turn]
    buffer[:] = [f"line {number}" for number in range(fullness * SIZE)]
    mark()
