# SPDX-License-Identifier: MIT
"""What do cycles cost that die young beside a large heap, in time, memory and pauses?"""

from __future__ import annotations

from harness import Answer, Row, Settings
from systems import COLUMNS, MIB, compare, missing, tracked


def ask(settings: Settings) -> list[Answer]:
    cycles, live = settings.size(10_000_000, 20_000), settings.size(1_000_000, 2_000)
    values, failed = compare(settings, "churn", [cycles, live])
    rows = [
        Row("user CPU time", "s", tracked(values, "user"), reach=0.45),
        Row("  with system time", "s", tracked(values, "cpu")),
        Row("peak", "MiB", tracked(values, "peak", per=MIB), reach=48),
        Row("longest gap", "ms", tracked(values, "gap"), reach=1.5),
    ]
    title = f"{cycles:,} rings of two nodes beside a chain of {live:,} that stays"
    return [Answer("native churn", title, COLUMNS, rows, missing(settings) + failed)]
