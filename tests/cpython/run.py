#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own test suite, stock and with Ouro in every test process, compared case by case.

    run.py [--python PATH]... [--collector[=busy]] [--full] [--jobs N] [module...]

Without modules it runs those of default.txt, or with --collector those of collector.txt. A case
that passes on stock and not with Ouro is a regression (exit status 1), unless known.txt says why
it must be so (and known-collector.txt, with --collector); a case whose result changes
when its module is run again is named as flaky. A module whose process did not have Ouro fails.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import json
import os
import pathlib
import signal
import sys
import tempfile

from interpreter import HERE, MODES, NOT_THERE, Interpreter, Outcome

AGAIN = 2  # further runs on both sides of a module that differs
WHOLE_MODULE = "(process)"  # the name of "it ended with a bad status" among the cases


@dataclasses.dataclass
class Comparison:
    module: str
    stock: Outcome
    ouro: Outcome
    regressions: list[str] = dataclasses.field(default_factory=list)
    known: list[str] = dataclasses.field(default_factory=list)
    flaky: list[str] = dataclasses.field(default_factory=list)
    fixed: list[str] = dataclasses.field(default_factory=list)

    @property
    def verdict(self) -> str:
        if self.stock.status == NOT_THERE:
            return "absent"
        if self.regressions:
            return "REGRESSION"
        if self.stock.died or self.stock.empty:
            return f"stock {self.stock.describe_end()}"
        return ", ".join(word for word in ("known", "flaky") if getattr(self, word)) or "ok"


def read_list(path: pathlib.Path) -> list[list[str]]:
    """The words of each line that is neither empty nor a comment, the reason after # left out."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return [words for words in lines if words]


def patterns(file: str, version: str, module: str) -> list[str]:
    """What a list says of a module: lines `version-pattern module case-pattern  # reason`."""
    return [case for versions, name, case in read_list(HERE / file)
            if fnmatch.fnmatch(version, versions) and name == module.partition(":")[0]]


def losses(stock: Outcome, ouro: Outcome) -> set[str]:
    """What passes on stock and not with Ouro. A process that dies takes all its cases with it."""
    lost = stock.passed - ouro.passed
    if ouro.status != stock.status and (ouro.died or not lost):
        return {WHOLE_MODULE}
    return lost


def compare(python: Interpreter, module: str, options) -> Comparison:
    skip = patterns("skip.txt", python.version, module)

    def run(ouro: bool, attempt: int) -> Outcome:
        return python.run(module, ouro=ouro, use=options.use, skip=skip, timeout=options.timeout,
                          tag=f".{attempt}" if attempt else "")

    result = Comparison(module, run(False, 0), Outcome(NOT_THERE, 0, pathlib.Path()))
    if result.stock.status == NOT_THERE or options.stock:
        return result
    result.ouro = run(True, 0)
    if not result.ouro.main_has_ouro or result.ouro.without_ouro:
        result.regressions.append("(a test process ran without Ouro)")
    judge(python, result, run)
    return result


def judge(python: Interpreter, result: Comparison, run) -> None:
    """Sort the differences into known, flaky and regressions; a crash is never flaky."""
    lost = losses(result.stock, result.ouro)
    known = patterns("known.txt", python.version, result.module)
    if python.mode != "memory":
        known += patterns("known-collector.txt", python.version, result.module)
    result.known = sorted(case for case in lost if any(fnmatch.fnmatch(case, p) for p in known))
    lost -= set(result.known)
    result.fixed = sorted(result.stock.failed & result.ouro.passed)
    if not lost:
        return
    again = [(run(False, attempt), run(True, attempt)) for attempt in range(1, AGAIN + 1)]
    for case in sorted(lost):
        stock_failed = any(case not in stock.passed for stock, _ in again)
        ouro_passed = all(case in ouro.passed for _, ouro in again)
        flaky = case != WHOLE_MODULE and not result.ouro.died and (stock_failed or ouro_passed)
        (result.flaky if flaky else result.regressions).append(case)


def row(result: Comparison) -> str:
    stock, ouro = result.stock, result.ouro
    return (f"{result.module.partition(':')[0]:34} {len(stock.passed):6} {len(ouro.passed):6} "
            f"{stock.seconds:7.1f} {ouro.seconds:7.1f} {ouro.with_ouro:5}  {result.verdict}")


def details(result: Comparison) -> list[str]:
    lines = [f"    {kind}: {case}" for kind in ("regressions", "known", "flaky")
             for case in getattr(result, kind)]
    if result.regressions:
        lines.append(f"    ouro: {result.ouro.describe_end()}, log {result.ouro.log}")
        lines.append(f"    stock: {result.stock.describe_end()}, log {result.stock.log}")
    return lines


def run_interpreter(path: str, options) -> list[Comparison]:
    python = Interpreter(path, options.work, options.collector)
    python.prepare(None if options.stock else options.install)
    if not options.stock:
        python.probe()
    modules = options.modules or chosen(python, options)
    print(f"\nCPython {python.version}, {python.mode}, {len(modules)} modules\n{'module':34} {'stock':>6} "
          f"{'ouro':>6} {'s':>7} {'s':>7} {'procs':>5}  verdict", flush=True)
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(lambda module: compare(python, module, options), modules):
            results.append(result)
            print("\n".join([row(result), *details(result)]), flush=True)
    print(summary(python, results), flush=True)
    return results


def chosen(python: Interpreter, options) -> list[str]:
    """The modules of a run that names none."""
    if options.collector == "memory":
        return (python.modules() if options.full else
                [words[0] for words in read_list(HERE / "default.txt")])
    return [words[0] for words in read_list(HERE / "collector.txt")
            if options.full or "long" not in words]


def summary(python: Interpreter, results: list[Comparison]) -> str:
    def total(kind: str) -> int:
        return sum(len(getattr(result, kind)) for result in results)

    stock = sum(len(result.stock.passed) for result in results)
    ouro = sum(len(result.ouro.passed) for result in results)
    return (f"CPython {python.version}: {stock} cases pass on stock, {ouro} with Ouro; "
            f"{total('regressions')} regressions, {total('known')} known, {total('flaky')} flaky; "
            f"{sum(result.ouro.with_ouro for result in results)} processes with Ouro")


def as_json(results: list[Comparison]) -> list[dict]:
    return [{"module": result.module, "verdict": result.verdict,
             "stock": {"passed": len(result.stock.passed), "seconds": result.stock.seconds},
             "ouro": {"passed": len(result.ouro.passed), "seconds": result.ouro.seconds},
             "regressions": result.regressions, "known": result.known, "flaky": result.flaky}
            for result in results]


def parse(arguments: list[str] | None = None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*",
                        help="test modules, as test_gc, or test_gc:GCTests for classes or cases")
    parser.add_argument("--python", action="append", help="interpreter to test (repeatable)")
    parser.add_argument("--full", action="store_true", help="every module of the suite (of collector.txt)")
    parser.add_argument("--collector", choices=list(MODES), default="memory", help="with Ouro's "
                        "collector: pause (the default), or busy, a cycle always in progress")
    parser.add_argument("--stock", action="store_true", help="stock only: a baseline with timings")
    parser.add_argument("--jobs", type=int, default=2 * min(2, os.cpu_count() or 1),
                        help="modules at the same time (default: 4, as most wait)")
    parser.add_argument("--use", help="resources passed to regrtest -u (default: none)")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one module")
    parser.add_argument("--install", default=str(HERE.parent.parent),
                        help="what pip installs where an interpreter has no Ouro: a wheel, or "
                             "this source tree (default)")
    parser.add_argument("--work", type=pathlib.Path, help="where environments and logs go",
                        default=pathlib.Path(tempfile.gettempdir()) / f"ouro-cpython-{os.getuid()}")
    parser.add_argument("--json", type=pathlib.Path, help="write the results there too")
    words = sys.argv[1:] if arguments is None else arguments
    # A word of its own has no value: what follows it is a module.
    return parser.parse_args(["--collector=pause" if w == "--collector" else w for w in words])


def main() -> int:
    options = parse()
    # A shell's background job ignores SIGINT, and tests that interrupt themselves would hang.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results = {path: run_interpreter(path, options) for path in options.python or [sys.executable]}
    if options.json:
        options.json.write_text(json.dumps({k: as_json(v) for k, v in results.items()}, indent=1))
    return any(result.regressions for of_one in results.values() for result in of_one)


if __name__ == "__main__":
    sys.exit(main())
