# SPDX-License-Identifier: MIT
"""How many instructions does one allocation and its free take? Counted by callgrind."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

from harness import Answer, Numbers, Row, Settings, Variant, clean_environment, interleave
from questions import pairs

LENGTHS = (200_000, 400_000)
CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
REACH = {"lifo": 35.0}


def executed(command: list[str], variant: Variant) -> int:
    done = subprocess.run(
        CALLGRIND + command, env=clean_environment(variant.env), capture_output=True, text=True
    )
    count = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or count is None:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return int(count[1])


def ask(settings: Settings) -> list[Answer]:
    title = "Instructions of one allocation and its free, with the loop around them"
    if shutil.which("valgrind") is None:
        return [
            Answer("instructions", title, [], [], ["missing: valgrind (Debian package valgrind)"])
        ]
    once_each = replace(settings, rounds=1)
    columns, notes = pairs.variants(once_each)
    rows = []
    for kernel in ("lifo",) if settings.smoke else pairs.KERNELS:

        def once(variant: Variant) -> Numbers:
            command = pairs.program(settings, variant.name)
            short, long = (executed([*command, kernel, str(n), "1"], variant) for n in LENGTHS)
            return {"count": (long - short) / (LENGTHS[1] - LENGTHS[0])}

        numbers, failed = interleave(columns, once_each, kernel, once)
        notes += failed
        reach = REACH.get(kernel)
        rows.append(Row(pairs.KERNELS[kernel], "instructions", numbers["count"], reach=reach))
    return [Answer("instructions", title, [v.name for v in columns], rows, notes)]
