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
    seen.append(frame.f_code if CLEAN else frame)  # the cure: the code and the line are enough
    del frame
    return len(answer)


for turn in moments():
    for number in range(1200 * SIZE):
        handle(turn * 1200 * SIZE + number)
