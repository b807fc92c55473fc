# SPDX-License-Identifier: MIT
"""The files under version control, and small readers the checks share."""

import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
CODE = (".c", ".h", ".py", ".sh")


@functools.cache
def tracked() -> tuple[str, ...]:
    """Paths relative to the root, new files that git does not ignore included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(path for path in output.split("\0") if path and (ROOT / path).is_file()))


def files(*folders: str, ends: tuple[str, ...] = CODE) -> list[str]:
    """Tracked files below the folders ("": all)."""
    return [path for path in tracked() if path.startswith(folders) and path.endswith(ends)]


@functools.cache
def lines(path: str) -> tuple[str, ...]:
    return tuple((ROOT / path).read_text(encoding="utf-8").splitlines())


def listed(name: str) -> dict[str, str]:
    """A list beside the checks: `entry  # reason` per line."""
    entries = {}
    for line in (HERE / name).read_text().splitlines():
        entry, _, reason = line.partition("#")
        if entry.strip():
            entries[entry.strip()] = reason.strip()
    return entries
