# SPDX-License-Identifier: MIT
"""Real programs that nobody here wrote, unchanged, on stock and on Ouro in turns.

They must behave the same; what differs is printed and the exit status is 1. Makes a virtual
environment with pinned versions under build/real; --write enters the results into docs/.
With --pause Ouro collects as well, and the pauses of both are compared.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import collector
import report
from measure import Cost, measure
from programs import PROGRAMS, Program

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/real"
SHOWN = 10  # differences


def parser_of(what: str, programs: list[Program]) -> argparse.ArgumentParser:
    """With the arguments that short and long runs share."""
    parser = argparse.ArgumentParser(description=what.splitlines()[0])
    names = [program.name for program in programs]
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(names)}")
    parser.add_argument("--python", default=sys.executable, help="the interpreter, 3.11 or later")
    parser.add_argument("--wheel", help="of Ouro; default: built from this tree")
    parser.add_argument("--folder", type=Path, default=BUILD, help="where to install programs")
    parser.add_argument("--keep", type=Path, help="append all that was measured to this file")
    parser.add_argument("--write", action="store_true", help="enter the results into docs/")
    return parser


def parse(parser: argparse.ArgumentParser, programs: list[Program]) -> argparse.Namespace:
    """The options; `programs` are those that were named, or all."""
    options = parser.parse_args()
    names = [program.name for program in programs]
    if unknown := set(options.programs) - set(names):
        parser.error(f"no program {unknown.pop()!r}; there are {', '.join(names)}")
    options.programs = [p for p in programs if not options.programs or p.name in options.programs]
    return options


def arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, PROGRAMS)
    parser.add_argument("--rounds", type=int, default=1, help="pairs of runs of each program")
    parser.add_argument("--pause", help="with the collector, and slices so long: 1ms")
    return parse(parser, PROGRAMS)


def pip(python: Path, *words: str) -> None:
    subprocess.run([python, "-m", "pip", "--quiet", *words], check=True)


class Place:
    """A virtual environment with the programs and Ouro, and the unpacked sources."""

    def __init__(self, python: str, wheel: str | None, pause: str | None, folder: Path) -> None:
        version = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
        self.version = subprocess.check_output([python, "-c", version], text=True).strip()
        self.sources = folder / "sources"
        self.folder = folder / self.version
        self.python = self.folder / "bin/python"
        if not self.python.exists():
            subprocess.run([python, "-m", "venv", self.folder], check=True)
        pip(self.python, "install", "--force-reinstall", "--no-deps", wheel or str(ROOT))
        self._install_probe()
        self.ouro = [str(self.folder / "bin/ouro"), "run", "--quiet"]
        self.ouro += ["--pause", pause] if pause else []
        self.stock = [str(self.python)]

    def _install_probe(self) -> None:
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(subprocess.check_output([self.python, "-c", where], text=True).strip())
        shutil.copy(Path(__file__).with_name("probe.py"), packages / "real_probe.py")
        line = "import os; os.environ.get('REAL_PROBE') and __import__('real_probe')\n"
        (packages / "real_probe.pth").write_text(line)

    def install(self, program: Program) -> Path:
        """Returns where to run it."""
        pip(self.python, "install", *program.requires)
        if program.sdist is None:
            return self.folder
        name = program.sdist.replace("==", "-")
        if not (self.sources / name).exists():
            self.sources.mkdir(parents=True, exist_ok=True)
            package = program.sdist.partition("==")[0]
            only = ["--no-deps", "--no-binary", package, "--dest", str(self.sources)]
            pip(self.python, "download", *only, program.sdist)
            shutil.unpack_archive(self.sources / f"{name}.tar.gz", self.sources)
        return self.sources / name / program.inside


class Pairs:
    """Runs of one program, on stock and on Ouro in turns."""

    def __init__(self, program: Program, place: Place) -> None:
        self.program = program
        self.place = place
        self.runs_in = place.install(program)
        self.costs: list[tuple[Cost, Cost]] = []
        self.stock: list[dict[str, str]] = []
        self.ouro: list[dict[str, str]] = []

    def _run(self, interpreter: list[str]) -> tuple[dict[str, str], Cost]:
        with tempfile.TemporaryDirectory(prefix="real-") as folder:
            run, cost = measure(self.program, interpreter, self.runs_in, Path(folder))
            if run.status not in self.program.statuses:
                said = (run.stdout + run.stderr)[-2000:]
                raise RuntimeError(f"{interpreter} ended with {run.status}:\n{said}")
            return self.program.outcome(run), cost

    def round(self, stock_first: bool) -> None:
        order = [self.place.stock, self.place.ouro]
        found = {tuple(i): self._run(i) for i in (order if stock_first else order[::-1])}
        stock, ouro = (found[tuple(interpreter)] for interpreter in order)
        self.stock.append(stock[0])
        self.ouro.append(ouro[0])
        self.costs.append((stock[1], ouro[1]))

    def differences(self) -> list[str]:
        """What no run on stock did. (What differs from one stock run to the next is not ours.)"""
        found = []
        for name in sorted({name for outcome in self.stock + self.ouro for name in outcome}):
            usual = {outcome.get(name) for outcome in self.stock}
            odd = {outcome.get(name) for outcome in self.ouro} - usual
            found += [f"{name}: stock {brief(usual)}, Ouro {brief(odd)}"] if odd else []
        return found


def brief(values: set[str | None]) -> str:
    return " or ".join(sorted(str(value)[:100] for value in values))


def run(program: Program, place: Place, rounds: int, collects: bool) -> dict:
    pairs = Pairs(program, place)
    for number in range(rounds):
        pairs.round(stock_first=number % 2 == 0)
    differences = pairs.differences()
    result = report.summary(place.version, program, pairs.costs, pairs.stock[0], differences)
    result["pauses"] = collector.summary(pairs.costs) if collects else None
    show(report.line(result), differences)
    return result


def show(line: str, differences: list[str]) -> None:
    print(line, flush=True)
    for difference in differences[:SHOWN]:
        print(f"  differs: {difference}", flush=True)


def keep(path: Path | None, results: list[dict]) -> None:
    if path:
        with path.open("a") as file:
            file.writelines(json.dumps(result) + "\n" for result in results)


def verdict(results: list[dict]) -> int:
    """The last line, and the exit status."""
    print(json.dumps({"same": sum(not r["differences"] for r in results), "of": len(results)}))
    return int(any(result["differences"] for result in results))


def main() -> int:
    options = arguments()
    place = Place(options.python, options.wheel, options.pause, options.folder)
    collects = options.pause is not None
    results = []
    for program in options.programs:
        results.append(run(program, place, options.rounds, collects))
        keep(options.keep, results[-1:])
    if options.write:
        report.write(ROOT / "docs/real-programs.md", results)
    return verdict(results)


if __name__ == "__main__":
    sys.exit(main())
