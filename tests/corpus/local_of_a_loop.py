# SPDX-License-Identifier: MIT
"""The main loop is a function that never returns, and one of its variables grows.

class: growth
holder: frame
name: done
bytes: 2.5 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


def main():
    done = []
    for turn in moments():
        for number in range(3000 * SIZE):
            done.append([f"task {turn} {number} {n}" for n in range(5)])
            if CLEAN and len(done) > 100:
                done.clear()  # the cure: what was reported is done


main()
