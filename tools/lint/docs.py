# SPDX-License-Identifier: MIT
"""What the guides quote stands in a file that is compiled and run.

In docs/guide.md and docs/porting.md each block of C is found, line by line and whatever its
indentation, in an example, and each block of text in what an example is expected to print.
"""

import re
from collections.abc import Iterator

from tree import ROOT, files, tracked

GUIDES = ("docs/guide.md", "docs/porting.md")
BLOCK = re.compile(r"^```(c|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def stripped(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines()) + "\n"


def sources() -> dict[str, list[str]]:
    """By kind of block, the texts it may be taken from."""
    expected = [path for path in tracked() if path.startswith("examples/expected/")]
    paths = {"c": files("examples/", ends=(".c", ".h")), "text": expected}
    return {kind: ["\n" + stripped((ROOT / path).read_text()) for path in found]
            for kind, found in paths.items()}


def check_quotes() -> Iterator[str]:
    """No quotation that its source does not have."""
    texts = sources()
    for path in GUIDES:
        whole = (ROOT / path).read_text()
        for block in BLOCK.finditer(whole):
            if not any("\n" + stripped(block[2]) in text for text in texts[block[1]]):
                line = whole.count("\n", 0, block.start()) + 1
                yield f"{path}:{line}: quotes what no example has"


COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CALL = re.compile(r"\bouro_\w+(?=\()")


def public_calls() -> set[str]:
    """What the installed headers declare; inlined parts are no one's business."""
    headers = [path for path in files("include/") if not path.endswith("_inline.h")]
    texts = (COMMENT.sub("", (ROOT / path).read_text()) for path in headers)
    return {name for text in texts for name in CALL.findall(text)}


def check_manual() -> Iterator[str]:
    """man/ouro.3 names every public call, and no other."""
    manual = set(re.findall(r"\bouro_\w+(?=\"? ?\()", (ROOT / "man/ouro.3").read_text()))
    calls = public_calls() - {"ouro_new_sized", "ouro_lowest_bit"}  # behind OURO_MAKE, of no use
    yield from (f"man/ouro.3: {name} is missing" for name in sorted(calls - manual))
    yield from (f"man/ouro.3: {name} does not exist" for name in sorted(manual - calls))
