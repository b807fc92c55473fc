# SPDX-License-Identifier: MIT
"""Do ordinary Python programs run faster or slower? pyperformance's scripts, unchanged."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import replace
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
    times, peaks = [], []
    for script, *arguments in chosen(settings):
        path = str(folder(settings) / f"bm_{script}" / "run_benchmark.py")

        def once(variant: Variant) -> Numbers:
            return run([*variant.prefix, path, *arguments], variant.env)

        numbers, failed = interleave(columns, settings, f"{python.name} {script}", once)
        notes += failed
        whole_process = {
            name: numbers.pop(name) for name in ("user", "cpu", "peak") if name in numbers
        }
        times += [Row(name, "s", values, "stock") for name, values in numbers.items()]
        peaks.append(Row(script, "B", whole_process["peak"], "stock"))
    return tables(python.name, [v.name for v in columns], times, peaks, notes)


def tables(
    version: str, columns: list[str], times: list[Row], peaks: list[Row], notes: list[str]
) -> list[Answer]:
    reach = REACH.get(version.rpartition(".")[0])
    worst = max(times, key=lambda row: statistics.median(row.shown("ouro") or [0]))
    mean = geometric_mean(times, "geometric mean", reach=reach)
    times += [replace(worst, name=f"worst: {worst.name}", reach=1.03), mean]
    peaks.append(geometric_mean(peaks, "geometric mean", reach=1.05))
    time_title = f"CPython {version}: pyperformance {VERSION}, CPU time of one loop, best of a run"
    peak_title = f"CPython {version}: peak resident memory of the same runs"
    return [
        Answer(f"scripts {version}", time_title, columns, times, notes),
        Answer(f"scripts {version} peak", peak_title, columns, peaks),
    ]
