# SPDX-License-Identifier: MIT
"""Do programs with heaps of 0.5 to 1 GB run faster or slower, and at which size?"""

from __future__ import annotations

from pathlib import Path

import interpreter
from harness import Answer, Numbers, Row, Settings, Variant, interleave, run

SCRIPTS = Path(__file__).parent.parent / "python"

# program: title, size, size for a smoke test, ratio to reach
PROGRAMS = {
    "heap_json": ("JSON, 200k records", 200_000, 2_000, 0.85),
    "heap_graph": ("graph, 7M objects", 7_000_000, 70_000, 0.90),
    "heap_cycles": ("12.5M objects, two collections", 12_500_000, 100_000, 0.80),
}
PHASES = {
    "heap_json": ("dumps", "loads0", "loads1", "loads2", "free"),
    "heap_graph": ("build", "walk", "free"),
    "heap_cycles": ("build", "link", "collect1", "collect2", "free"),
}


def ask(settings: Settings) -> list[Answer]:
    return [
        table for each in interpreter.interpreters(settings) for table in ask_one(settings, each)
    ]


def ask_one(settings: Settings, python: interpreter.Interpreter) -> list[Answer]:
    columns, notes = interpreter.columns(settings, python, huge=True)
    times, sizes = [], []
    for program, (title, full, smoke, reach) in PROGRAMS.items():

        def once(variant: Variant) -> Numbers:
            script = str(SCRIPTS / f"{program}.py")
            return run([*variant.prefix, script, str(settings.size(full, smoke))], variant.env)

        numbers, failed = interleave(columns, settings, f"{python.name} {program}", once)
        notes += failed
        times.append(Row(f"{title}: all", "s", numbers["user"], "stock", reach))
        times.append(Row("  with system time", "s", numbers["cpu"], "stock"))
        times += [Row(f"  {phase}", "s", numbers[phase], "stock") for phase in PHASES[program]]
        sizes.append(Row(f"{title}: peak", "B", numbers["peak"], "stock", 1.02))
        sizes.append(Row("  with the heap full", "B", numbers["full"], "stock"))
    names = [v.name for v in columns]
    return [
        Answer(
            f"heaps {python.name}", f"CPython {python.name}: user CPU time", names, times, notes
        ),
        Answer(
            f"heaps {python.name} memory", f"CPython {python.name}: resident memory", names, sizes
        ),
    ]
