# SPDX-License-Identifier: MIT
"""What do programs feel that only build: time, longest pause, slower young collections?"""

from __future__ import annotations

import interpreter
from collected import COLUMNS, PROGRAMS, columns, measure
from harness import Answer, Numbers, Row, Settings, Variant, interleave, run

CONTAINERS = 4_000_000


def build(settings: Settings, python: interpreter.Interpreter) -> Answer:
    size = settings.size(CONTAINERS, 40_000)
    variants = columns(python)
    variants.append(Variant("collector off", variants[0].prefix))

    def once(variant: Variant) -> Numbers:
        off = ["off"] if variant.name == "collector off" else []
        return run([*variant.prefix, str(PROGRAMS / "build.py"), str(size), *off], variant.env)

    values, notes = interleave(variants, settings, f"{python.name} build", once)
    rows = [
        Row("CPU time", "s", values.get("build", {}), "stock", 0.45),
        Row("  of the process, in user mode", "s", values.get("user", {}), "stock"),
        Row("longest collection or slice", "ms", values.get("longest", {}), reach=3.0),
        Row("longest gap", "ms", values.get("gap", {})),
        Row("  p99.9", "ms", values.get("rare", {})),
        Row("peak", "B", values.get("peak", {}), "stock"),
    ]
    title = f"CPython {python.name}: {size:,} containers built"
    return Answer(f"gc build {python.name}", title, [*COLUMNS, "collector off"], rows, notes)


def young(settings: Settings, python: interpreter.Interpreter) -> Answer:
    size, times = settings.size(2_000_000, 20_000), settings.size(15, 1)
    values, notes = measure(settings, python, "young", [size, times])
    rows = [
        Row("making objects with young collections", "s", values.get("automatic", {}), "pools", 1.02),
        Row("the young collections alone", "s", values.get("explicit", {}), "pools", 1.02),
    ]
    title = f"CPython {python.name}: young collections while no cycle runs, CPU time"
    return Answer(f"gc young {python.name}", title, COLUMNS, rows, notes)


def ask(settings: Settings) -> list[Answer]:
    return [
        part(settings, each)
        for each in interpreter.interpreters(settings)
        for part in (build, young)
    ]
