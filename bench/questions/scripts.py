# SPDX-License-Identifier: MIT
"""Do ordinary Python programs run faster or slower? pyperformance's scripts, unchanged."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import interpreter
from harness import Answer, Numbers, Row, Settings, Variant, geometric_mean, interleave, run

VERSION = "1.14.0"
STAND_IN = Path(__file__).parent.parent / "python" / "stand_in"

# Those without dependencies that take less than two seconds. Arguments follow the name.
SCRIPTS = """
    float
    go
    json_loads
    json_dumps
    deltablue
    hexiom
    regex_compile
    deepcopy
    logging
    gc_traversal
    gc_collect
    generators
    comprehensions
    telco
    pickle --pure-python pickle
    chaos
    richards
    coroutines
    async_tree none
    async_generators
    argparse many_optionals
    raytrace
    xml_etree
    nqueens
    pyflate
    sqlite_synth
    pathlib
    nbody
    typing_runtime_protocols
    unpack_sequence
    meteor_contest
"""
SMOKE = ("json_loads", "deepcopy", "telco")
REACH = {"3.11": 0.98, "3.13": 0.95}


def folder(settings: Settings) -> Path:
    """pyperformance's folder of benchmarks, installed once."""
    target = Path(settings.scratch, f"pyperformance-{VERSION}")
    if not target.exists():
        package = f"pyperformance=={VERSION}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            target,
            package,
        ]
        subprocess.run(command, check=True)
    return target / "pyperformance" / "data-files" / "benchmarks"


def chosen(settings: Settings) -> list[list[str]]:
    scripts = [line.split() for line in SCRIPTS.strip().splitlines()]
    return [script for script in scripts if not settings.smoke or script[0] in SMOKE]


def ask(settings: Settings) -> list[Answer]:
    return [
        table for each in interpreter.interpreters(settings) for table in ask_one(settings, each)
    ]


def ask_one(settings: Settings, python: interpreter.Interpreter) -> list[Answer]:
    env = (("PYTHONPATH", str(STAND_IN)), ("BENCH_SECONDS", str(settings.size(1, 0) * 0.4)))
    columns, notes = interpreter.columns(settings, python, env=env)
    asked = Asked("scripts", "CPU time of one loop, best of a run", "stock")
    reach = REACH.get(python.name.rpartition(".")[0])
    return compare(settings, python, columns, notes, asked, reach)


@dataclass
class Asked:
    """What the scripts are run for, and the column that they are compared with."""

    question: str
    title: str
    against: str


def compare(
    settings: Settings,
    python: interpreter.Interpreter,
    columns: list[Variant],
    notes: list[str],
    asked: Asked,
    reach: float | None,
) -> list[Answer]:
    """Each script in each column; `reach` is for the geometric mean of their times."""
    times, peaks = [], []
    for script, *arguments in chosen(settings):
        path = str(folder(settings) / f"bm_{script}" / "run_benchmark.py")

        def once(variant: Variant) -> Numbers:
            return run([*variant.prefix, path, *arguments], variant.env)

        numbers, failed = interleave(columns, settings, f"{python.name} {script}", once)
        notes = notes + failed
        peak = [numbers.pop(name, {}) for name in ("user", "cpu", "peak")][-1]
        times += [Row(name, "s", values, asked.against) for name, values in numbers.items()]
        peaks.append(Row(script, "B", peak, asked.against))
    worst = max(times, key=lambda row: statistics.median(row.shown("ouro") or [0]))
    mean = geometric_mean(times, "geometric mean", reach=reach)
    times += [replace(worst, name=f"worst: {worst.name}", reach=1.03), mean]
    peaks.append(geometric_mean(peaks, "geometric mean", reach=1.05))
    names, version = [v.name for v in columns], f"CPython {python.name}"
    title = f"{version}: pyperformance {VERSION}, {asked.title}"
    peak_title = f"{version}: peak resident memory of the same runs"
    return [
        Answer(f"{asked.question} {python.name}", title, names, times, notes),
        Answer(f"{asked.question} {python.name} peak", peak_title, names, peaks),
    ]
