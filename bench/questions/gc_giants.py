# SPDX-License-Identifier: MIT
"""How long is the longest slice where one object, or one component of garbage, is very large?"""

from __future__ import annotations

import interpreter
from collected import COLUMNS, measure
from harness import Answer, Row, Settings

# kinds: children, in a smoke test, ms to reach
OBJECTS = {
    ("list", "tuple", "dict"): (10_000_000, 50_000, 2.0),
    ("set",): (4_000_000, 50_000, None),
    ("deque", "dict_subclass", "ordered_dict"): (4_000_000, 50_000, 10.0),
}
COMPONENTS = {
    "family": "a list and its children",
    "ladder": "a chain, linked both ways",
}


def objects(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, notes = [], []
    for kinds, (full, smoke, reach) in OBJECTS.items():
        size = settings.size(full, smoke)
        for kind in kinds:
            values, failed = measure(settings, python, "giant", [kind, size], only=("stock", "ouro"))
            notes += failed
            title = f"{kind.replace('_', ' ')} of {size:,}"
            rows.append(Row(title, "ms", values.get("max", {}), reach=reach))
            rows.append(Row("  p99", "ms", values.get("p99", {})))
    title = f"CPython {python.name}: longest pause of three collections with one giant object, CPU time"
    return Answer(f"gc giants {python.name}", title, ["stock", "ouro"], rows, notes)


def components(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, notes = [], []
    size = settings.size(2_000_000, 40_000)
    for kind, title in COMPONENTS.items():
        values, failed = measure(settings, python, "component", [kind, size])
        notes += failed
        rows.append(Row(f"{title}: longest pause", "ms", values.get("max", {}), reach=40.0))
        rows.append(Row("  all of it", "s", values.get("total", {}), "stock"))
    title = f"CPython {python.name}: one component of {size:,} that is garbage, CPU time"
    return Answer(f"gc component {python.name}", title, COLUMNS, rows, notes)


def ask(settings: Settings) -> list[Answer]:
    return [
        part(settings, each)
        for each in interpreter.interpreters(settings)
        for part in (objects, components)
    ]
