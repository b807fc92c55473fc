# SPDX-License-Identifier: MIT
"""What does gc.collect() cost, and what does it dirty in a forked child?"""

from __future__ import annotations

import interpreter
from collected import COLUMNS, measure, scaled
from harness import Answer, Row, Settings

# title, shape, containers, in a smoke test, of stock's time to reach: up to 3.12, and from then on
HEAPS = (
    ("records", "records", 5_000_000, 40_000, 0.20, 0.25),
    ("tree in random order", "tree", 8_000_000, 40_000, 0.15, 0.15),
)
FORKED = 2_000_000
MIB = 1 / (1 << 20)


def whole(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, notes = [], []
    newer = int(python.name.split(".")[1]) >= 13
    for title, shape, full, smoke, *reach in HEAPS:
        size = settings.size(full, smoke)
        values, failed = measure(settings, python, "whole", [shape, size])
        notes += failed
        steady = values.get("steady", {})
        rows.append(Row(f"{title}, {size:,}: first", "s", values.get("first", {}), "stock"))
        rows.append(Row(f"{title}, {size:,}: steady", "s", steady, "stock", reach[newer]))
    title = f"CPython {python.name}: gc.collect() with nothing to free, CPU time"
    return Answer(f"gc whole {python.name}", title, COLUMNS, rows, notes)


def forked(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, notes = [], []
    size = settings.size(FORKED, 40_000)
    for how, title in {"whole": "gc.collect()", "slices": "in slices"}.items():
        values, failed = measure(settings, python, "forked", [size, how])
        notes += failed
        rows.append(Row(title, "MiB", scaled(values, "dirtied", MIB), reach=5))
    title = f"CPython {python.name}: private memory dirtied by a collection of {size:,} in a forked child"
    return Answer(f"gc forked {python.name}", title, COLUMNS, rows, notes)


def ask(settings: Settings) -> list[Answer]:
    return [
        part(settings, each)
        for each in interpreter.interpreters(settings)
        for part in (whole, forked)
    ]
