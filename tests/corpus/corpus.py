# SPDX-License-Identifier: MIT
"""What the programs of this folder share: their arguments, and the moments of their snapshots.

    ouro run tests/corpus/module_cache.py [SIZE] [clean]

SIZE multiplies the work (1, 4 or 16 in the tests); `clean` runs the same program with its cure.
"""

import os
import sys

SIZE = next((int(word) for word in sys.argv[1:] if word.isdigit()), 1)
CLEAN = "clean" in sys.argv[1:]

_folder = os.environ.get("CORPUS_SNAPSHOTS")  # set by run.py; without it a program just runs
_taken = []


def mark():
    """A moment to look at: writes the next snapshot."""
    if os.environ.get("CORPUS_TRACE"):
        _trace()
    elif _folder:
        import ouro

        ouro.snapshot(os.path.join(_folder, f"{len(_taken)}.snap"))
    _taken.append(True)


def moments():
    """The numbers of three rounds of work, each with a moment behind it."""
    for number in range(3):
        yield number
        mark()


def _trace():
    """What tracemalloc says, to check the truths of this folder with another tool."""
    import tracemalloc

    if not _taken:
        tracemalloc.start()
        _taken.append(tracemalloc.get_traced_memory()[0])
    grown = tracemalloc.get_traced_memory()[0] - _taken[0]
    print(f"traced {grown / (1 << 20):.2f} MiB", file=sys.stderr)


def extension():
    """The functions of leaky.c, which run.py has built."""
    return __import__("leaky")


__all__ = ["CLEAN", "SIZE", "extension", "mark", "moments"]
