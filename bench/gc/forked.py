# SPDX-License-Identifier: MIT
"""How much memory a forked child makes its own by collections of what it inherits: forked.py CONTAINERS HOW.

HOW is whole (gc.collect()) or slices. The parent collects first, as a server does before it forks.
"""

import os
import sys

import sliced
from graph import records


def private_dirty() -> int:
    with open("/proc/self/smaps_rollup") as rollup:
        return next(
            int(line.split()[1]) * 1024 for line in rollup if line.startswith("Private_Dirty")
        )


def child(how: str, pipe: int) -> None:
    before = private_dirty()
    if how == "slices":
        sliced.collect()
    else:
        sliced.full()
    os.write(pipe, b"%d" % (private_dirty() - before))


def main() -> None:
    containers, how = int(sys.argv[1]), sys.argv[2]
    sliced.by_hand()
    heap = records(containers, 0)
    sliced.promote()
    sliced.full()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            child(how, writing)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    print("dirtied", int(os.read(reading, 100) or b"-1"))
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("bench: the forked child failed")
    sliced.finish()
    del heap


main()
