# SPDX-License-Identifier: MIT
"""How long functions and lines are. Lengths count every line from the name to the closing brace."""

import json
import statistics
import subprocess
from collections.abc import Iterator

from tree import ROOT, files, lines, listed

P90, LONGEST = 28, 60
COLUMNS = {".c": 100, ".h": 100}  # as .clang-format; other files may have strings that need more
OTHER_COLUMNS = 110
PRODUCT = ("src/", "cli/", "python/", "include/")


def functions() -> list[tuple[str, str, int]]:
    """(path, name, length) of every function, C and Python."""
    command = ["ctags", "-L", "-", "-o", "-", "--output-format=json", "--fields=+ne"]
    command += ["--kinds-C=f", "--kinds-Python=fm", "--languages=C,Python", "--langmap=C:+.h"]
    paths = "\n".join(files("", ends=(".c", ".h", ".py")))
    run = subprocess.run(command, cwd=ROOT, input=paths, check=True, capture_output=True, text=True)
    tags = (json.loads(line) for line in run.stdout.splitlines())
    return [(tag["path"], tag["name"], tag["end"] - tag["line"] + 1) for tag in tags
            if "end" in tag]


def check_functions() -> Iterator[str]:
    """90 % of the product's functions have at most 28 lines; none more than 60 without a reason."""
    reasons = listed("long-functions.txt")
    found = functions()
    for path, name, length in found:
        if length > LONGEST and not reasons.pop(f"{path} {name}", None):
            yield f"{path}: {name} has {length} lines (more than {LONGEST})"
    yield from (f"long-functions.txt: {entry} is short or gone" for entry in reasons)
    lengths = sorted(length for path, _, length in found if path.startswith(PRODUCT))
    p90 = lengths[len(lengths) * 9 // 10] if lengths else 0
    middle = statistics.median(lengths or [0])
    longest = max(lengths, default=0)
    print(f"functions: {len(lengths)}, median {middle:.0f} lines, p90 {p90}, longest {longest}")
    if p90 > P90:
        yield f"the 90th percentile of function lengths is {p90} (more than {P90})"


def check_lines() -> Iterator[str]:
    """Lines fit beside each other in a review; what must not be broken (a URL) may be longer."""
    for path in files(""):
        most = COLUMNS.get(path[-2:], OTHER_COLUMNS)
        for number, line in enumerate(lines(path), 1):
            if len(line) > most and "://" not in line:
                yield f"{path}:{number}: {len(line)} columns"
