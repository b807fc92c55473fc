# SPDX-License-Identifier: MIT
"""The core as one object file: it compiles, and holds no variable of the whole process."""

import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

from tree import ROOT, listed

MUTABLE = set("bBdDsSgGcC")  # nm's letters of sections that a program can write to


def check_one_file() -> Iterator[str]:
    """src/all.c compiles without warnings and leaves no mutable static data behind."""
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder, "all.o")
        # No -fPIC: it would move constant tables of pointers to where they look mutable.
        command = [os.environ.get("CC", "cc"), "-fno-pic", "-O1", "-Wall", "-Wextra", "-Werror"]
        command += ["-Iinclude", "-c", "src/all.c", "-o", str(target)]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if built.returncode:
            yield f"src/all.c does not compile:\n{built.stderr}"
            return
        names = subprocess.run(["nm", str(target)], check=True, capture_output=True, text=True)
        reasons = listed("mutable.txt")
        for kind, name in (line.split()[-2:] for line in names.stdout.splitlines()):
            if kind in MUTABLE and name.split(".")[0] not in reasons:
                yield f"src: {name} is mutable and belongs to no heap"
