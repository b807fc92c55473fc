# SPDX-License-Identifier: MIT
"""Does the collector slow ordinary programs? pyperformance's scripts, beside Ouro's pools alone."""

from __future__ import annotations

from dataclasses import replace

import interpreter
from collected import columns
from harness import Answer, Settings, Variant
from questions.scripts import STAND_IN, Asked, compare


def variants(settings: Settings, python: interpreter.Interpreter) -> list[Variant]:
    """With the pools a second time: what the machine's noise looks like."""
    seconds = str(settings.size(1, 0) * 0.4)
    own = columns(python, (("PYTHONPATH", str(STAND_IN)), ("BENCH_SECONDS", seconds)))
    return [*own, replace(own[1], name="pools2")]


def ask_one(settings: Settings, python: interpreter.Interpreter) -> list[Answer]:
    asked = Asked("gc scripts", "collector on beside the pools alone", "pools")
    return compare(settings, python, variants(settings, python), [], asked, 1.0)


def ask(settings: Settings) -> list[Answer]:
    return [
        table for each in interpreter.interpreters(settings) for table in ask_one(settings, each)
    ]
