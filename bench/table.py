# SPDX-License-Identifier: MIT
"""Answers as text, as Markdown and as JSON."""

from __future__ import annotations

import statistics
from dataclasses import asdict

from harness import Answer, Row

UNITS = {
    "ns": "{:.1f}",
    "s": "{:.4g} s",
    "instructions": "{:.0f}",
    "share": "{:.2f}",
    "ratio": "{:.3f}",
    "ms": "{:.3g} ms",
    "MiB": "{:.1f} MiB",
    "bytes": "{:.1f}",
    "count": "{:.0f}",
}


def number(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 2**20:.0f} MiB"
    return UNITS[unit].format(value)


def cell(row: Row, variant: str, spread: bool = True) -> str:
    """The median with least and greatest; the baseline of a row of ratios as its own number."""
    values = row.shown(variant)
    if not values:
        return "-"
    unit = row.unit if row.baseline in (None, variant) else "ratio"
    middle = number(statistics.median(values), unit)
    if not spread or len(values) == 1 or variant == row.baseline:
        return middle
    low, high = (UNITS.get(unit, "{:.2f}").format(edge(values)) for edge in (min, max))
    return f"{middle} ({low}-{high})"


def grid(answer: Answer, spread: bool = True) -> list[list[str]]:
    judged = any(row.verdict() for row in answer.rows)
    head = ["", *answer.columns] + (["reach"] if judged else [])
    body = [
        [row.name, *(cell(row, column, spread) for column in answer.columns)]
        + ([row.verdict()] if judged else [])
        for row in answer.rows
    ]
    return [head, *body]


def text(answer: Answer) -> str:
    lines = grid(answer)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def aligned(line: list[str]) -> str:
        return "  ".join(
            [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]
        )

    return "\n".join([answer.title, *map(aligned, lines), *answer.notes, ""])


def markdown(answer: Answer) -> str:
    head, *body = grid(answer, spread=False)
    rule = ["---"] + ["---:"] * (len(head) - 1)
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, rule, *body)]
    return "\n".join([f"**{answer.title}**", "", *lines, "", *answer.notes])


def summary(answers: list[Answer]) -> str:
    """The rows that have something to reach, in one Markdown table."""
    lines = ["| question | compared with | Ouro | to reach |", "|---|---:|---:|---|"]
    for answer in answers:
        for row in filter(Row.verdict, answer.rows):
            base = cell(row, row.baseline, spread=False) if row.baseline else ""
            against = f"{row.baseline} {base}" if row.baseline else "-"
            cells = [
                f"{answer.name}: {row.name.strip()}",
                against,
                cell(row, row.judged),
                row.verdict(),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def as_json(answer: Answer) -> dict:
    """With values of five digits: more than any of them is worth."""
    data = asdict(answer)
    for row in data["rows"]:
        for name, values in row["values"].items():
            row["values"][name] = [value and float(f"{value:.5g}") for value in values]
    return data


def from_json(data: dict) -> Answer:
    return Answer(**data | {"rows": [Row(**row) for row in data["rows"]]})
