# SPDX-License-Identifier: MIT
"""Results as lines, and as the table in docs/real-programs.md."""

import re
from pathlib import Path

import collector
import growth
from measure import Cost, median, ratio
from programs import Program

COLUMNS = "| program | Python | outcome on both | CPU, s | peak, MB | resident after, MB | pairs |"


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
    pauses = f"\n  {collector.line(result['pauses'])}" if result["pauses"] else ""
    return f"{program}, on {python}: {outcome}\n  {costs}{pauses}"


def write(document: Path, results: list[dict]) -> None:
    """Enters results into the table that they belong to."""
    text = document.read_text()
    for result in results:
        if result["pauses"]:
            text = enter(text, collector.COLUMNS, collector.cells(result))
        else:
            text = enter(text, COLUMNS, cells(result))
    document.write_text(text)


def write_hours(document: Path, results: list[dict]) -> None:
    """Likewise, of soak.py."""
    text = document.read_text()
    for result in results:
        text = enter(text, growth.COLUMNS, growth.cells(result))
        for side in result["notes"]:
            text = enter(text, growth.longer_columns(result), growth.longer(result, side))
    document.write_text(text)


def enter(text: str, columns: str, cells: list[str]) -> str:
    """Replaces the row of the same program and version in the table, or appends one."""
    found = re.search(re.escape(columns) + r"\n\|---[^\n]*\n((?:\|[^\n]*\n)*)", text)
    if not found:
        raise ValueError(f"the document has no table with the columns {columns}")
    rows = {tuple(row.split("|")[1:3]): row for row in found[1].splitlines()}
    row = "| " + " | ".join(cells) + " |"
    rows[tuple(row.split("|")[1:3])] = row
    table = "\n".join(rows.values()) + "\n"
    return text[: found.start(1)] + table + text[found.end(1) :]
