# SPDX-License-Identifier: MIT
"""Does memory grow when full collections take their time? Programs that leave cycles, and real ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import interpreter
from collected import COLUMNS, Values, measure, scaled
from harness import Answer, Row, Settings

# kind: title, how many, in a smoke test; beside so many containers that stay
CHURN = {
    "rings": ("rings of two", 6_000_000, 20_000),
    "components": ("components of 100,000", 60, 1),
    "chain": ("growing chain with cycles", 1_000_000, 10_000),
    "exceptions": ("exceptions in their frames", 300_000, 1_000),
}
BASE = 1_000_000
MODULES = (
    "argparse,ast,asyncio,collections,email,http.client,inspect,logging,multiprocessing,pathlib,"
    "turtle,typing,unittest.mock"
)
# what: title, argument, in a smoke test
REAL = {
    "sessions": ("HTTP client sessions (httpx)", 300, 2),
    "mypy": ("mypy, on sphinx", "sphinx", "sphinx.util.typing"),
    "sphinx": ("Sphinx, on the standard library", MODULES, "argparse,ast"),
}
PACKAGES = ("httpx", "mypy", "sphinx")
PEAK = 1.05  # of stock's


def packages(settings: Settings, python: interpreter.Interpreter) -> Path:
    """The folder of the real programs, installed once."""
    target = Path(settings.scratch, f"real-{python.name}").absolute()
    if not target.exists():
        command = [python.python, "-m", "pip", "install", "-q", "--target", target, *PACKAGES]
        subprocess.run(command, check=True)
    return target


def versions(folder: Path) -> str:
    """As pip names its folders."""
    names = (path.name.removesuffix(".dist-info") for path in sorted(folder.glob("*.dist-info")))
    return ", ".join(name for name in names if name.partition("-")[0] in PACKAGES)


def rows_of(title: str, values: Values) -> list[Row]:
    floating = scaled(values, "says floating_worst", 0.001)
    rows = [
        Row(f"{title}: peak", "B", values.get("peak", {}), "stock", PEAK),
        Row("  CPU time", "s", values.get("cpu", {}), "stock"),
        Row("  longest collection or slice", "ms", values.get("longest", {})),
        Row("  most garbage in a cycle", "share", floating),
        Row("  slices that could not be short", "count", values.get("says bound", {})),
    ]
    return [row for row in rows if row.values]


def churn(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, notes = [], []
    base = settings.size(BASE, 10_000)
    for kind, (title, full, smoke) in CHURN.items():
        arguments = [kind, settings.size(full, smoke), base]
        values, failed = measure(settings, python, "churn", arguments)
        notes += failed
        rows += rows_of(title, values)
    title = f"CPython {python.name}: programs that leave cycles behind them, beside {base:,} containers"
    return Answer(f"gc churn {python.name}", title, COLUMNS, rows, notes)


def real(settings: Settings, python: interpreter.Interpreter) -> Answer:
    rows, folder = [], packages(settings, python)
    notes = [versions(folder)]
    for what, (title, full, smoke) in REAL.items():
        arguments = [what, smoke if settings.smoke else full]
        env = (("PYTHONPATH", str(folder)),)
        values, failed = measure(settings, python, "real", arguments, env)
        notes += failed
        rows += rows_of(title, values)
    return Answer(
        f"gc real {python.name}", f"CPython {python.name}: real programs", COLUMNS, rows, notes
    )


def ask(settings: Settings) -> list[Answer]:
    return [
        part(settings, each)
        for each in interpreter.interpreters(settings)
        for part in (churn, real)
    ]
