#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks: run.py [QUESTION...] [--smoke] [--json FILE] [--python PATH]...

Questions: pairs, threads, instructions, walk, scripts, heaps, giveback, five named native_..., six named
gc_... and microscope; `pool` is the first four, `python` is scripts and heaps, `native` the five,
`gc` the six; none: all.
See bench/README.md for what each number means.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import machine
import table
from harness import Answer, Settings

ROOT = Path(__file__).resolve().parent.parent
POOL = ("pairs", "threads", "instructions", "walk")
PYTHON = ("scripts", "heaps")
NATIVE = tuple(f"native_{name}" for name in ("trees", "churn", "objects", "collect", "steps"))
GC = tuple(f"gc_{name}" for name in ("slices", "whole", "giants", "build", "memory", "scripts"))
QUESTIONS = (*POOL, *PYTHON, "giveback", *NATIVE, *GC, "microscope")
GROUPS = {"pool": POOL, "python": PYTHON, "native": NATIVE, "gc": GC, "all": QUESTIONS}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.partition("\n\n")[0])
    add = parser.add_argument
    add(
        "questions",
        nargs="*",
        default=["all"],
        metavar="QUESTION",
        help=", ".join([*QUESTIONS, *GROUPS]),
    )
    add("--smoke", action="store_true", help="everything once and tiny: does it run?")
    add("--json", metavar="FILE", help="write the results, with every single value")
    add("--markdown", metavar="FILE", help="write the tables for a README")
    add("--summary", metavar="FILE", help="write one Markdown table of what was to be reached")
    add(
        "--show",
        action="append",
        metavar="FILE",
        help="print earlier --json FILEs, as one, instead of running",
    )
    add(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="an interpreter; may be repeated",
    )
    add("--rounds", type=int, default=5, help="paired rounds of Ouro and stock (default 5)")
    add(
        "--peer-rounds", type=int, default=3, help="rounds in which the peers take part (default 3)"
    )
    add(
        "--build",
        default=str(ROOT / "build/release"),
        help="CMake build folder that has or gets the C programs",
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.questions if name not in (*QUESTIONS, *GROUPS)]
    if unknown:
        parser.error(f"no question {unknown[0]!r}; there are {', '.join([*QUESTIONS, *GROUPS])}")
    return options


def chosen(names: list[str]) -> list[str]:
    return list(dict.fromkeys(question for name in names for question in GROUPS.get(name, (name,))))


def build_programs(folder: str) -> None:
    configure = ["cmake", "-S", str(ROOT), "-B", folder]
    configure += ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DOURO_BENCH=ON"]
    build = ["cmake", "--build", folder, "--target", "bench_programs", "-j2"]
    for command in (configure, build):  # a peer may have been installed since
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(command)}:\n{done.stdout}")


def settings_from(options: argparse.Namespace) -> Settings:
    rounds = (1, 1) if options.smoke else (options.rounds, options.peer_rounds)
    scratch = str(ROOT / "build/bench")
    return Settings(
        *rounds, options.smoke, pythons=options.python, build=options.build, scratch=scratch
    )


def commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # no git, as in a chroot that was made for an interpreter
        return "unknown"
    return done.stdout.strip() or "unknown"


def run_questions(options: argparse.Namespace) -> dict:
    settings = settings_from(options)
    if not set(chosen(options.questions)) <= set(GC):  # those have no programs in C
        build_programs(settings.build)
    machine.raise_priority()
    results = {
        "machine": machine.facts() | {"commit": commit()},
        "rounds": settings.rounds,
        "smoke": settings.smoke,
        "answers": [],
    }
    print(describe(results), flush=True)
    for name in chosen(options.questions):
        for answer in importlib.import_module(f"questions.{name}").ask(settings):
            if settings.smoke:
                answer.rows = [
                    replace(row, reach=None) for row in answer.rows
                ]  # too small to judge
            print(table.text(answer), flush=True)
            results["answers"].append(table.as_json(answer))
            save(options, results)
    return results


def describe(results: dict) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    return f"{facts}\nmedian (least-greatest) of {results['rounds']} rounds\n"


def save(options: argparse.Namespace, results: dict) -> None:
    """After every table, so that an interrupted run keeps what it has."""
    answers = [table.from_json(answer) for answer in results["answers"]]
    if options.json:
        Path(options.json).write_text(json.dumps(results) + "\n")
    if options.markdown:
        tables = map(table.markdown, answers)
        Path(options.markdown).write_text("\n".join([describe(results), *tables]) + "\n")
    if options.summary:
        Path(options.summary).write_text(table.summary(answers))


def failures(answers: list[Answer]) -> list[str]:
    return [note for answer in answers for note in answer.notes if " failed: " in note]


def either(values: Iterable[str]) -> str:
    return " or ".join(sorted(set(values)))


def earlier(files: list[str]) -> dict:
    """Results of several runs on one machine, as one."""
    results = [json.loads(Path(file).read_text()) for file in files]
    answers = [answer for each in results for answer in each["answers"]]
    machines = [each["machine"] for each in results]
    facts = machines[0] | {
        "load_at_start": max(each["load_at_start"] for each in machines),
        "commit": either(each["commit"] for each in machines),
    }
    rounds = either(str(each["rounds"]) for each in results)
    return results[0] | {"machine": facts, "rounds": rounds, "answers": answers}


def show(options: argparse.Namespace) -> dict:
    results = earlier(options.show)
    print(describe(results))
    print("\n".join(table.text(table.from_json(answer)) for answer in results["answers"]))
    save(options, results)
    return results


def main() -> int:
    options = parse()
    results = show(options) if options.show else run_questions(options)
    return 1 if failures([table.from_json(answer) for answer in results["answers"]]) else 0


if __name__ == "__main__":
    sys.exit(main())
