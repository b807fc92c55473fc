# SPDX-License-Identifier: MIT
"""Paired runs: every variant once per round, in shuffled order, compared with the baseline of the same round.

On a shared machine two runs an hour apart differ by more than the things measured here; two runs next to each
other do not. So a ratio is taken within a round, and a row is the median of these ratios with their spread.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

Numbers = dict[str, float]


@dataclass(frozen=True)
class Variant:
    """One column: how a program is started so that it uses one allocator."""

    name: str
    prefix: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    rounds: int = 1 << 30  # takes part in the first so many rounds


@dataclass
class Row:
    """One number of one program, as every variant gave it in every round (None: not in that round)."""

    name: str
    unit: str
    values: dict[str, list[float | None]]
    baseline: str | None = None  # the variant of which the others are shown as a ratio
    reach: float | None = None  # what the variant `judged` must not exceed, as shown
    judged: str = "ouro"

    def shown(self, variant: str) -> list[float]:
        """The values as the table shows them: ratios to the baseline, or the numbers themselves."""
        own = self.values.get(variant, [])
        if self.baseline is None or self.baseline == variant:
            return [value for value in own if value is not None]
        base = self.values.get(self.baseline, [])
        return [a / b for a, b in zip(own, base) if a is not None and b]

    def verdict(self) -> str:
        values = self.shown(self.judged)
        if self.reach is None or not values:
            return ""
        met = statistics.median(values) <= self.reach
        return f"<= {self.reach:g} {'met' if met else 'MISSED'}"


@dataclass
class Answer:
    """One table."""

    name: str
    title: str
    columns: list[str]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)


@dataclass
class Settings:
    rounds: int = 5
    peer_rounds: int = 3
    smoke: bool = False
    seed: int = 1
    pythons: list[str] = field(default_factory=list)
    build: str = "build/release"
    scratch: str = "build/bench"

    def size(self, full: int, smoke: int) -> int:
        return smoke if self.smoke else full


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def clean_environment(extra: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The caller's, without what would change how Python or an allocator behaves."""
    dropped = ("PYTHON", "OURO", "MALLOC", "MIMALLOC", "TCMALLOC", "LD_PRELOAD", "GLIBC_TUNABLES")
    env = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return env | {"PYTHONHASHSEED": "0"} | dict(extra)


def run(
    command: list[str], env: tuple[tuple[str, str], ...] = (), cores: set[int] | None = None
) -> Numbers:
    """Runs a program that prints lines `name number`, on the last core or the cores named."""
    where = cores or {max(os.sched_getaffinity(0))}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.run(
            command,
            env=clean_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: os.sched_setaffinity(0, where),
        )
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            tail = " / ".join(err.read().strip().splitlines()[-3:])
            raise RuntimeError(f"{' '.join(command)}: exit status {child.returncode}: {tail}")
        return parse_numbers(out.read())


def parse_numbers(text: str) -> Numbers:
    numbers = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        try:
            numbers[name] = float(value)
        except ValueError:
            continue  # a script's own chatter
    return numbers


def interleave(
    variants: list[Variant], settings: Settings, label: str, once: Callable[[Variant], Numbers]
) -> tuple[dict[str, dict[str, list[float | None]]], list[str]]:
    """Runs once(variant) for all in shuffled order, round by round.

    Returns number name -> variant -> one value per round, and a note for each variant that failed."""
    order = random.Random(f"{settings.seed} {label}")
    rounds: list[dict[str, Numbers]] = []
    failed: dict[str, str] = {}
    for number in range(settings.rounds):
        results: dict[str, Numbers] = {}
        taking_part = [v for v in variants if number < v.rounds and v.name not in failed]
        for variant in order.sample(taking_part, len(taking_part)):
            progress(f"{label}: round {number + 1}/{settings.rounds}: {variant.name}")
            try:
                results[variant.name] = once(variant)
            except RuntimeError as error:
                failed[variant.name] = f"{label}: {variant.name} failed: {error}"
        rounds.append(results)
    progress("")
    return transpose(rounds, [v.name for v in variants]), list(failed.values())


def transpose(
    rounds: list[dict[str, Numbers]], variants: list[str]
) -> dict[str, dict[str, list[float | None]]]:
    names = dict.fromkeys(
        name for results in rounds for numbers in results.values() for name in numbers
    )
    return {
        name: {v: [results.get(v, {}).get(name) for results in rounds] for v in variants}
        for name in names
    }


def geometric_mean(rows: list[Row], name: str, **options) -> Row:
    """The row of the rows: per variant and round, the geometric mean of the ratios to the baseline."""
    variants = list(dict.fromkeys(v for row in rows for v in row.values))
    count = max(len(values) for row in rows for values in row.values.values())
    baseline = rows[0].baseline

    def mean(variant: str, number: int) -> float | None:
        ratios = []
        for row in rows:
            a, b = row.values[variant][number], row.values[baseline][number]
            if a is None or not b:
                return None
            ratios.append(a / b)
        return statistics.geometric_mean(ratios)

    values = {v: [mean(v, n) for n in range(count)] for v in variants}
    return Row(name, "ratio", values, baseline, **options)
