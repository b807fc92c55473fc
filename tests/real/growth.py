# SPDX-License-Identifier: MIT
"""What soak.py found, as lines and as the tables of docs/real-programs.md.

The two sides are not equally fast, so they are compared where both have done the same work: all that
is said of time and memory ends there.
"""

import statistics

import collector

COLUMNS = (
    "| program | Python | the same work on both | at work (stopped), min | CPU, s | peak, MB "
    "| resident, last quarter, MB | growth, last half, MB | stock: full, longest and sum, ms "
    "| Ouro: slices, p50, p99, longest, ms | at once, longest, ms | young, p99 and longest, ms "
    "| longer than meant |"
)
MB = 1024 / 1e6


def common(samples: dict[str, list[dict]]) -> int:
    """The work that both sides have done."""
    return min(max((s["work"] for s in side), default=0) for side in samples.values())


def between(samples: list[dict], first: float, last: float) -> list[dict]:
    return [s for s in samples if first <= s["work"] <= last]


def reached(samples: list[dict], work: int) -> dict:
    return next(s for s in samples if s["work"] >= work)


def late(samples: list[dict], work: int) -> float:
    """The median in the last quarter: what is resident goes up and down within a round."""
    found = between(samples, work * 3 / 4, work) or [reached(samples, work)]
    return statistics.median(s["resident"] for s in found)


def grown(samples: list[dict], work: int) -> float:
    """In the last half: the median of the slopes between any two samples, over that half."""
    half = between(samples, work / 2, work)
    pairs = [(a, b) for a in half for b in half if a["work"] < b["work"]]
    slopes = [(b["resident"] - a["resident"]) / (b["work"] - a["work"]) for a, b in pairs]
    return statistics.median(slopes) * work / 2 if slopes else 0.0


def memory(result: dict) -> dict:
    """Of each side: CPU and peak when it had done the common work; late residents, and growth."""
    work = common(result["samples"])
    found = {"work": work}
    for name, samples in result["samples"].items():
        at = reached(samples, work)
        sizes = {"peak": at["peak"], "late": late(samples, work), "grown": grown(samples, work)}
        last = {"ran": samples[-1]["ran"] / 60, "stopped": samples[-1]["stopped"] / 60}
        found[name] = {kind: kib * MB for kind, kib in sizes.items()} | {"user": at["user"]} | last
    return found


def both(found: dict, value: str, digits: int = 0) -> str:
    stock, ouro = found["stock"][value], found["ouro"][value]
    ratio = f" (×{ouro / stock:.2f})" if stock > 0 and value != "grown" else ""
    sign = "+" if value == "grown" else ""
    return f"{stock:{sign}.{digits}f} → {ouro:{sign}.{digits}f}{ratio}"


def costs(result: dict) -> list[str]:
    found = memory(result)
    ran = f"{found['ouro']['ran']:.0f} ({found['ouro']['stopped']:.0f})"
    values = (both(found, "user"), both(found, "peak"), both(found, "late"), both(found, "grown", 1))
    done = result["done"] + (f"; {len(result['differences'])} differ" if result["differences"] else "")
    return [done, ran, *values]


def pauses(result: dict) -> list[str]:
    notes = result["notes"]
    found = {name: notes[name]["pauses"] for name in notes}
    cells = collector.times(found | {"collector": [notes["ouro"]["collector"]]})
    return cells if found["stock"]["full"]["number"] else ["none", *cells[1:]]


def cells(result: dict) -> list[str]:
    return [result["program"], result["python"], *costs(result), *pauses(result)]


def longer_columns(result: dict) -> str:
    limits = result["notes"]["ouro"]["pauses"]["pause"]["longer"]
    return "| program | on | pauses, longest, ms | " + " | ".join(f"> {n}" for n in limits) + " |"


def longer(result: dict, side: str) -> list[str]:
    """How many pauses of any kind were longer than each limit."""
    every = result["notes"][side]["pauses"]["pause"]
    on = {"stock": "CPython", "ouro": "Ouro on"}[side] + " " + result["python"]
    numbers = [f"{number:,}" if number else "-" for number in every["longer"].values()]
    head = f"{every['number']:,}: {collector.ms(every['longest'])}"
    return [result["program"], on, head, *numbers]


def line(result: dict) -> str:
    head = f"{result['program']}, on {result['python']}"
    if not common(result["samples"]):
        return f"{head}: no round on both"
    done, ran, user, peak, late, grown = costs(result)
    text = f"{head}: {done} in {ran} min\n  CPU {user} s, peak {peak} MB, late {late} MB, grown {grown} MB"
    if not all(result["notes"].values()):
        return text
    stock, slices, full, young, escalated = pauses(result)
    times = f"stock's full {stock}; slices {slices}; at once {full}; young {young}; {escalated}"
    return f"{text}\n  ms: {times}"
