# SPDX-License-Identifier: MIT
"""Who may include whom. The floors are those of the table in src/README.md."""

import functools
import pathlib
import posixpath
import re
from collections.abc import Iterator

from tree import ROOT, files, lines

INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
CONDITION = re.compile(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b")
STANDARD_C = set(
    "assert complex ctype errno float inttypes limits math stdalign stdarg stdatomic stdbool"
    " stddef stdint stdio stdlib stdnoreturn string".split()
)
MAY_ASK_THE_COMPILER = (
    "src/os/",
    "include/ouro/base.h",
    "python/ext/compat.h",
    "python/ext/gc/compat.h",
    "python/ext/gc/frames.h",
    "python/ext/snap/compat.h",
)
# Public headers that are not named as their layer.
OBJECT = "ouro object_inline gc weak list tuple dict set str bytes number record"
PUBLIC_LAYER = {"pool_inline": "pool"} | dict.fromkeys(OBJECT.split(), "object")


@functools.cache
def floors() -> dict[str, int]:
    rows = (re.match(r"\| (\d+) \| `(\w+)` \|", line) for line in lines("src/README.md"))
    return {row[2]: int(row[1]) for row in rows if row}


def may_include(layer: str, other: str) -> bool:
    return other == layer or floors()[other] < floors()[layer]


def included(path: str) -> Iterator[tuple[int, str, str]]:
    """Line number, what stands in quotes, what stands in angles."""
    for number, line in enumerate(lines(path), 1):
        if found := INCLUDE.match(line):
            yield number, found[1] or "", found[2] or ""


def check_includes() -> Iterator[str]:
    """A file of the core includes its own layer and the floors below it."""
    for path in files("src/", ends=(".c", ".h")):
        if path == "src/all.c":
            continue
        layer = path.split("/")[1]
        if layer not in floors():
            yield f"{path}: the layer {layer} is not in the table of src/README.md"
            continue
        for number, own, system in included(path):
            yield from (f"{path}:{number}: {text}" for text in wrong(path, layer, own, system))


def layer_of(path: str, own: str, system: str) -> str:
    """Whose header it is; "": one of the system's."""
    if own:
        return posixpath.normpath(posixpath.join(posixpath.dirname(path), own)).split("/")[1]
    head, _, rest = system.partition("/")
    public = pathlib.Path(rest).stem
    return PUBLIC_LAYER.get(public, public) if head == "ouro" else ""


def wrong(path: str, layer: str, own: str, system: str) -> Iterator[str]:
    """Names are relative to the including file, so that `cc -Iinclude -c src/all.c` finds them."""
    if own and not (ROOT / posixpath.dirname(path) / own).is_file():
        yield f'"{own}" is neither PART.h nor ../LAYER/PART.h'
    elif other := layer_of(path, own, system):
        if other not in floors():
            yield f"{other} is not in the table of src/README.md"
        elif not may_include(layer, other):
            yield f"{layer} may not include {other}: same or higher floor"
    elif layer != "os" and system.removesuffix(".h") not in STANDARD_C:
        yield f"<{system}> belongs into src/os"


def check_preprocessor() -> Iterator[str]:
    """Conditions live where platforms and compilers are told apart; C files are not included."""
    for path in files("src/", "include/", "cli/", "python/", ends=(".c", ".h")):
        if path.startswith(MAY_ASK_THE_COMPILER):
            continue
        text = lines(path)
        for number, line in enumerate(text, 1):
            guard = re.match(r"#ifndef (\w+_H)$", line)
            if CONDITION.match(line) and not (guard and text[number] == f"#define {guard[1]}"):
                places = ", ".join(MAY_ASK_THE_COMPILER)
                yield f"{path}:{number}: {line.strip()}: conditions belong into {places}"
    for path in files("", ends=(".c", ".h")):
        for number, own, _ in included(path):
            if own.endswith(".c") and path != "src/all.c":
                yield f"{path}:{number}: only src/all.c includes C files"


def check_all_c() -> Iterator[str]:
    """src/all.c lists every file of the core, lower floors first."""
    have = [own for _, own, _ in included("src/all.c") if own]
    want = {path.removeprefix("src/") for path in files("src/", ends=(".c",))} - {"all.c"}
    yield from (f"src/all.c: {path} is missing" for path in sorted(want - set(have)))
    yield from (f"src/all.c: {path} does not exist" for path in have if path not in want)
    order = [floors().get(path.split("/")[0], 0) for path in have]
    if order != sorted(order):
        yield "src/all.c: not in the order of the floors"
