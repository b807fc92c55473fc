# SPDX-License-Identifier: MIT
"""What does it cost when one thread allocates and another frees?"""

from __future__ import annotations

import os
from pathlib import Path

from harness import Answer, Numbers, Row, Settings, Variant, interleave, run
from peers import malloc_variants
from questions.pairs import against_best

SIDES = {
    "take": "the thread that allocates",
    "give": "the thread that frees",
    "both": "both together",
}


def ask(settings: Settings) -> list[Answer]:
    peers, notes = malloc_variants(settings)
    columns = [Variant("ouro"), Variant("ouro called", rounds=settings.peer_rounds), *peers]
    folder = Path(settings.build, "bench", "pool")
    programs = {"ouro": "threads_ouro", "ouro called": "threads_called"}
    if len(os.sched_getaffinity(0)) < 2:
        notes.append("one core only: the threads take turns, so frees never run beside allocations")

    def once(variant: Variant) -> Numbers:
        command = [str(folder / programs.get(variant.name, "threads_malloc"))]
        batches = str(settings.size(40_000, 1_000))
        numbers = run([*command, batches], variant.env, os.sched_getaffinity(0))
        return numbers | {"both": numbers["take"] + numbers["give"]}

    numbers, failed = interleave(columns, settings, "threads", once)
    rows = [Row(title, "ns", numbers[side]) for side, title in SIDES.items()]
    title = "64-byte blocks through a ring from one thread to another: ns of CPU time per block"
    answer = Answer("threads", title, [v.name for v in columns], rows, notes + failed)
    return [answer, against_best("threads", rows, [v.name for v in peers])]
