# SPDX-License-Identifier: MIT
"""Each rule that the project claims to keep has a test that carries its number.

rules.txt names the claims: `N P1` for the native runtime, `P P1` for Python programs. The native
test of rule P1 is a TEST(P1_...) below tests/, that for Python a function test_P1_... or
test_p1_...
"""

import re
from collections.abc import Iterator

from tree import files, lines, listed

CARRIES = {
    "N": (".c", re.compile(r"TEST\(([A-Z]\d+)_")),
    "P": (".py", re.compile(r"def test_([A-Za-z]\d+)_")),
}


def tested() -> set[str]:
    return {
        f"{form} {number.upper()}"
        for form, (end, pattern) in CARRIES.items()
        for path in files("tests/", ends=(end,))
        for line in lines(path)
        for number in pattern.findall(line)
    }


def check_rules() -> Iterator[str]:
    claims = listed("rules.txt")
    yield from (f"rules.txt: {rule} has no test" for rule in claims if rule not in tested())
    yield from (f"a test carries {rule}, which rules.txt does not claim"
                for rule in sorted(tested() - set(claims)))
