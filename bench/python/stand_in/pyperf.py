# SPDX-License-Identifier: MIT
"""Stands in for pyperf, so that pyperformance's scripts run unchanged and report CPU time.

pyperf measures wall time in many processes; on a shared machine pairs of runs compared by CPU time say
more in less time. Only what the scripts chosen in questions/scripts.py use is here.
"""

import argparse
import atexit
import os
import platform
import sys
import time

sys.path.append(os.path.join(os.path.dirname(__file__), ".."))
import measure  # noqa: E402

perf_counter = time.process_time
python_implementation = platform.python_implementation

SECONDS = float(os.environ.get("BENCH_SECONDS", "0.8"))
LEAST_VALUES = 3
LEAST_VALUE = 0.04  # seconds that one value must take, so that the clock's grain does not show

atexit.register(measure.report)


def best_value(timed) -> float:
    """The best time of one loop; timed(loops) returns the time of that many."""
    once = timed(1)
    loops = max(1, round(LEAST_VALUE / once)) if SECONDS > LEAST_VALUE else 1
    end = perf_counter() + SECONDS
    values = [timed(loops) / loops]
    while perf_counter() < end or (len(values) < LEAST_VALUES and SECONDS > LEAST_VALUE):
        values.append(timed(loops) / loops)
    return min(values)


class Runner:
    def __init__(self, **options) -> None:
        self.argparser = argparse.ArgumentParser()
        self.metadata: dict = {}
        self.args = None
        self._add_arguments = options.get("add_cmdline_args")

    def parse_args(self, args=None):
        self.args = self.args or self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, function, *args, **options) -> None:
        self.parse_args()
        print(name, best_value(lambda loops: function(loops, *args)))

    def bench_func(self, name, function, *args, **options) -> None:
        def timed(loops: int) -> float:
            start = perf_counter()
            for _ in range(loops):
                function(*args)
            return perf_counter() - start

        self.bench_time_func(name, lambda loops: timed(loops))

    def bench_async_func(self, name, function, *args, loop_factory=None, **options) -> None:
        import asyncio  # here, so that small scripts stay small

        async def timed(loops: int) -> float:
            start = perf_counter()
            for _ in range(loops):
                await function(*args)
            return perf_counter() - start

        def run(loops: int) -> float:
            loop = (loop_factory or asyncio.new_event_loop)()
            try:
                return loop.run_until_complete(timed(loops))
            finally:
                loop.close()

        self.bench_time_func(name, run)
