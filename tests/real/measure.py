# SPDX-License-Identifier: MIT
"""Runs one program once and measures it from outside."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from programs import FIXED, Program, Run

LEFT_OUT = ("PYTHON", "OURO", "PYTEST", "DJANGO", "REAL_")


@dataclass
class Cost:
    """What a run took. CPU is that of all its processes, the peak that of the largest one (all
    that getrusage knows of a tree); what begins with `own`, the residents, pauses and the collector
    are the main process's, as probe.py noted them."""

    user: float
    system: float
    peak: int  # KiB, as own_peak and the residents
    own_user: float
    own_peak: int
    at_end: int
    after: int  # a quiet second later
    pauses: dict[str, dict[str, float]]  # by kind: number, total, p50, p99, p999, longest
    collector: dict | None  # what Ouro counted; None: it was off

    @property
    def cpu(self) -> float:
        return self.user + self.system


def environment(program: Program, folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LEFT_OUT)}
    return {**kept, **FIXED, **program.env, "REAL_PROBE": f"{folder}:{os.getpid()}"}


def measure(
    program: Program, interpreter: list[str], place: Path, folder: Path
) -> tuple[Run, Cost]:
    """Runs `program` in `place`; `folder`, new and empty, takes what it writes."""
    command = interpreter + [part.format(out=folder) for part in program.command]
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=place, env=environment(program, folder), stdout=stdout, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    texts = (path.read_text(errors="replace") for path in (out, err))
    return Run(folder, process.returncode, *texts), cost(usage, folder / "notes.json")


def cost(usage, notes: Path) -> Cost:
    if not notes.exists():
        raise RuntimeError(f"ended without its exit functions; see {notes.parent}")
    own = json.loads(notes.read_text())
    whole = (usage.ru_utime, usage.ru_stime, usage.ru_maxrss)
    inside = (own["user"], own["peak"], own["at_end"], own["after"])
    return Cost(*whole, *inside, own["pauses"], own["collector"])


def ratio(pairs: list[tuple[Cost, Cost]], value: str) -> float:
    """The median over the pairs of Ouro to stock."""
    return statistics.median(getattr(ouro, value) / getattr(stock, value) for stock, ouro in pairs)


def median(costs: list[Cost], value: str) -> float:
    return statistics.median(getattr(cost, value) for cost in costs)
