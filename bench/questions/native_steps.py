# SPDX-License-Identifier: MIT
"""How long are the slices of a collection with a budget of 1 ms?"""

from __future__ import annotations

from harness import Answer, Row, Settings
from systems import Values, compare, tracked

BUDGET_MS = 1
SHARES = (0, 10, 90)
NUMBERS = {
    "p50": ("ms", None),
    "p99": ("ms", 1.1),
    "max": ("ms", 2.0),
    "slices": ("count", None),
    "ns": ("ns", None),
}
TITLES = {
    "slices": "how many",
    "ns": "ns of all per object",
    "longest": "longest undivided, elapsed time",
}


def rows_of(title: str, values: Values, numbers: dict) -> list[Row]:
    names = {name: TITLES.get(name, name) for name in numbers}
    return [
        Row(f"{title}: {names[name]}", unit, tracked(values, name), reach=reach)
        for name, (unit, reach) in numbers.items()
    ]


def slices(settings: Settings) -> Answer:
    objects = settings.size(10_000_000, 100_000)
    rows, notes = [], []
    for share in SHARES:
        values, failed = compare(settings, "steps", [objects, share, BUDGET_MS], ("ouro",))
        notes += failed
        rows += rows_of(f"{share} % garbage", values, NUMBERS)
    title = f"Slices of {BUDGET_MS} ms, {objects:,} objects: CPU time of a slice"
    return Answer("native steps", title, ["ouro"], rows, notes)


def component(settings: Settings) -> Answer:
    objects = settings.size(2_000_000, 50_000)
    rows, notes = [], []
    wanted = {"max": ("ms", 40.0), "longest": ("ms", None), "ns": ("ns", None)}
    for order in ("allocation", "random"):
        arguments = ["component", objects, order, BUDGET_MS]
        values, failed = compare(settings, "steps", arguments, ("ouro",))
        notes += failed
        rows += rows_of(f"{order} order", values, wanted)
    title = f"One garbage component of {objects:,} objects: CPU time of the longest slice"
    return Answer("native component", title, ["ouro"], rows, notes)


def ask(settings: Settings) -> list[Answer]:
    return [slices(settings), component(settings)]
