# SPDX-License-Identifier: MIT
"""Real programs at work for an hour each, on stock and on Ouro at the same time.

Both sides of a program, and all programs, run at once. A crash, another result or another exit status
makes the exit status 1; memory is compared where both sides have done equally much. An interrupt ends
all after the rounds they are in. --write enters the results into docs/.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

import growth
import report
from long import LONG
from programs import Program
from run import ROOT, Place, keep, parse, parser_of, show, verdict
from side import Side

SIDES = ("stock", "ouro")


def arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, LONG)
    parser.add_argument("--minutes", type=float, default=60, help="that each program is at work")
    parser.add_argument("--every", type=float, default=30, help="seconds between two samples")
    parser.add_argument("--pause", default="1ms", help="length of slices")
    parser.add_argument("--nice", type=int, help="of the programs")
    parser.add_argument("--groups", type=Path, help="write the groups of processes to this file")
    parser.add_argument("--kept", type=Path, help="only show, and write, what --keep put there")
    return parse(parser, LONG)


class Pair:
    """One program's two sides."""

    def __init__(self, program: Program, place: Place, runs_in: Path, folder: Path, nice: int | None):
        self.program, self.version = program, place.version
        self.finishing = False
        interpreters = dict(zip(SIDES, (place.stock, place.ouro), strict=True))
        self.sides = {
            name: Side(program, interpreter, runs_in, folder / name, nice)
            for name, interpreter in interpreters.items()
        }

    def look(self, seconds: float) -> bool:
        """Ends it when both have worked for so long. Whether one is still at work."""
        at_work = [side.look() for side in self.sides.values()]
        if min(side.ran for side in self.sides.values()) >= seconds or not all(at_work):
            self.finish()
        return any(at_work)

    def sample(self) -> None:
        for side in self.sides.values():
            side.sample()

    def finish(self) -> None:
        """The equal end of both; one that crashes ends the other too."""
        if not self.finishing:
            self.finishing = True
            self.sample()
            for side in self.sides.values():
                side.finish()

    def outcomes(self) -> list[dict[str, str]]:
        """Of stock and of Ouro, by the work done."""
        return [self.program.outcome(side.run()) for side in self.sides.values()]

    def differences(self) -> list[str]:
        stock, ouro = self.outcomes()
        found = [
            f"after {work}: stock {stock[work]}, Ouro {ouro[work]}"
            for work in sorted(stock.keys() & ouro.keys(), key=int)
            if stock[work] != ouro[work]
        ]
        return found + [line for name, side in self.sides.items() for line in ended(name, side)]

    def result(self) -> dict:
        samples = {name: [vars(s) for s in side.samples] for name, side in self.sides.items()}
        work = growth.common(samples)
        same = {done: found for done, found in self.outcomes()[0].items() if int(done) <= work}
        return {
            "program": self.program.what,
            "python": self.version,
            "done": self.program.summary(same),
            "differences": self.differences(),
            "samples": samples,
            "notes": {name: side.notes() for name, side in self.sides.items()},
        }


def ended(name: str, side: Side) -> list[str]:
    """How, if not well."""
    if side.status in side.program.statuses and side.notes():
        return []
    return [f"{name} ended with {side.status}: {side.run().stderr[-2000:]}"]


def at_work(pairs: list[Pair], minutes: float, every: float) -> None:
    """Until all have ended."""
    asked, sampled = [], time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append(True))
    while any([pair.look(0 if asked else minutes * 60) for pair in pairs]):
        time.sleep(min(1, every))
        if time.monotonic() - sampled >= every:
            sampled = time.monotonic()
            for pair in pairs:
                pair.sample()


def soak(options: argparse.Namespace) -> list[dict]:
    """Has all of them work; the results."""
    place = Place(options.python, options.wheel, options.pause, options.folder)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=options.folder))
    installed = [(program, place, place.install(program)) for program in options.programs]
    pairs = [Pair(*one, folder / one[0].name, options.nice) for one in installed]
    if options.groups:
        pids = (side.process.pid for pair in pairs for side in pair.sides.values())
        options.groups.write_text(" ".join(map(str, pids)) + "\n")
    at_work(pairs, options.minutes, options.every)
    results = [pair.result() for pair in pairs]
    keep(options.keep, results)
    return results


def main() -> int:
    options = arguments()
    if options.kept:
        results = [json.loads(line) for line in options.kept.read_text().splitlines()]
    else:
        results = soak(options)
    for result in results:
        show(growth.line(result), result["differences"])
    if options.write:
        report.write_hours(ROOT / "docs/real-programs.md", results)
    return verdict(results)


if __name__ == "__main__":
    sys.exit(main())
