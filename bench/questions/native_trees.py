# SPDX-License-Identifier: MIT
"""What do trees cost that are built and dropped? Two classic programs."""

from __future__ import annotations

from harness import Answer, Row, Settings
from questions.pairs import against_best
from systems import COLUMNS, PEERS, acyclic, compare, missing, tracked

# program: title, depth, depth in a smoke test
PROGRAMS = {"trees": ("binary-trees", 16, 8), "gcbench": ("GCBench", 16, 6)}


def ask(settings: Settings) -> list[Answer]:
    rows, judged, notes = [], [], missing(settings)
    for program, (title, full, smoke) in PROGRAMS.items():
        depth = settings.size(full, smoke)
        values, failed = compare(settings, program, [depth])
        notes += failed
        main = Row(f"{title} {depth}", "s", tracked(values, "user"))
        promised = Row(f"{title} {depth}, acyclic types", "s", acyclic(values, "user"))
        rows += [main, Row("  with system time", "s", tracked(values, "cpu"))]
        rows += [Row("  peak", "B", tracked(values, "peak")), promised]
        judged += [main, promised]
    title = "Trees built and dropped: user CPU time of the process"
    best = against_best("native trees", judged, PEERS)
    return [Answer("native trees", title, COLUMNS, rows, notes), best]
