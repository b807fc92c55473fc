# SPDX-License-Identifier: MIT
"""What the collector's pauses were, of pairs of runs: the table of docs/real-programs.md."""

import statistics

from measure import Cost, ratio

COLUMNS = (
    "| program | Python | outcome on both | CPU, s | peak, MB | stock: full, longest and sum, ms "
    "| Ouro: slices, p50, p99, longest, ms | at once, longest, ms | young, p99 and longest, ms "
    "| longer than meant | pairs |"
)


def summary(pairs: list[tuple[Cost, Cost]]) -> dict:
    """Medians over the runs; of the longest pauses the longest."""
    stock, ouro = ([pair[side] for pair in pairs] for side in (0, 1))
    if any(cost.collector is None for cost in ouro):
        raise RuntimeError("the collector was off: ouro run --pause says why")
    return {
        "user": both(pairs, "own_user"),
        "peak": both(pairs, "own_peak"),
        "stock": pauses(stock),
        "ouro": pauses(ouro),
        "collector": [cost.collector for cost in ouro],
    }


def both(pairs: list[tuple[Cost, Cost]], value: str) -> tuple[float, float, float]:
    medians = (statistics.median(getattr(pair[side], value) for pair in pairs) for side in (0, 1))
    return (*medians, ratio(pairs, value))


def pauses(costs: list[Cost]) -> dict[str, dict[str, float]]:
    found = {}
    for kind in costs[0].pauses:
        runs = [cost.pauses[kind] for cost in costs]
        numbers = (name for name in runs[0] if name != "longer")
        found[kind] = {name: statistics.median(run[name] for run in runs) for name in numbers}
        found[kind]["longest"] = max(run["longest"] for run in runs)
    return found


def escalations(runs: list[dict]) -> str:
    """Why pauses were longer than meant, of all runs; what the program asked for is none."""
    counts: dict[str, int] = {}
    for run in runs:
        for reason, count in run["escalations"].items():
            counts[reason] = counts.get(reason, 0) + count
    counts.pop("explicit", None)
    return ", ".join(f"{count} {reason}" for reason, count in counts.items() if count) or "-"


def ms(seconds: float) -> str:
    value = seconds * 1e3
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def longest(kind: dict[str, float]) -> str:
    return ms(kind["longest"]) if kind["number"] else "-"


def young(kinds: dict[str, dict[str, float]]) -> str:
    return f"{ms(kinds['young']['p99'])}, {longest(kinds['young'])}"


def times(found: dict) -> list[str]:
    stock, ouro = found["stock"], found["ouro"]
    full, slices = stock["full"], ouro["slice"]
    by = [ms(slices[name]) for name in ("p50", "p99", "longest")]
    return [
        f"{full['number']:.0f}: {longest(full)}, {ms(full['total'])}",
        f"{slices['number']:.0f}: {', '.join(by)}" if slices["number"] else "-",
        longest(ouro["full"]),
        f"{young(stock)} → {young(ouro)}",
        escalations(found["collector"]),
    ]


def cells(result: dict) -> list[str]:
    found = result["pauses"]
    user, mb = found["user"], [kib * 1024 / 1e6 for kib in found["peak"][:2]]
    head = [result["program"], result["python"], result["outcome"].replace("|", "\\|")]
    cpu = f"{user[0]:.1f} → {user[1]:.1f} (×{user[2]:.2f})"
    peak = f"{mb[0]:.0f} → {mb[1]:.0f} (×{found['peak'][2]:.2f})"
    return [*head, cpu, peak, *times(found), str(result["pairs"])]


def line(found: dict) -> str:
    stock, slices, full, young, escalated = times(found)
    pauses = f"stock's full {stock}; slices {slices}; at once {full}; young {young}"
    took = f"user ×{found['user'][2]:.2f}, peak ×{found['peak'][2]:.3f}"
    return f"own: {took}; ms: {pauses}; {escalated}"
