# SPDX-License-Identifier: MIT
"""The ways of managing memory that the native questions compare, and how their programs are started."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import Numbers, Settings, Variant, interleave, run

NATIVE = Path(__file__).parent / "native"
Values = dict[str, dict[str, list[float | None]]]  # number -> system -> one per round


def compiled(system: str) -> Callable[[Settings, str], list[str]]:
    """C and Nim: objects_16 of ouro is objects_ouro_16."""

    def command(settings: Settings, program: str) -> list[str]:
        base, _, words = program.partition("_")
        name = "_".join(filter(None, (base, system, words)))
        path = Path(settings.build, "bench", "native", name)
        return [str(path)] if path.exists() else []

    return command


def python_command(_: Settings, program: str) -> list[str]:
    """Debian's CPython, built with all its optimisations; elsewhere the one that runs this."""
    script = NATIVE / "python" / f"{program}.py"
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    return [python, "-S", "-E", str(script)] if script.exists() else []


def lua_command(_: Settings, program: str) -> list[str]:
    script = NATIVE / "lua" / f"{program}.lua"
    lua = shutil.which("lua5.4")
    return [lua, str(script)] if lua and script.exists() else []


@dataclass(frozen=True)
class System:
    name: str
    command: Callable[[Settings, str], list[str]]  # empty: has no such program
    package: str = ""  # Debian's; empty: always there
    slow: bool = False  # takes part in one round


ACYCLIC = " acyclic"  # the same system where the program says that there are no cycles
SYSTEMS = (
    System("ouro", compiled("ouro")),
    System("ouro acyclic", compiled("ouro_acyclic")),
    System("by hand", compiled("malloc")),
    System("Boehm", compiled("boehm"), "libgc-dev"),
    System("GLib", compiled("glib"), "libglib2.0-dev"),
    System("Nim ORC", compiled("nim_orc"), "nim"),
    System("Nim ORC acyclic", compiled("nim_orc_acyclic"), "nim"),
    System("Nim ARC", compiled("nim_arc"), "nim"),
    System("CPython", python_command, slow=True),
    System("Lua", lua_command, "lua5.4", slow=True),
)
COLUMNS = [system.name for system in SYSTEMS if not system.name.endswith(ACYCLIC)]
PEERS = COLUMNS[1:]
MIB = 1 << 20
ENVIRONMENT = (("LUA_PATH", f"{NATIVE}/lua/?.lua"),)


def missing(settings: Settings) -> list[str]:
    """A note for each peer that is not installed. All but the acyclic variants have the program `churn`."""
    return [
        f"missing: {system.name} (Debian package {system.package})"
        for system in SYSTEMS
        if system.name in PEERS and system.package and not system.command(settings, "churn")
    ]


def timed(command: list[str], env: tuple[tuple[str, str], ...]) -> Numbers:
    """What the program prints, and the CPU time of its process: the same measure for every language."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    numbers = run(command, env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user = after.ru_utime - before.ru_utime
    return numbers | {"user": user, "cpu": user + after.ru_stime - before.ru_stime}


def compare(
    settings: Settings,
    program: str,
    arguments: list[object],
    only: tuple[str, ...] = (),
    prefix: tuple[str, ...] = (),
) -> tuple[Values, list[str]]:
    """Runs the program of every system that has it (or of `only` these), in shuffled rounds."""
    commands = {
        system.name: [*prefix, *command, *map(str, arguments)]
        for system in SYSTEMS
        if (command := system.command(settings, program)) and (not only or system.name in only)
    }
    variants = [
        Variant(system.name, rounds=1 if system.slow else settings.rounds)
        for system in SYSTEMS
        if system.name in commands
    ]
    label = f"{program} {' '.join(map(str, arguments))}"
    overflowed: dict[str, str] = {}

    def once(variant: Variant) -> Numbers:
        try:
            return {} if variant.name in overflowed else timed(commands[variant.name], ENVIRONMENT)
        except RuntimeError as error:
            if not prefix or "exit status -11" not in str(error):
                raise
            overflowed[variant.name] = f"{variant.name}: overflows its stack"
            return {}

    values, failed = interleave(variants, settings, label, once)
    return values, failed + list(overflowed.values())


def tracked(values: Values, number: str, per: float = 1) -> dict[str, list[float | None]]:
    """The columns of one number, without those where the program says that there are no cycles."""
    return {
        name: [value and value / per for value in own]
        for name, own in values.get(number, {}).items()
        if name in COLUMNS
    }


def acyclic(values: Values, number: str) -> dict[str, list[float | None]]:
    """The same where each system that can say that there are no cycles does so."""
    own = values.get(number, {})
    said = {name.removesuffix(ACYCLIC): own[name] for name in own if name.endswith(ACYCLIC)}
    return tracked(values, number) | said
