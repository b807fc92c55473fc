# SPDX-License-Identifier: MIT
"""Interpreters with Ouro in them, and the columns of the Python questions."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import Settings, Variant
from peers import malloc_variants

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Interpreter:
    name: str  # e.g. "3.11.7"
    python: str
    ouro: str  # the command of its environment


def version_of(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def has_ouro(python: str) -> bool:
    code = "import ouro, sys, os; sys.exit(not os.path.exists(os.path.join(sys.prefix, 'bin', 'ouro')))"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def with_ouro(python: str, settings: Settings) -> Interpreter:
    """The interpreter itself where Ouro is installed, else an environment made from it for the benchmarks."""
    name = version_of(python)
    if not has_ouro(python):
        python = environment(python, Path(settings.scratch, f"venv-{name}"))
    return Interpreter(name, python, str(Path(python).parent / "ouro"))


@functools.cache  # several questions in a row share it
def environment(base: str, folder: Path) -> str:
    python = str(folder.absolute() / "bin" / "python3")
    if not Path(python).exists():
        subprocess.run([base, "-m", "venv", folder], check=True)
    print(f"installing Ouro into {folder}", file=sys.stderr)
    command = [python, "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", str(ROOT)]
    subprocess.run(command, check=True)
    return python


def interpreters(settings: Settings) -> list[Interpreter]:
    return [with_ouro(python, settings) for python in settings.pythons or [sys.executable]]


def columns(
    settings: Settings,
    interpreter: Interpreter,
    huge: bool = False,
    env: tuple[tuple[str, str], ...] = (),
) -> tuple[list[Variant], list[str]]:
    """Stock, stock again (what the machine's noise looks like), Ouro, and the peers in place of malloc."""
    python, ouro = (
        interpreter.python,
        (interpreter.ouro, "run", "--quiet", "--python", interpreter.python),
    )
    ours = (*env, ("BENCH_OURO", "1"))
    own = [
        Variant("stock", (python,), env),
        Variant("stock2", (python,), env),
        Variant("ouro", ouro, ours),
    ]
    if huge:
        rounds = settings.peer_rounds
        own += [
            Variant(f"huge {how}", (*ouro, "--huge", how), ours, rounds)
            for how in ("off", "always")
        ]
    peers, missing = malloc_variants(settings, (*env, ("PYTHONMALLOC", "malloc")))
    return own + [Variant(v.name, (python,), v.env, v.rounds) for v in peers], missing
