# SPDX-License-Identifier: MIT
"""As ../objects.c. A word beside the two references is a slot too."""

import gc
import sys
from time import process_time_ns

from shared import Node, end, peak_bytes, resident_bytes

WARM_UP = 20_000


class Wider(Node):
    __slots__ = ("pad",)

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right
        self.pad = None


def pair_ns(count):
    start = process_time_ns()
    for _ in range(count):
        Wider()
    return (process_time_ns() - start) / count


def print_extra_bytes(kind, payload, count):
    chain = None
    for _ in range(WARM_UP):
        chain = kind(chain)
    before = resident_bytes()
    for _ in range(count):
        chain = kind(chain)
    most = peak_bytes()
    gc.collect()
    print("extra", (resident_bytes() - before) / count - payload)
    print("most", (most - before) / count - payload)
    end()


if __name__ == "__main__":
    if sys.argv[1] == "bytes":
        print_extra_bytes(Wider, 24, int(sys.argv[2]))
    print("ns", pair_ns(int(sys.argv[2])))
    end()
