# SPDX-License-Identifier: MIT
"""How much memory does a process keep after it freed most of its objects?"""

from __future__ import annotations

from pathlib import Path

import interpreter
from harness import Answer, Numbers, Row, Settings, Variant, interleave, run
from peers import malloc_variants

SCRIPT = str(Path(__file__).parent.parent / "python" / "giveback.py")

# pattern: title, objects, objects in a smoke test, share of the peak to reach
PATTERNS = {
    "survivors": ("a random 0.05 % survives", 6_000_000, 100_000, 0.10),
    "order": ("first 90 % freed in order", 2_000_000, 100_000, 0.28),
    "tenth": ("a random tenth survives", 2_000_000, 100_000, None),
}


def ask(settings: Settings) -> list[Answer]:
    answers = [native(settings)]
    for python in interpreter.interpreters(settings):
        columns, notes = interpreter.columns(settings, python)
        title = f"CPython {python.name}: share of the peak still resident after freeing"

        def start(variant: Variant) -> list[str]:
            return [*variant.prefix, SCRIPT]

        name = f"giveback {python.name}"
        answers.append(patterns(settings, name, title, columns, notes, start, "full", "stock"))
    return answers


def native(settings: Settings) -> Answer:
    peers, notes = malloc_variants(settings)
    columns = [Variant("ouro"), *peers]
    title = "C program: share of the peak still resident after freeing"

    def start(variant: Variant) -> list[str]:
        which = "ouro" if variant.name == "ouro" else "malloc"
        return [str(Path(settings.build, "bench", "pool", f"giveback_{which}"))]

    return patterns(settings, "giveback native", title, columns, notes, start, "peak", "glibc")


def patterns(settings, name, title, columns, notes, start, peak, baseline) -> Answer:
    rows = []
    for pattern, (what, full, smoke, reach) in PATTERNS.items():

        def once(variant: Variant) -> Numbers:
            command = [*start(variant), pattern, str(settings.size(full, smoke))]
            numbers = run(command, variant.env)
            shares = {when: numbers[when] / numbers[peak] for when in ("after", "later")}
            return numbers | {f"share {when}": share for when, share in shares.items()}

        numbers, failed = interleave(columns, settings, f"{name} {pattern}", once)
        notes = notes + failed
        rows.append(Row(f"{what}: at once", "share", numbers["share after"]))
        rows.append(Row(f"{what}: one second later", "share", numbers["share later"], reach=reach))
        if "refill" in numbers:
            reach_refill = 1.0 if pattern == "order" else None
            rows.append(Row(f"{what}: refill", "s", numbers["refill"], baseline, reach_refill))
    return Answer(name, title, [v.name for v in columns], rows, notes)
