# SPDX-License-Identifier: MIT
"""How much of its peak a process keeps after freeing: giveback.py survivors|order|tenth COUNT.

survivors  one-tuples of floats; a random 0.05 % stays
order      small objects of four kinds; the first 90 % are freed in order, then made again
tenth      the same kinds; a random tenth stays, the rest is freed in random order
"""

import random
import sys
import time
from array import array

from measure import phase, report, resident_bytes

KINDS = (float, lambda i: (i,), lambda i: f"item number {i}", lambda i: b"%070d" % i)


def settle() -> None:
    print("after", resident_bytes())
    time.sleep(1)
    print("later", resident_bytes())


def survivors(count: int) -> None:
    objects = [(float(i),) for i in range(count)]
    print("full", resident_bytes())
    kept = random.Random(1).sample(objects, count // 2000)
    with phase("free"):
        del objects
    settle()
    del kept


def make(i: int) -> object:
    return KINDS[i % 4](i)


def most(count: int, shuffled: bool) -> None:
    order = range(count)
    if shuffled:
        order = array("I", order)  # one large block, so that it disturbs no pool
        random.Random(1).shuffle(order)
    victims = order[: count * 9 // 10]
    objects = [make(i) for i in range(count)]
    print("full", resident_bytes())
    with phase("free"):
        for i in victims:
            objects[i] = None
    settle()
    with phase("refill"):
        for i in victims:
            objects[i] = make(i)
    print("refilled", resident_bytes())


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2])
    if what == "survivors":
        survivors(count)
    else:
        most(count, shuffled=what == "tenth")
    report()


main()
