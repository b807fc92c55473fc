#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does `ouro why` tell the truth? Runs the programs of this folder, whose truth is known, and judges.

    tests/corpus/run.py [CASE...] [--sizes 1,4,16] [--ouro PATH] [--python PATH] [--pause TIME] [--keep DIR]

Each program runs on Ouro and takes three snapshots; `ouro why --json` gets these. Its first finding must
be of the right class, and one of the first three must name the culprit and the right kind of holder. With
`clean` a program runs with its cure, and no finding may speak of a leak. What is true stands in a
program's docstring:

    class:   words for `ouro why`'s classes as CLASSES has them, several with | between
    holder:  the same of HOLDERS; absent: not asked for
    name:    texts of which one must be in the finding; absent: not asked for
    bytes:   what grew from the first to the last snapshot at size 1, ± a share (tracemalloc, on 3.11)
    clean:   the classes that are right with the cure; absent: no growth, churn
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CLASSES = {
    "growth": "reachable growth",
    "late": "late collection",
    "collector off": "collector off",
    "uncollectable": "uncollectable",
    "unseen": "unseen references",
    "native": "native memory",
    "retained": "retained by an allocator",
    "churn": "churn",
    "waste": "waste",
    "no growth": "no growth",
    "cannot tell": "cannot tell",
}
HOLDERS = {
    "global": "module global",
    "class": "class attribute",
    "cache": "cache",
    "closure": "closure",
    "handler": "handler",
    "frame": "frame",
    "traceback": "traceback",
    "task": "task",
    "thread": "thread-local",
    "registry": "registry",
}
LEAKS = {"growth", "late", "collector off", "uncollectable", "unseen", "native"}
RIGHT, HELD = 0.95, 0.90  # shares to reach


@dataclass
class Truth:
    """What an expert would say of a program."""

    classes: list[str]
    holders: list[str]
    names: list[str]
    bytes: float
    tolerance: float
    clean: list[str]


@dataclass
class Result:
    """What `ouro why` said of one run, and whether it is right."""

    case: str
    size: int
    clean: bool
    right: bool = False
    held: bool | None = None  # None: not asked for
    exact: bool | None = None
    leak: bool = False  # a leak was told where there is none
    said: str = ""
    trouble: str = ""
    findings: list = field(default_factory=list)


def words(text: str | None) -> list[str]:
    return [word.strip() for word in text.split("|")] if text else []


def truth_of(path: Path) -> Truth:
    """From the docstring; a program without one, or with words that are none of ours, is a mistake."""
    doc = ast.get_docstring(ast.parse(path.read_text())) or ""
    found = dict(re.findall(r"^(\w+): +(.+)$", doc, re.MULTILINE))
    size = re.fullmatch(r"([\d.]+) MiB ± (\d+) %", found["bytes"])
    clean = words(found.get("clean")) or ["no growth", "churn"]
    truth = Truth(words(found["class"]), words(found.get("holder")), words(found.get("name")),
                  float(size[1]) * (1 << 20), float(size[2]) / 100, clean)
    assert set(truth.classes + truth.clean) <= CLASSES.keys(), path
    assert set(truth.holders) <= HOLDERS.keys(), path
    return truth


def cases() -> list[str]:
    helpers = ("run", "corpus")
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in helpers)


def build_extension(python: str, folder: str) -> None:
    """leaky.c for this interpreter."""
    ask = "import sysconfig as s; print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'))"
    include, suffix = subprocess.check_output([python, "-c", ask], text=True).split()
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    source, target = str(HERE / "leaky.c"), os.path.join(folder, "leaky" + suffix)
    subprocess.run([*compiler, "-O1", "-shared", "-fPIC", f"-I{include}", source, "-o", target],
                   check=True)


@dataclass
class Tools:
    ouro: str
    python: str
    extension: str
    pause: str = ""  # of `ouro run --pause`

    def environment(self, **more: str) -> dict[str, str]:
        ours = ("OURO", "CORPUS", "PYTHON")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return kept | {"PYTHONPATH": self.extension} | more


def take(tools: Tools, case: str, size: int, clean: bool, folder: str) -> list[str]:
    """Runs the program. The snapshots that it took."""
    pause = ["--pause", tools.pause] if tools.pause else []
    command = [tools.ouro, "run", "--quiet", *pause, "--python", tools.python, str(HERE / f"{case}.py"),
               str(size), *(["clean"] if clean else [])]
    done = subprocess.run(command, env=tools.environment(CORPUS_SNAPSHOTS=folder), timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip()[-300:]}")
    return sorted(str(path) for path in Path(folder).glob("*.snap"))


def ask(tools: Tools, files: list[str]) -> list[dict]:
    """The findings of `ouro why`."""
    done = subprocess.run([tools.ouro, "why", "--json", *files], timeout=300, capture_output=True,
                          text=True, env=tools.environment())
    if done.returncode != 0:
        raise RuntimeError(f"ouro why: status {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)["findings"]


def is_of(finding: dict, kinds: list[str]) -> bool:
    return finding["class"] in [CLASSES[kind] for kind in kinds]


def tells(finding: dict, truth: Truth) -> bool:
    """Whether the finding has the right class and kind of holder and names the culprit."""
    text = "\n".join([finding["title"], *finding["evidence"]])
    holders = [HOLDERS[holder] for holder in truth.holders]
    return (is_of(finding, truth.classes) and (not holders or finding["holder"] in holders)
            and (not truth.names or any(name in text for name in truth.names)))


def judge(result: Result, truth: Truth, findings: list[dict]) -> None:
    first = findings[0]
    result.findings = findings
    result.said = f"{first['class']}, {first['holder']}, {first['bytes'] / (1 << 20):.1f} MiB"
    if result.clean:
        result.right = is_of(first, truth.clean)
        result.leak = any(is_of(finding, list(LEAKS - set(truth.clean))) for finding in findings)
        return
    result.right = is_of(first, truth.classes)
    if truth.holders or truth.names:
        result.held = any(tells(finding, truth) for finding in findings[:3])
    wanted = truth.bytes * result.size
    if wanted:
        result.exact = abs(first["bytes"] - wanted) <= truth.tolerance * wanted
    harmless = not LEAKS & set(truth.classes)
    result.leak = harmless and any(is_of(finding, list(LEAKS)) for finding in findings)


def run_one(tools: Tools, case: str, size: int, clean: bool, keep: str | None) -> Result:
    result = Result(case, size, clean)
    folder = tempfile.mkdtemp(prefix="ouro-corpus-")
    try:
        files = take(tools, case, size, clean, folder)
        judge(result, truth_of(HERE / f"{case}.py"), ask(tools, files))
    except (RuntimeError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        result.trouble = f"{type(error).__name__}: {error}"
    if keep:
        target = Path(keep, f"{case}-{size}{'-clean' if clean else ''}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(folder, target)
    else:
        shutil.rmtree(folder)
    return result


def show(result: Result) -> None:
    def sign(value: bool | None) -> str:
        return {True: "yes", False: "NO", None: "-"}[value]

    leak = "LEAK" if result.leak else ""
    name = result.case + (" clean" if result.clean else "")
    columns = (f"{name:32} {result.size:3} {sign(result.right):6} {sign(result.held):6}"
               f" {sign(result.exact):6} {leak:5}")
    print(columns, result.trouble or result.said, flush=True)


def share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 1.0


def summary(results: list[Result]) -> bool:
    """Prints the shares; whether all that is to be reached was."""
    right = share([result.right for result in results])
    held = share([bool(result.held) for result in results if result.held is not None or (
        result.trouble and not result.clean)])
    exact = share([result.exact for result in results if result.exact is not None])
    leaks = sum(result.leak for result in results)
    print(f"\n{len(results)} runs: class right {right:.1%} (to reach {RIGHT:.0%}), holder named {held:.1%}"
          f" (to reach {HELD:.0%}), bytes right {exact:.1%}, leaks told where there is none: {leaks}")
    return right >= RIGHT and held >= HELD and leaks == 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    parser.add_argument("--sizes", default="1,4,16")
    parser.add_argument("--ouro", default=str(Path(sys.executable).with_name("ouro")))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pause", default="", metavar="TIME", help="with Ouro's collector, in slices")
    parser.add_argument("--keep", metavar="DIR", help="leave the snapshots there")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    unknown = set(options.cases) - set(cases())
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(cases())}")
    with tempfile.TemporaryDirectory(prefix="ouro-corpus-") as folder:
        build_extension(options.python, folder)
        tools = Tools(options.ouro, options.python, folder, options.pause)
        results = []
        print(f"{'case':32} {'':3} {'class':6} {'holder':6} {'bytes':6} {'':5} the first finding")
        for case in options.cases or cases():
            for size in map(int, options.sizes.split(",")):
                for clean in (False, True):
                    results.append(run_one(tools, case, size, clean, options.keep))
                    show(results[-1])
    return 0 if summary(results) else 1


if __name__ == "__main__":
    sys.exit(main())
