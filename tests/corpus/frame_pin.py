# SPDX-License-Identifier: MIT
"""A tracer keeps the frames that it has seen, so every variable of a call outlives the call.

class: growth
holder: frame
name: seen
bytes: 4.1 MiB ± 20 %
"""

import sys

from corpus import CLEAN, SIZE, moments

seen = []


def handle(number):
    answer = [f"answer {number} {n}" for n in range(20)]
    frame = sys._getframe()
    if CLEAN:
        seen[:] = [frame.f_code]  # the cure: the code is enough, and once
    else:
        seen.append(frame)
    del frame
    return len(answer)


for turn in moments():
    for number in range(1200 * SIZE):
        handle(turn * 1200 * SIZE + number)
