# SPDX-License-Identifier: MIT
"""The columns of the collector's questions: stock, Ouro's pools under stock's collector, and Ouro whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import interpreter
from harness import Numbers, Settings, Variant, interleave, run

PROGRAMS = Path(__file__).parent / "gc"
BUDGET_MS = 1
COLUMNS = ["stock", "pools", "ouro"]
Values = dict[str, dict[str, list[float | None]]]  # number -> column -> one per round
Env = tuple[tuple[str, str], ...]


def columns(python: interpreter.Interpreter, env: Env = ()) -> list[Variant]:
    command = (python.ouro, "run", "--quiet")
    program = ("--python", python.python)
    ours = (*env, ("BENCH_OURO", "1"))
    return [
        Variant("stock", (python.python,), env),
        Variant("pools", (*command, *program), ours),
        Variant(
            "ouro",
            (*command, "--pause", f"{BUDGET_MS}ms", *program),
            (*ours, ("BENCH_COLLECTOR", "1")),
        ),
    ]


def measure(
    settings: Settings,
    python: interpreter.Interpreter,
    program: str,
    arguments: list[object],
    env: Env = (),
    only: tuple[str, ...] = tuple(COLUMNS),
) -> tuple[Values, list[str]]:
    """Runs a program of `gc/` in the columns named, in shuffled rounds; few of them, for they are long."""
    words = list(map(str, arguments))

    def once(variant: Variant) -> Numbers:
        return run([*variant.prefix, str(PROGRAMS / f"{program}.py"), *words], variant.env)

    label = " ".join([python.name, program, *words])
    variants = [each for each in columns(python, env) if each.name in only]
    return interleave(variants, replace(settings, rounds=settings.peer_rounds), label, once)


def scaled(values: Values, number: str, factor: float) -> dict[str, list[float | None]]:
    """The columns of one number, in another unit."""
    return {
        name: [value and value * factor for value in own]
        for name, own in values.get(number, {}).items()
    }


def beyond(values: Values, number: str, base: str, per: int) -> dict[str, list[float | None]]:
    """How much more each column has of a number than the column `base` has, per object."""
    own = values.get(number, {})

    def differences(column: str) -> list[float | None]:
        pairs = zip(own[column], own[base])
        return [None if a is None or b is None else (a - b) / per for a, b in pairs]

    return {column: differences(column) for column in own} if base in own else {}
