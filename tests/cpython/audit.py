#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts against references after CPython's own tests: no object may have more than it counts.

    audit.py --ouro BUILD/cli/ouro [--python PATH]... [--every SECONDS] [--each N]
             [--full] [module...]

Without modules it runs those of default.txt. Each runs with Ouro in an interpreter of its own, of
which snapshots are taken: one at the end and, as the tests go on, one every few seconds, and with
--each N in every Nth case. References beyond a count (`ouro refs`, TOO MANY) are what this is about:
one that is not in known-audit.txt ends in exit status 1, and so does a module without a snapshot.
References that nothing shows are summed by type, those of an interpreter that ran no test left out:
C code holds them rightly.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import dataclasses
import fnmatch
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from interpreter import HERE, NOT_THERE, Interpreter, Outcome, read_cases
from run import patterns, read_list

# As `python -m test`; its own process alone takes snapshots, whatever forked children do. Those of
# cases are taken where the method returns: its variables are there still.
AT_END = """\
import itertools, os, sys, unittest, warnings
import ouro
from test.libregrtest.main import main

pid = os.getpid()
path = os.environ.pop("OURO_AUDIT")
each = int(os.environ.pop("OURO_AUDIT_EACH"))
numbers, call, status = itertools.count(1), unittest.TestCase._callTestMethod, 0

def observed(case, method):
    code = getattr(getattr(method, "__func__", None), "__code__", None)
    number = next(numbers)
    def look(frame, event, argument):
        if event == "return" and frame.f_code is code and os.getpid() == pid:
            sys.setprofile(None)
            ouro.snapshot(path.replace(".snap", f".case{number}.snap"))
    if number % each == 0:
        sys.setprofile(look)
    try:
        return call(case, method)
    finally:
        sys.setprofile(None)

if each:
    unittest.TestCase._callTestMethod = observed
try:
    if len(sys.argv) > 1:
        main()
except SystemExit as end:
    status = end.code
    del end
if os.getpid() == pid:
    warnings.simplefilter("ignore")
    # It holds the names of up to 4,096 methods, whoever asked for them.
    getattr(sys, "_clear_type_cache", int)()
    ouro.snapshot(path)
sys.exit(status)
"""

# Counts that are wrong by a known number: an audit that sees none of them would find nothing at all.
WRONG = """\
import ctypes, os, ouro
class Short: pass
class Long: pass
short, long = [Short()] * 5, [Long()]
change = ctypes.pythonapi.Py_DecRef, ctypes.pythonapi.Py_IncRef
for call, thing, times in (change[0], short[0], 2), (change[1], long[0], 3):
    call.argtypes = [ctypes.py_object]
    for _ in range(times): call(thing)
del thing
ouro.snapshot(os.environ.pop("OURO_AUDIT"))
for _ in range(2): change[1](short[0])
"""

TYPES_SHOWN = 25


@dataclasses.dataclass
class Audit:
    """What the snapshots of one module say."""

    module: str
    outcome: Outcome
    snapshots: int = 0
    at_end: bool = False
    objects: int = 0  # of the last one
    beyond: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)  # (file, type)
    known: dict[str, int] = dataclasses.field(default_factory=dict)
    unseen: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    @property
    def verdict(self) -> str:
        if self.outcome.status == NOT_THERE:
            return "absent"
        if self.beyond:
            return f"TOO MANY: {sum(self.beyond.values())}"
        if not self.at_end:
            return f"NO SNAPSHOT: {self.outcome.describe_end()}"
        return "known" if self.known else "ok"

    @property
    def failed(self) -> bool:
        return self.outcome.status != NOT_THERE and (bool(self.beyond) or not self.at_end)


class Auditor:
    def __init__(self, python: Interpreter, options):
        self.python, self.options = python, options
        self.directory = (options.keep or options.work) / python.version / "snapshots"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._prove()
        self.fresh = self._fresh()

    def _environment(self, snapshot: pathlib.Path) -> dict[str, str]:
        witness = snapshot.with_suffix(".witness")
        asked = {"OURO_AUDIT": str(snapshot), "OURO_AUDIT_EACH": str(self.options.each)}
        return self.python._environment(True, witness) | asked

    def _ask(self, *words) -> dict:
        done = subprocess.run([self.options.ouro, *words, "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)

    def _types(self, snapshot: pathlib.Path) -> list[dict]:
        return self._ask("refs", str(snapshot))["types"]

    def _new(self, name: str) -> pathlib.Path:
        path = self.directory / f"{name}.snap"
        path.unlink(missing_ok=True)
        return path

    def _types_after(self, name: str, code: str) -> list[dict]:
        path = self._new(name)
        subprocess.run([self.python.python, "-c", code], env=self._environment(path), check=True)
        return self._types(path)

    def _prove(self) -> None:
        """Fail unless wrong counts are seen here as they are."""
        rows = {row["type"]: row for row in self._types_after("wrong", WRONG)}
        assert rows["__main__.Short"]["overexplained"] == 2, rows
        assert rows["__main__.Long"]["unexplained"] == 3, rows

    def _fresh(self) -> collections.Counter:
        """References that nothing shows in an interpreter that ran no test."""
        rows = self._types_after("fresh", AT_END)
        beyond = [row["type"] for row in rows if row["overexplained"]]
        if beyond:
            sys.exit(f"audit.py: without any test there are too many references to {', '.join(beyond)}")
        return collections.Counter({row["type"]: row["unexplained"] for row in rows})

    def audit(self, module: str) -> Audit:
        module, _, only = module.partition(":")
        arguments = self.python.module_arguments(module)
        if arguments is None:
            return Audit(module, Outcome(NOT_THERE, 0, pathlib.Path()))
        xml = self.directory / f"{module}.xml"
        xml.unlink(missing_ok=True)
        command = [self.python.python, "-c", AT_END, "-v", "--junit-xml", str(xml), *arguments]
        for option, cases in ("-m", only.split(",")), ("-i", patterns("skip.txt", self.python.version,
                                                                       module)):
            for case in filter(None, cases):
                command += [option, case]
        return self._run(module, command, xml)

    def _run(self, module: str, command: list[str], xml: pathlib.Path) -> Audit:
        for old in self.directory.glob(f"{module}.case*.snap"):
            old.unlink()
        end, log = self._new(module), self.directory / f"{module}.log"
        environment = self._environment(end)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="ouro-audit-") as directory, open(log, "wb") as out:
            child = subprocess.Popen(command, env=environment, cwd=directory, stdout=out,
                                     stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                     start_new_session=True)
            taken = list(self._during(module, child, environment, began))
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        result = Audit(module, Outcome(child.wait(), time.monotonic() - began, log))
        read_cases(xml, result.outcome)
        result.at_end = end.exists()
        taken += sorted(self.directory.glob(f"{module}.case*.snap"))
        self._read(result, taken + [end] * result.at_end)
        return result

    def _during(self, module: str, child: subprocess.Popen, environment: dict[str, str], began: float):
        """Take snapshots until the child ends, or its time; those that were written."""
        number, every = 0, self.options.every
        while True:
            left = began + self.options.timeout - time.monotonic()
            try:
                child.wait(min(left, every) if every else left)
                return
            except subprocess.TimeoutExpired:
                if time.monotonic() - began >= self.options.timeout:
                    return
            path = self._new(f"{module}.{number}")
            # Not all can be asked at every moment: a test may be ending, or have closed all files.
            done = subprocess.run([self.options.ouro, "snap", str(child.pid), "-o", str(path)],
                                  env=environment, capture_output=True)
            if done.returncode == 0:
                number += 1
                yield path
            else:
                path.unlink(missing_ok=True)

    def _read(self, result: Audit, snapshots: list[pathlib.Path]) -> None:
        known = patterns("known-audit.txt", self.python.version, result.module)
        for snapshot in snapshots:
            rows, beyond = self._types(snapshot), False
            for row in rows:
                if not row["overexplained"]:
                    continue
                if any(fnmatch.fnmatchcase(row["type"], pattern) for pattern in known):
                    result.known[row["type"]] = row["overexplained"]
                else:
                    result.beyond[snapshot.name, row["type"]] = row["overexplained"]
                    beyond = True
            result.snapshots += 1
            result.unseen = collections.Counter({row["type"]: row["unexplained"] for row in rows})
            if not beyond and not self.options.keep:
                snapshot.unlink()
        result.unseen -= self.fresh


def row(result: Audit) -> str:
    outcome = result.outcome
    ran = len(outcome.passed) + len(outcome.failed)
    return (f"{result.module:34} {ran:6} {outcome.seconds:7.1f} {result.snapshots:5} "
            f"{sum(result.unseen.values()):8}  {result.verdict}")


def details(result: Audit) -> list[str]:
    lines = [f"    too many: {count} of {kind} in {name}" for (name, kind), count in
             sorted(result.beyond.items())]
    lines += [f"    known: {count} of {kind}" for kind, count in sorted(result.known.items())]
    return lines + ([f"    log {result.outcome.log}"] if result.failed else [])


def print_unseen(results: list[Audit]) -> None:
    total: collections.Counter = collections.Counter()
    where: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for result in results:
        total += result.unseen
        for kind, count in result.unseen.items():
            where[kind][result.module] = count
    print(f"\nnothing shows (at the end, beyond those without a test)\n{'type':44} {'references':>10}"
          "  most in")
    for kind, count in total.most_common(TYPES_SHOWN):
        most = ", ".join(f"{module} {n}" for module, n in where[kind].most_common(2))
        print(f"{kind[:44]:44} {count:10}  {most}")


def summary(python: Interpreter, results: list[Audit]) -> str:
    there = [result for result in results if result.outcome.status != NOT_THERE]
    cases = sum(len(r.outcome.passed) + len(r.outcome.failed) for r in there)
    return (f"\nCPython {python.version}: {len(there)} modules, {cases} cases, "
            f"{sum(result.snapshots for result in there)} snapshots; "
            f"{sum(sum(result.beyond.values()) for result in there)} references too many, "
            f"{sum(sum(result.known.values()) for result in there)} known; "
            f"{sum(not result.at_end for result in there)} modules without a snapshot")


def run_interpreter(path: str, options) -> list[Audit]:
    python = Interpreter(path, options.work)
    python.prepare(options.install)
    python.probe()
    auditor = Auditor(python, options)
    modules = options.modules or (python.modules() if options.full else
                                  [words[0] for words in read_list(HERE / "default.txt")])
    print(f"\nCPython {python.version}, {len(modules)} modules\n{'module':34} {'cases':>6} {'s':>7} "
          f"{'snaps':>5} {'unseen':>8}  verdict", flush=True)
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(auditor.audit, modules):
            results.append(result)
            print("\n".join([row(result), *details(result)]), flush=True)
    print_unseen(results)
    print(summary(python, results), flush=True)
    return results


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help="test modules, as for run.py")
    parser.add_argument("--ouro", default="ouro", help="the command-line tool that reads the snapshots")
    parser.add_argument("--python", action="append", help="interpreter to test (repeatable)")
    parser.add_argument("--every", type=float, default=2, metavar="SECONDS",
                        help="between snapshots as the tests go on (default: 2; 0: the one at the end)")
    parser.add_argument("--each", type=int, default=0, metavar="N",
                        help="a snapshot in every Nth case, too (default: 0, none)")
    parser.add_argument("--full", action="store_true", help="every module of the suite")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1),
                        help="modules at the same time (default: 2)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one module")
    parser.add_argument("--install", default=str(HERE.parent.parent),
                        help="what pip installs where an interpreter has no Ouro, as for run.py")
    parser.add_argument("--work", type=pathlib.Path, help="where environments and logs go",
                        default=pathlib.Path(tempfile.gettempdir()) / f"ouro-cpython-{os.getuid()}")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep all snapshots there")
    return parser.parse_args()


def main() -> int:
    options = parse()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results = [result for path in options.python or [sys.executable]
               for result in run_interpreter(path, options)]
    return any(result.failed for result in results)


if __name__ == "__main__":
    sys.exit(main())
