# SPDX-License-Identifier: MIT
"""What the measured programs share: user CPU time by phase, resident and peak memory, one line per number.

Imported before the measured heap is built, so it stays small: no json, no statistics.
"""

import os
import resource
import sys
from contextlib import contextmanager
from time import process_time


def user_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def peak_bytes() -> int:
    """VmHWM; getrusage's ru_maxrss would also count the process that forked this one."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def resident_bytes() -> int:
    with open("/proc/self/smaps_rollup") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Rss"))


@contextmanager
def phase(name: str):
    start = user_seconds()
    yield
    print(name, user_seconds() - start)


def expect_allocator() -> None:
    """Fails where the run is not what its column says."""
    wanted = os.environ.get("BENCH_OURO") == "1"
    module = sys.modules.get("ouro")
    if wanted != bool(module and module.installed()):
        raise SystemExit(f"bench: Ouro is {'not ' if wanted else ''}installed in {sys.executable}")


def expect_collector() -> None:
    """The same for the full collections."""
    if os.environ.get("BENCH_COLLECTOR") == "1":
        import ouro.gc  # here, so that it is in no heap that is measured

        if not ouro.gc.stats()["on"]:
            raise SystemExit(f"bench: Ouro's collector is off in {sys.executable}")


def report() -> None:
    """The numbers of the whole process; the last thing a program does."""
    expect_allocator()
    expect_collector()
    print("user", user_seconds())
    print("cpu", process_time())
    print("peak", peak_bytes(), flush=True)
