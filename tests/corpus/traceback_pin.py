# SPDX-License-Identifier: MIT
"""Errors are kept for a report, and with each its traceback, the frames of it and their variables.

class: growth
holder: traceback
name: errors
bytes: 5.0 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments

errors = []


def parse(text):
    lines = [f"{text} {n}" for n in range(20)]
    return int(lines[-1])


for turn in moments():
    for number in range(1200 * SIZE):
        try:
            parse(f"request {turn} {number}")
        except ValueError as error:
            errors.append(str(error) if CLEAN else error)
            if CLEAN:
                del errors[:-100]  # the cure: the texts, and of these the last
