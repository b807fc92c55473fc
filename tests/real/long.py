# SPDX-License-Identifier: MIT
"""The programs of soak.py: each works for as long as it is let, in one process.

What they note after each round of work (services/rounds.py) must be the same on both interpreters."""

import json

from programs import NO_NETWORK, SERVICES, Program, Run

ROUNDS = str(SERVICES / "rounds.py")
FAULTS = {"PYTHONFAULTHANDLER": "1"}  # a crash says where
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def rounds(run: Run) -> dict[str, str]:
    """The digest of each round, by the work done until then. How many there were says how fast the
    program was, not what it did."""
    path = run.folder / "work"
    lines = path.read_text().splitlines() if path.exists() else []
    return {str(line["work"]): line["digest"] for line in map(json.loads, lines)}


def program(name, what, unit, requires, command, **more) -> Program:
    env = FAULTS | more.pop("env", {})

    def done(outcome: dict[str, str]) -> str:
        return f"{max(map(int, outcome), default=0):,} {unit}"

    return Program(name, what, requires, command, rounds, done, statuses=(0,), env=env, **more)


LONG = [
    program(
        "aiohttp",
        "aiohttp 3.14.5: a shop answers requests",
        "answers",
        ["aiohttp==3.14.5"],
        [str(SERVICES / "shop.py"), "4000", "{out}", "150"],
    ),
    program(
        "celery",
        "Celery 5.7.0: a worker does tasks",
        "tasks",
        ["celery==5.7.0"],
        [str(SERVICES / "orders.py"), "--rounds", "1000", "{out}/results", "--pool=solo"],
    ),
    program(
        "sphinx",
        "Sphinx 9.0.4 builds its own documentation",
        "times",
        ["sphinx==9.0.4"],
        [ROUNDS, "sphinx", "{out}"],
        sdist="sphinx==9.0.4",
        env=NO_NETWORK,
    ),
    program(
        "mypy",
        "mypy 2.4.1, compiled, checks its own 144 files",
        "times",
        ["mypy==2.4.1"],
        [ROUNDS, "mypy", "{out}"],
        sdist="mypy==2.4.1",
    ),
    program(
        "scikit-learn",
        "scikit-learn 1.9.1 fits models, the latest 60 are kept",
        "rounds of fits",
        ["scikit-learn==1.9.1"],
        [ROUNDS, "fits", "{out}"],
        env=ONE_THREAD,
    ),
]
