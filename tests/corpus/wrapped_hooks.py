# SPDX-License-Identifier: MIT
"""Each reload of a plugin wraps the hook that is there, so the wrappers of all reloads are a chain.

class: growth
holder: closure
name: previous | render
bytes: 4.9 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


def plain():
    return "page"


render = plain


def load(settings):
    global render
    previous = plain if CLEAN else render  # the cure: wrap what was there first

    def wrapped():
        return settings[0] if settings else previous()

    render = wrapped


for turn in moments():
    for number in range(1500 * SIZE):
        load([f"setting {turn} {number} {n}" for n in range(18)])
