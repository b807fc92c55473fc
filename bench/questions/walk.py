# SPDX-License-Identifier: MIT
"""What does a walk of all live blocks cost?"""

from __future__ import annotations

from pathlib import Path

from harness import Answer, Numbers, Row, Settings, Variant, interleave, run

SHAPES = {"dense": "all blocks alive", "sparse": "three of four freed at random"}


def ask(settings: Settings) -> list[Answer]:
    blocks = settings.size(10_000_000, 200_000)
    rows, notes = [], []
    for shape, title in SHAPES.items():

        def once(variant: Variant) -> Numbers:
            return run([str(Path(settings.build, "bench", "pool", "walk")), str(blocks), shape])

        numbers, failed = interleave([Variant("ouro")], settings, f"walk {shape}", once)
        notes += failed
        reach = 4.0 if shape == "dense" else None
        rows.append(Row(f"{blocks:,} live, {title}", "ns", numbers["ns"], reach=reach))
    return [
        Answer("walk", "A walk of all live blocks: ns of CPU time per block", ["ouro"], rows, notes)
    ]
