#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random programs over random graphs, with Ouro's collector and with CPython's.

    check.py --seeds 0-199 [--python PATH] [--size EVENTS] [--no-stock]

Each seed is one program (program.py) with a model of what must be alive. It is wrong if anything
that is reachable dies or changes, if a finalizer or callback runs for it, or runs twice; if garbage
is left after complete collections; and if the same program on stock has other results. Every run
of 20 seeds is a process of its own, whose settings (budget, busy or not) depend on its number.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import time
import warnings

HERE = pathlib.Path(__file__).resolve().parent
BLOCK = 20  # seeds in one process
COUNTED = ("cycles", "slices", "explicits", "examined", "found")  # of ouro.gc.stats()
BUDGETS_US = (1000, 5, 20, 100, 300)  # of a slice


def collector_of(block: int, ouro: bool):
    import program

    if not ouro:
        return program.Stock()
    import ouro as package

    package.install(pause_ms=BUDGETS_US[block % len(BUDGETS_US)] / 1000, channel=False, _quiet=True,
                    _gc_busy=block % 3 == 1)
    return program.Ouro()


def work(first: int, last: int, size: int, ouro: bool) -> int:
    """In a process of its own: a line for each seed."""
    import gc

    import program

    warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
    collector = collector_of(first // BLOCK, ouro)
    for seed in range(first, last):
        print("seed", seed, flush=True)
        print("done", seed, program.Program(seed, collector, size).run(), flush=True)
    gc.collect()
    if ouro:
        from ouro.gc import stats

        print("stats", *(stats()[name] for name in COUNTED))
    return 0


totals = dict.fromkeys(COUNTED, 0)


def run_block(options, first: int, last: int, ouro: bool) -> tuple[dict[int, str], str]:
    """The seeds' results, and how it went wrong."""
    command = [options.python, str(HERE / "check.py"), "--worker", "--size", str(options.size),
               "--seeds", f"{first}-{last - 1}", *([] if ouro else ["--stock"])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OURO_")}
    try:
        done = subprocess.run(command, env=kept | {"PYTHONFAULTHANDLER": "1"}, capture_output=True,
                              text=True, errors="replace", timeout=options.timeout)
        out, err, status = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        out, err = ((text or b"").decode(errors="replace") for text in (late.stdout, late.stderr))
        status = f"none after {options.timeout} s"
    lines = [line.split() for line in out.splitlines()]
    results = {int(line[1]): line[2] for line in lines if line[0] == "done"}
    for line in lines:
        if line[0] == "stats":
            totals.update({key: totals[key] + int(word) for key, word in zip(COUNTED, line[1:])})
    if status == 0 and len(results) == last - first and not err:
        return results, ""
    started = [line[1] for line in lines if line[0] == "seed"]
    return results, (f"seed {started[-1] if started else first}, status {status}\n"
                     f"{err[-4000:]}")


def run(options, first: int, last: int) -> int:
    """How many of the blocks failed."""
    bad = seeds = 0
    began = time.monotonic()
    for start in range(first, last + 1, BLOCK):
        end = min(start + BLOCK, last + 1)
        results, error = run_block(options, start, end, ouro=True)
        if not error and not options.no_stock:
            stock, error = run_block(options, start, end, ouro=False)
            error = error and f"on stock: {error}"
            differ = [seed for seed in stock if results[seed] != stock[seed]]
            error = error or (f"seeds {differ}: other results than stock\n" if differ else "")
        seeds += len(results)
        if error:
            bad += 1
            print(f"FAILED: {error.rstrip()}\nrepeat: {sys.argv[0]} --seeds {start}-{end - 1} "
                  f"--size {options.size}", flush=True)
    print(f"{seeds} seeds in {time.monotonic() - began:.0f} s, {bad} blocks failed;",
          ", ".join(f"{count} {name}" for name, count in totals.items()), flush=True)
    if not bad and not totals["cycles"]:
        raise SystemExit("check.py: not one cycle was finished, so nothing was checked")
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", default="0-99", metavar="A-B")
    parser.add_argument("--size", type=int, default=120, help="events of one program")
    parser.add_argument("--python", default=sys.executable, help="the interpreter; it has Ouro")
    parser.add_argument("--no-stock", action="store_true", help="only Ouro, against the model")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for a block")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--stock", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    if options.worker:
        return work(int(first), int(last) + 1, options.size, not options.stock)
    # Blocks begin at multiples, so that a seed meets the same settings in any range.
    return run(options, int(first) // BLOCK * BLOCK, int(last or first)) != 0


if __name__ == "__main__":
    sys.exit(main())
