# SPDX-License-Identifier: MIT
"""What does it cost to ask a large heap: the pause, the file, the graph, retained sizes, paths, a diff?"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import interpreter
from harness import Answer, Numbers, Row, Settings, Variant, interleave, run

HEAP = Path(__file__).parent.parent / "microscope" / "heap.py"
ENTRIES = 1_500_000
LARGE = 100_000_000  # objects
MIB = 1 << 20
PEERS = ("guppy3", "pympler", "objgraph")


def packages(settings: Settings, python: interpreter.Interpreter) -> Path:
    """The folder of the peers, installed once."""
    target = Path(settings.scratch, f"peers-{python.name}").absolute()
    if not target.exists():
        command = [python.python, "-m", "pip", "install", "-q", "--target", target, *PEERS]
        subprocess.run(command, check=True)
    return target


def versions(folder: Path) -> str:
    """As pip names its folders."""
    names = (path.name.removesuffix(".dist-info") for path in sorted(folder.glob("*.dist-info")))
    return ", ".join(name for name in names if name.partition("-")[0].lower() in PEERS)


def start(command: list[str], env: tuple[tuple[str, str], ...] = ()) -> Numbers:
    """On all cores, for every tool: the writer of a snapshot runs beside the program."""
    return run(command, env, os.sched_getaffinity(0))


def analyze(settings: Settings, *files: str) -> Numbers:
    return start([str(Path(settings.build, "bench", "microscope", "bench_analyze")), *files])


def command_seconds(python: interpreter.Interpreter, *words: str) -> float:
    """Wall time of the whole command, its start included."""
    script = (
        "import subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
        "print('seconds', time.perf_counter() - start)"
    )
    return start([python.python, "-c", script, python.ouro, *words])["seconds"]


def with_ouro(settings: Settings, python: interpreter.Interpreter, entries: int) -> Numbers:
    """The pause and the files from inside, the rest from the files."""
    prefix = [python.ouro, "run", "--quiet", "--python", python.python]
    with tempfile.TemporaryDirectory(prefix="ouro-bench-") as folder:
        inside = start([*prefix, str(HEAP), "ouro", str(entries), folder])
        files = [str(Path(folder, f"{name}.snap")) for name in ("first", "second")]
        outside = analyze(settings, *files)
        commands = {
            "dom": command_seconds(python, "dom", "--json", files[0]),
            "why": command_seconds(python, "why", "--json", *files),
        }
    own = {"pause": inside["pause_first"], "snapshot": inside["snapshot_first"]}
    return inside | outside | commands | own | {"retained": outside["whole"]}


def with_peer(
    python: interpreter.Interpreter, tool: str, entries: int, env: tuple[tuple[str, str], ...]
) -> Numbers:
    return start([python.python, str(HEAP), tool, str(entries)], env)


TABLE = (  # name, unit, number, factor, to reach
    ("the program stands still", "ms", "pause", 1e3, 30.0),
    ("snapshot, from request to closed file", "s", "snapshot", 1, 3.0),
    ("  bytes in the file per object", "bytes", "file_per_object", 1, 12.0),
    ("objects by type", "s", "types", 1, None),
    ("graph, dominators, retained sizes, suspects", "s", "retained", 1, 3.0),
    ("  CPU time of that", "s", "whole_cpu", 1, None),
    ("  resident per object, beyond 8 per reference", "bytes", "beyond_edges", 1, 48.0),
    ("audit of all objects, after loading", "s", "audit", 1, 0.15),
    ("  references found beyond the counts", "count", "overexplained", 1, 0.0),
    ("one object's path to a root, after loading", "ms", "path", 1e3, 20.0),
    ("  the longest of a hundred", "ms", "longest_path", 1e3, None),
    ("diff of two heaps, after loading", "s", "diff", 1, 3.0),
    ("  CPU time of that ", "s", "diff_cpu", 1, None),
    ("`ouro dom FILE`, all of it", "s", "dom", 1, None),
    ("`ouro why FILE FILE`, all of it", "s", "why", 1, None),
    ("peak of the program", "B", "peak", 1, None),
    ("peak of the analysis", "B", "analysis_peak", 1, None),
    ("objects", "count", "objects", 1, None),
    ("references", "count", "edges", 1, None),
)


def row(line: tuple, values: dict) -> Row:
    name, unit, number, factor, reach = line
    own = values.get(number, {})
    scaled = {tool: [value and value * factor for value in each] for tool, each in own.items()}
    return Row(name, unit, scaled, reach=reach)


def ask_one(settings: Settings, python: interpreter.Interpreter) -> Answer:
    entries, folder = settings.size(ENTRIES, 5_000), packages(settings, python)
    env = (("PYTHONPATH", str(folder)),)
    columns = [Variant("ouro"), *(Variant(tool, rounds=1) for tool in (*PEERS, "tracemalloc"))]

    def once(variant: Variant) -> Numbers:
        if variant.name == "ouro":
            return with_ouro(settings, python, entries)
        return with_peer(python, variant.name, entries, env)

    few = replace(settings, rounds=settings.peer_rounds)
    values, notes = interleave(columns, few, f"{python.name} microscope", once)
    rows = [line for line in (row(line, values) for line in TABLE) if line.values]
    title = f"CPython {python.name}: {entries:,} entries of a dictionary, peers {versions(folder)}"
    return Answer(f"microscope {python.name}", title, [v.name for v in columns], rows, notes)


LARGE_TABLE = (
    ("graph, dominators, retained sizes, suspects", "s", "whole", 1, None),
    ("audit of all objects", "s", "audit", 1, None),
    ("one object's path to a root", "ms", "path", 1e3, None),
    ("bytes in the file per object", "bytes", "file_per_object", 1, None),
    ("peak of the analysis, the file included", "MiB", "analysis_peak", 1 / MIB, 16 * 1024),
    ("references", "count", "edges", 1, None),
)


def ask_large(settings: Settings) -> Answer:
    """A heap that never was, analysed once: does it fit?"""
    objects = settings.size(LARGE, 20_000)
    with tempfile.TemporaryDirectory(prefix="ouro-bench-") as folder:
        generate = str(Path(settings.build, "tests", "snapshot", "snapshot_generate"))
        file = str(Path(folder, "large.snap"))
        subprocess.run([generate, file, str(objects)], check=True)
        numbers = analyze(settings, file)
    values = {name: {"ouro": [number]} for name, number in numbers.items()}
    rows = [row(line, values) for line in LARGE_TABLE]
    return Answer("microscope, generated", f"{objects:,} generated objects", ["ouro"], rows)


def ask(settings: Settings) -> list[Answer]:
    asked = [ask_one(settings, each) for each in interpreter.interpreters(settings)]
    return [*asked, ask_large(settings)]
