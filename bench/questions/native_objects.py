# SPDX-License-Identifier: MIT
"""What does one object cost: to make and drop, in memory, as a link of a long chain?"""

from __future__ import annotations

from harness import Answer, Row, Settings
from systems import COLUMNS, acyclic, compare, missing, tracked

# `ulimit` counts in KiB. A recursion of ten million calls would need some hundred megabytes.
SMALL_STACK = ("sh", "-c", 'ulimit -s 256; exec "$@"', "sh")


def pair(settings: Settings) -> tuple[list[Row], list[str]]:
    values, failed = compare(settings, "objects", ["pair", settings.size(20_000_000, 200_000)])
    title = "make and drop one of 32 bytes"
    rows = [
        Row(title, "ns", tracked(values, "ns"), reach=5.0),
        Row("  acyclic type", "ns", acyclic(values, "ns"), reach=5.0),
    ]
    return rows, failed


def chain(settings: Settings) -> tuple[list[Row], list[str]]:
    links = settings.size(10_000_000, 500_000)
    values, failed = compare(settings, "chain", [links], prefix=SMALL_STACK)
    title = f"drop a chain of {links:,}, per link, with a stack of 256 KiB"
    rows = [
        Row(title, "ns", tracked(values, "ns"), reach=20),
        Row("  acyclic type", "ns", acyclic(values, "ns"), reach=20),
    ]
    return rows, failed


def memory(settings: Settings) -> tuple[list[Row], list[str]]:
    rows, notes = [], []
    for program, payload in {"objects": 24, "objects_16": 16}.items():
        arguments = ["bytes", settings.size(4_000_000, 100_000)]
        values, failed = compare(settings, program, arguments)
        notes += failed
        title = f"bytes beyond a payload of {payload}"
        rows += [
            Row(title, "bytes", tracked(values, "extra"), reach=9),
            Row("  at the peak", "bytes", tracked(values, "most")),
        ]
    return rows, notes


def ask(settings: Settings) -> list[Answer]:
    rows, notes = [], missing(settings)
    for part in (pair, chain, memory):
        more, failed = part(settings)
        rows += more
        notes += failed
    title = "One object: ns of CPU time, and resident bytes"
    return [Answer("native objects", title, COLUMNS, rows, notes)]
