#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The collector and the snapshots on every interpreter they support: one table.

    matrix.py [--seeds N] [--only WORD]... [--cell NAME]... [--chroots DIR] [--full]

Interpreters: those of pyenv, and Debian's from 3.13 on, debug builds included, in trees that
chroot.sh makes (root and debootstrap; --no-chroots does without). For each the extension is built as
users get it and with its own checks, then come our tests of the snapshots and of the collector, N
seeds of the random checker, events in a cycle, threads (tests/gc), and CPython's modules of
collector.txt in both modes. Interpreters that have a JIT do it all once more with the JIT on.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TREES = {
    "trixie": ["python3.13", "python3.13-dbg"],
    "sid": ["python3.14", "python3.14-dbg", "python3.15", "python3.15-dbg"],
}
BUILDS = {
    "release": ["-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
    "checks": ["-DCMAKE_BUILD_TYPE=Debug", "-DOURO_CHECK_LEVEL=2"],
    "jit": ["-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
}
# From 3.15 on it can be told to compile what has run a few times only.
JIT = {"PYTHON_JIT": "1", "PYTHON_JIT_STRESS": "1"}
CELLS = ("snapshots", "tests", "seeds", "events", "threads", "pause", "busy")


class Failed(Exception):
    pass


class Row:
    """One interpreter with one build of the extension."""

    def __init__(self, python: str, build: str, options):
        self.python, self.build, self.options = os.path.abspath(python), build, options
        self.environment = os.environ | (JIT if build == "jit" else {})
        code = ("import platform, sys; print(platform.python_version() + "
                "('-debug' if hasattr(sys, 'gettotalrefcount') else ''))")
        self.version = subprocess.check_output([python, "-c", code], text=True).strip()
        self.work = options.work / f"{self.version}-{build}"
        self.work.mkdir(parents=True, exist_ok=True)
        self.env = str(self.work / "venv" / "bin" / "python")

    def exists(self) -> bool:
        """Whether there is such a row: not every interpreter has a JIT."""
        code = "import sys; print(hasattr(sys, '_jit') and sys._jit.is_enabled())"
        asked = subprocess.check_output([self.python, "-c", code], text=True, env=self.environment)
        return self.build != "jit" or asked.strip() == "True"

    def command(self, name: str, *words, check: bool = True, **settings) -> tuple[int, str]:
        """Runs it, its output in a log; returns status and output."""
        log = self.work / f"{name}.log"
        with open(log, "w") as out:
            status = subprocess.run([str(w) for w in words], stdout=out, stderr=subprocess.STDOUT,
                                    stdin=subprocess.DEVNULL,
                                    **{"env": self.environment} | settings).returncode
        text = log.read_text(errors="replace")
        if check and status:
            raise Failed(f"{name}: status {status}, log {log}\n{text[-1500:]}")
        return status, text

    def make(self) -> None:
        """Builds the extension and an environment whose interpreters, children too, have it."""
        build = self.work / "build"
        self.command("cmake", "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DOURO_TESTS=OFF",
                     "-DOURO_CLI=OFF", f"-DPython_EXECUTABLE={self.python}", *BUILDS[self.build])
        self.command("ninja", "ninja", "-C", build, "-j2")
        if not os.path.exists(self.env):
            self.command("venv", self.python, "-m", "venv", self.work / "venv")
            self.command("pip", self.env, "-m", "pip", "install", "--quiet", "pytest")
        site = pathlib.Path(subprocess.check_output(
            [self.env, "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip())
        # In alphabetical order: the package must be found before it is started.
        (site / "00_ouro_path.pth").write_text(f"{build / 'python'}\n")
        (site / "ouro_boot.pth").write_text((ROOT / "python" / "ouro_boot.pth").read_text())

    def tests(self, name: str, pattern: str) -> str:
        files = sorted(glob.glob(str(ROOT / "tests" / "python" / pattern)))
        status, text = self.command(
            name, self.env, "-m", "pytest", "-p", "no:cacheprovider", *files, check=False,
            cwd=ROOT, env=self.environment | {"OURO_TEST_PYTHON": self.env})
        last = text.strip().splitlines()[-1] if text.strip() else "nothing"
        return ("" if status == 0 else "FAILED ") + re.sub(r" in .*", "", last.strip("= "))

    def seeds(self) -> str:
        count = self.options.seeds
        status, text = self.command("seeds", self.env, ROOT / "tests" / "gc" / "check.py",
                                    "--seeds", f"0-{count - 1}", check=False)
        return f"{count} ok" if status == 0 else f"FAILED ({text.count('FAILED')} blocks)"

    def script(self, name: str, *words) -> str:
        status, _ = self.command(name, self.env, ROOT / "tests" / "gc" / f"{name}.py", *words,
                                 check=False)
        return "ok" if status == 0 else "FAILED"

    def cpython(self, mode: str) -> str:
        result = self.work / f"{mode}.json"
        result.unlink(missing_ok=True)
        full = ["--full"] if self.options.full else []
        status, _ = self.command(mode, sys.executable, HERE / "run.py", "--python", self.env,
                                 f"--collector={mode}", "--json", result, "--work",
                                 self.work / "cpython", *full, check=False)
        if not result.exists():
            return f"FAILED (status {status})"
        (modules,) = json.loads(result.read_text()).values()
        passed = sum(module["ouro"]["passed"] for module in modules)
        lost = sum(len(module["regressions"]) for module in modules)
        known = sum(len(module["known"]) for module in modules)
        return f"{passed}" + (f", {known} known" if known else "") + \
            (f", FAILED {lost}" if lost else "")

    def run(self) -> dict[str, str]:
        cells = {"interpreter": self.version, "build": self.build}
        try:
            self.make()
        except Failed as failed:
            print(failed, flush=True)
            return cells | {"snapshots": "FAILED to build"}
        for name, cell in (("snapshots", lambda: self.tests("snapshots", "test_snap*.py")),
                           ("tests", lambda: self.tests("tests", "test_gc*.py")),
                           ("seeds", self.seeds),
                           ("events", lambda: self.script("phases", "--points", 10)),
                           ("threads", lambda: self.script("stress", "--seconds", 15)),
                           ("pause", lambda: self.cpython("pause")),
                           ("busy", lambda: self.cpython("busy"))):
            if self.options.cell and name not in self.options.cell:
                continue
            cells[name] = cell()
            print(f"{self.version} {self.build}: {name}: {cells[name]}", flush=True)
        return cells


def here(pythons: list[str], options) -> list[dict[str, str]]:
    rows = [Row(python, build, options) for python in pythons for build in BUILDS
            if wanted(f"{python} {build}", options)]
    return [row.run() for row in rows if row.exists()]


def wanted(words: str, options) -> bool:
    return not options.only or any(word in words for word in options.only)


def local_interpreters() -> list[str]:
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found = glob.glob(f"{root}/versions/3.1[0-5].*/bin/python3")
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path)])


def in_tree(suite: str, pythons: list[str], options) -> list[dict[str, str]]:
    """The rows of a Debian tree: this program, run in it."""
    pythons = [p for p in pythons if any(wanted(f"{p} {b}", options) for b in BUILDS)]
    if not pythons:
        return []
    tree = options.chroots / suite
    if not all((tree / "usr" / "bin" / python).exists() for python in pythons):
        minors = sorted({python.removesuffix("-dbg") for python in TREES[suite]})
        packages = [p for m in minors for p in (f"{m}-dev", f"{m}-venv", f"{m}-dbg",
                                                f"lib{m}-testsuite")]
        subprocess.run([HERE / "chroot.sh", "create", suite, tree, *packages], check=True)
    words = [word for python in pythons for word in ("--python", f"/usr/bin/{python}")]
    words += [word for only in options.only for word in ("--only", only)]
    words += [word for cell in options.cell for word in ("--cell", cell)]
    words += ["--full"] if options.full else []
    result = tree / "tmp" / "ouro-matrix.json"
    result.unlink(missing_ok=True)
    subprocess.run([HERE / "chroot.sh", "run", tree, "env", "PYTHONDONTWRITEBYTECODE=1", TREES[suite][0],
                    "/ouro/tests/cpython/matrix.py", "--work", "/tmp/ouro-matrix", "--seeds",
                    str(options.seeds), "--json", "/tmp/ouro-matrix.json", *words])
    if not result.exists():
        return [{"interpreter": p, "build": "", "snapshots": "FAILED to start"} for p in pythons]
    return json.loads(result.read_text())


def table(rows: list[dict[str, str]]) -> str:
    heads = ("interpreter", "build", *CELLS)
    widths = [max([len(head), *(len(row.get(head, "")) for row in rows)]) for head in heads]
    lines = [heads, ["-" * width for width in widths]]
    lines += [[row.get(head, "") for head in heads] for row in rows]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
                     for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    temporary = pathlib.Path(tempfile.gettempdir())
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--python", action="append", default=[], help="only this (repeatable)")
    parser.add_argument("--only", action="append", default=[],
                        help="rows with this word in path or build, as 3.13 or checks (repeatable)")
    parser.add_argument("--cell", action="append", default=[], choices=CELLS,
                        help="only this column (repeatable)")
    parser.add_argument("--full", action="store_true", help="long modules too")
    parser.add_argument("--no-chroots", action="store_true", help="no Debian trees")
    parser.add_argument("--chroots", type=pathlib.Path, default=temporary / "ouro-chroots")
    parser.add_argument("--work", type=pathlib.Path,
                        default=temporary / f"ouro-matrix-{os.getuid()}")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there too")
    options = parser.parse_args()
    # A shell's background job ignores SIGINT, and tests that interrupt themselves would fail.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows = here(options.python or local_interpreters(), options)
    if not options.python and not options.no_chroots:
        for suite, pythons in TREES.items():
            rows += in_tree(suite, pythons, options)
    print(table(rows), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return any("FAILED" in cell for row in rows for cell in row.values()) or not rows


if __name__ == "__main__":
    sys.exit(main())
