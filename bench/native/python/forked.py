# SPDX-License-Identifier: MIT
"""As ../forked.c."""

import gc
import os
import sys

import graph
from shared import fail, field_bytes


def child():
    before = field_bytes("/proc/self/smaps_rollup", "Private_Dirty:")
    gc.collect()
    dirtied = field_bytes("/proc/self/smaps_rollup", "Private_Dirty:") - before
    print("dirtied", dirtied, flush=True)
    os._exit(0)


gc.disable()
root = graph.build(int(sys.argv[1]), False)
gc.collect()
pid = os.fork()
if pid == 0:
    child()
if os.waitpid(pid, 0)[1] != 0:
    fail("the child failed")
