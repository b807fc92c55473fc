# SPDX-License-Identifier: MIT
"""How long are the slices of a full collection inside CPython, and what do they cost together?"""

from __future__ import annotations

import interpreter
from collected import BUDGET_MS, COLUMNS, Values, beyond, measure
from harness import Answer, Row, Settings

# containers, percent of them garbage, size in a smoke test
HEAPS = (
    (5_000_000, 0, 40_000),
    (10_000_000, 0, 60_000),
    (10_000_000, 10, 60_000),
    (10_000_000, 90, 60_000),
)
P99, LONGEST = 1.1, 2.0  # ms to reach with a budget of 1 ms
FIRST, LATER = 0.6, 0.35  # of stock's work, where nothing is garbage
BYTES = 6.0  # per object


def pauses(title: str, values: Values) -> list[Row]:
    return [
        Row(f"{title}: p50", "ms", values.get("p50", {})),
        Row(f"{title}: p99", "ms", values.get("p99", {}), reach=P99),
        Row(f"{title}: max", "ms", values.get("max", {}), reach=LONGEST),
    ]


def work(title: str, values: Values, live: bool) -> list[Row]:
    """What is promised is the work where all is alive."""
    first, later = (FIRST, LATER) if live else (None, None)
    rows = [Row(f"{title}: first", "s", values.get("first", {}), "stock", first)]
    if not live:
        rows.append(Row(f"{title}: garbage", "s", values.get("second", {}), "stock"))
    return [*rows, Row(f"{title}: later", "s", values.get("later", {}), "stock", later)]


def ask_one(settings: Settings, python: interpreter.Interpreter) -> list[Answer]:
    short, long, memory, notes = [], [], [], []
    for full, garbage, smoke in HEAPS:
        size = settings.size(full, smoke)
        values, failed = measure(settings, python, "slices", [size, garbage])
        notes += failed
        title = f"{size:,} containers, {garbage} % garbage"
        short += pauses(title, values)
        long += work(title, values, garbage == 0)
        extra = beyond(values, "resident", "pools", size)
        memory.append(Row(title, "bytes", extra, reach=BYTES))
    version = f"CPython {python.name}"
    return [
        Answer(
            f"gc slices {python.name}",
            f"{version}: slices of {BUDGET_MS} ms, CPU time of one; CPython has one pause",
            COLUMNS,
            short,
            notes,
        ),
        Answer(f"gc work {python.name}", f"{version}: CPU time of a whole full collection", COLUMNS, long),
        Answer(
            f"gc tables {python.name}",
            f"{version}: most resident bytes per container beyond those of the pools",
            COLUMNS,
            memory,
        ),
    ]


def ask(settings: Settings) -> list[Answer]:
    return [
        table for each in interpreter.interpreters(settings) for table in ask_one(settings, each)
    ]
