# SPDX-License-Identifier: MIT
"""Results as lines, and as the table in docs/real-programs.md."""

import re
from pathlib import Path

from measure import Cost, median, ratio
from programs import Program

COLUMNS = "| program | Python | outcome on both | CPU, s | peak, MB | resident after, MB | pairs |"
RULE = "|---|---|---|---|---|---|---|"
TABLE = re.compile(re.escape(COLUMNS) + r"\n\|---[^\n]*\n((?:\|[^\n]*\n)*)")


def summary(
    version: str,
    program: Program,
    costs: list[tuple[Cost, Cost]],
    outcome: dict[str, str],
    differences: list[str],
) -> dict:
    values = {}
    for value in ("cpu", "peak", "after"):
        stock, ouro = (median([pair[side] for pair in costs], value) for side in (0, 1))
        values[value] = (stock, ouro, ratio(costs, value))
    what = program.summary(outcome) + (f"; {len(differences)} differ" if differences else "")
    return {
        "program": program.what,
        "python": version,
        "outcome": what,
        "pairs": len(costs),
        "differences": differences,
        **values,
    }


def cells(result: dict) -> list[str]:
    def both(value: str, scale: float, digits: int) -> str:
        stock, ouro, part = result[value]
        return f"{stock * scale:.{digits}f} → {ouro * scale:.{digits}f} (×{part:.2f})"

    mb = 1024 / 1e6
    numbers = [both("cpu", 1, 1), both("peak", mb, 0), both("after", mb, 0)]
    head = [result["program"], result["python"], result["outcome"].replace("|", "\\|")]
    return [*head, *numbers, str(result["pairs"])]


def line(result: dict) -> str:
    program, python, outcome, cpu, peak, after, pairs = cells(result)
    costs = f"CPU {cpu} s, peak {peak} MB, after {after} MB, pairs {pairs}"
    return f"{program}, on {python}: {outcome}\n  {costs}"


def write(document: Path, results: list[dict]) -> None:
    """Replaces the rows of the same program and version, appends the others."""
    text = document.read_text()
    found = TABLE.search(text)
    if not found:
        raise ValueError(f"{document} has no table with the columns of {__file__}")
    rows = {tuple(row.split("|")[1:3]): row for row in found[1].splitlines()}
    for result in results:
        row = "| " + " | ".join(cells(result)) + " |"
        rows[tuple(row.split("|")[1:3])] = row
    table = "\n".join([COLUMNS, RULE, *rows.values()]) + "\n"
    document.write_text(text[: found.start()] + table + text[found.end() :])
