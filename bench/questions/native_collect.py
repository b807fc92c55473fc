# SPDX-License-Identifier: MIT
"""What does a full collection cost that stops the program, and what does it dirty after a fork?"""

from __future__ import annotations

from harness import Answer, Row, Settings
from systems import COLUMNS, MIB, compare, missing, tracked

# Boehm's collection only marks; ORC's looks at nothing but what was dropped.
COUNTING = ("ouro", "Nim ORC", "CPython", "Lua")
TRACING = ("ouro", "Boehm", "CPython", "Lua")
REACH = {"allocation": 12.0, "random": 35.0}


def garbage(settings: Settings) -> tuple[list[Row], list[str]]:
    size = settings.size(1_000_000, 20_000)
    values, failed = compare(settings, "collect", ["garbage", size, size], COUNTING)
    title = f"{size:,} rings of two beside {size:,} live, per object found"
    return [Row(title, "ns", tracked(values, "ns"), reach=25)], failed


def live(settings: Settings) -> tuple[list[Row], list[str]]:
    size = settings.size(2_000_000, 20_000)
    rows, notes = [], []
    for order, reach in REACH.items():
        values, failed = compare(settings, "collect", ["live", size, order], TRACING)
        known, also = compare(settings, "collect", ["live", size, order, "roots"], ("ouro",))
        notes += failed + also
        rows += [
            Row(f"nothing to free, {order} order, per object", "ns", tracked(values, "ns"), reach=reach),
            Row("  the first collection", "ns", tracked(values, "first")),
            Row("  with a root registered", "ns", tracked(known, "ns"), reach=reach),
        ]
    return rows, notes


def forked(settings: Settings) -> tuple[list[Row], list[str]]:
    size = settings.size(2_000_000, 50_000)
    values, failed = compare(settings, "forked", [size])
    title = f"private memory dirtied by a collection of {size:,} in a forked child"
    rows = [
        Row(title, "MiB", tracked(values, "dirtied", per=MIB), reach=4),
        Row("  most there were of its tables", "MiB", tracked(values, "tables", per=MIB)),
    ]
    return rows, failed


def ask(settings: Settings) -> list[Answer]:
    rows, notes = [], missing(settings)
    for part in (garbage, live, forked):
        more, failed = part(settings)
        rows += more
        notes += failed
    title = "A full collection in one go: ns of CPU time"
    return [Answer("native collect", title, COLUMNS, rows, notes)]
