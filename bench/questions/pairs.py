# SPDX-License-Identifier: MIT
"""What does one allocation and its free cost?"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from harness import Answer, Numbers, Row, Settings, Variant, interleave, run
from peers import malloc_variants

KERNELS = {
    "lifo": "LIFO, 48 B, size known when compiled",
    "lifo_sized": "LIFO, 48 B, size a variable",
    "batch": "1,000 of 48 B, freed in order",
    "random": "200,000 of 48 B, freed in random order",
    "mixed": "20,000 live of 16-512 B, a random one replaced",
}
SCRIPTS = Path(__file__).parent.parent / "python"


def interpreters(settings: Settings) -> list[tuple[str, str]]:
    """The column's name and the path of each interpreter whose own allocator takes part."""
    return [(Path(path).resolve().name, path) for path in settings.pythons or [sys.executable]]


def program(settings: Settings, variant: str) -> list[str]:
    """The command up to the kernel's name."""
    folder = Path(settings.build, "bench", "pool")
    for name, path in interpreters(settings):
        if variant == name:
            return [path, str(SCRIPTS / "pairs.py"), str(folder / "libpairs_cpython.so")]
    own = {"ouro": "ouro", "ouro called": "called", "no allocator": "none"}
    return [str(folder / f"pairs_{own.get(variant, 'malloc')}")]


def variants(settings: Settings) -> tuple[list[Variant], list[str]]:
    peers, missing = malloc_variants(settings)
    pythons = [Variant(name, rounds=settings.peer_rounds) for name, _ in interpreters(settings)]
    called = Variant("ouro called", rounds=settings.peer_rounds)
    own = [Variant("no allocator", rounds=1), Variant("ouro"), called]
    return own + peers + pythons, missing


def best_peer(row: Row, peers: list[str]) -> str:
    known = [peer for peer in peers if row.shown(peer)]
    return min(known, key=lambda peer: statistics.median(row.shown(peer)))


def against_best(name: str, rows: list[Row], peers: list[str]) -> Answer:
    """Ouro as a ratio to whichever peer is fastest in a row."""
    ratios = []
    for row in rows:
        best = best_peer(row, peers)
        values = {"best peer": row.values[best], "ouro": row.values["ouro"]}
        ratios.append(Row(f"{row.name}: against {best}", row.unit, values, "best peer", reach=1.0))
    return Answer(
        f"{name} best", "Ouro against the best peer of each row", ["best peer", "ouro"], ratios
    )


def ask(settings: Settings) -> list[Answer]:
    columns, notes = variants(settings)
    rows = []
    for kernel, title in KERNELS.items():
        pairs = settings.size(4_000_000, 200_000)

        def once(variant: Variant) -> Numbers:
            return run([*program(settings, variant.name), kernel, str(pairs), "3"], variant.env)

        numbers, failed = interleave(columns, settings, kernel, once)
        notes += failed
        rows.append(Row(title, "ns", numbers["ns"]))
    title = "One allocation and its free, with the loop around them: ns of CPU time"
    peers = [v.name for v in columns if v.name not in ("no allocator", "ouro", "ouro called")]
    table = Answer("pairs", title, [v.name for v in columns], rows, notes)
    return [table, against_best("pairs", rows, peers)]
