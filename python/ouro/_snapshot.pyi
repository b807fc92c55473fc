# SPDX-License-Identifier: MIT
from os import PathLike
from typing import NamedTuple

_Path = str | bytes | PathLike[str] | PathLike[bytes]

class Snapshot(NamedTuple):
    """A snapshot that was taken."""

    path: _Path
    pause_seconds: float
    bytes: int

def tells(redact: bool, values: bool) -> int: ...
def snapshot(
    path: _Path, *, redact: bool = False, values: bool = False, wait: bool = True
) -> Snapshot: ...
def snapshot_when(
    *,
    signal: int | None = None,
    file: _Path | None = None,
    on_limit: float | None = None,
    on_memory_error: bool = False,
    directory: _Path | None = None,
    redact: bool = False,
    values: bool = False,
) -> None: ...
def at_exit(path: _Path, quiet: bool) -> None: ...
