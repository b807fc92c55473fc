# SPDX-License-Identifier: MIT
"""python tools/lint: the rules of CONTRIBUTING.md that a program can check.

Each check yields one line per finding; the status is 1 if there was any.
"""

import sys
from collections.abc import Iterator

from core import check_one_file
from docs import check_manual, check_quotes
from layers import check_all_c, check_includes, check_preprocessor
from rules import check_rules
from sizes import check_functions, check_lines
from tree import files, lines


def check_licence_lines() -> Iterator[str]:
    """Every file says its licence in one of its first lines."""
    named = ("dev", ".ci/run")
    for path in files("") + files("", ends=("CMakeLists.txt", *named)):
        if not any("SPDX-License-Identifier: MIT" in line for line in lines(path)[:3]):
            yield f"{path}: no SPDX line"


CHECKS = (check_licence_lines, check_includes, check_preprocessor, check_all_c, check_one_file,
          check_functions, check_lines, check_rules, check_quotes, check_manual)

findings = [finding for check in CHECKS for finding in check()]
for finding in findings:
    print(finding)
print(f"{len(CHECKS)} checks, {len(findings)} findings")
sys.exit(bool(findings))
