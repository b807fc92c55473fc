# SPDX-License-Identifier: MIT
"""Does the collector slow ordinary programs? pyperformance's scripts, beside Ouro's pools alone."""

from __future__ import annotations

import statistics
from dataclasses import replace

import interpreter
from collected import columns
from harness import Answer, Numbers, Row, Settings, Variant, geometric_mean, interleave, run
from questions.scripts import STAND_IN, VERSION, chosen, folder


def variants(settings: Settings, python: interpreter.Interpreter) -> list[Variant]:
    """With the pools a second time: what the machine's noise looks like."""
    seconds = str(settings.size(1, 0) * 0.4)
    own = columns(python, (("PYTHONPATH", str(STAND_IN)), ("BENCH_SECONDS", seconds)))
    return [*own, replace(own[1], name="pools2")]


def ask_one(settings: Settings, python: interpreter.Interpreter) -> list[Answer]:
    taking_part = variants(settings, python)
    times, peaks, notes = [], [], []
    for script, *arguments in chosen(settings):
        path = str(folder(settings) / f"bm_{script}" / "run_benchmark.py")

        def once(variant: Variant) -> Numbers:
            return run([*variant.prefix, path, *arguments], variant.env)

        numbers, failed = interleave(taking_part, settings, f"{python.name} {script}", once)
        notes += failed
        peak = [numbers.pop(name, {}) for name in ("user", "cpu", "peak")][-1]
        times += [Row(name, "s", values, "pools") for name, values in numbers.items()]
        peaks.append(Row(script, "B", peak, "pools"))
    return tables(python.name, [v.name for v in taking_part], times, peaks, notes)


def tables(version: str, names: list[str], times: list[Row], peaks: list[Row], notes: list[str]):
    worst = max(times, key=lambda row: statistics.median(row.shown("ouro") or [0]))
    mean = geometric_mean(times, "geometric mean", reach=1.0)
    times += [replace(worst, name=f"worst: {worst.name}", reach=1.03), mean]
    peaks.append(geometric_mean(peaks, "geometric mean", reach=1.05))
    time_title = f"CPython {version}: pyperformance {VERSION}, collector on beside the pools alone"
    peak_title = f"CPython {version}: peak resident memory of the same runs"
    return [
        Answer(f"gc scripts {version}", time_title, names, times, notes),
        Answer(f"gc scripts {version} peak", peak_title, names, peaks),
    ]


def ask(settings: Settings) -> list[Answer]:
    return [
        table for each in interpreter.interpreters(settings) for table in ask_one(settings, each)
    ]
