# SPDX-License-Identifier: MIT
"""The longest pause with one object of many children, of three collections: giant.py KIND CHILDREN."""

import sys
from array import array

import graph
import sliced


def main() -> None:
    sliced.by_hand()
    heap = graph.giant(sys.argv[1], int(sys.argv[2]))
    pauses = array("q")
    for _ in range(3):
        extra = [[] for _ in range(1000)]  # something new for the collector to look at
        sliced.promote()
        pauses += sliced.collect()
        del extra
    sliced.print_pauses(pauses)
    sliced.finish()
    del heap


main()
