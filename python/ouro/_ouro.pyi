# SPDX-License-Identifier: MIT
from collections.abc import Callable
from typing import Any, Final, Literal, final

from _typeshed import structseq

__version__: str

@final
class GivenBack(structseq[int], tuple[int, int, int]):
    """What give_back() returned to the operating system, in bytes."""

    __match_args__: Final = ("total", "pools", "system")
    @property
    def total(self) -> int: ...
    @property
    def pools(self) -> int: ...
    @property
    def system(self) -> int: ...

def install(
    *,
    limit: int | None = None,
    keep: int | None = None,
    decay: int | None = None,
    huge: Literal["auto", "off", "always"] = "auto",
    hardened: bool = False,
    channel: bool = True,
    pause_ms: float | None = None,
    garbage_limit: float | None = None,
) -> None: ...
def installed() -> bool: ...
def memory() -> dict[str, int]: ...
def give_back() -> GivenBack: ...
def _gc_step(ms: float, begin: bool, /) -> bool: ...
def _gc_wanted() -> bool: ...
def _gc_quiet(on: bool, /) -> int: ...
def _gc_on_pause(callable: Callable[[float, str, str], object] | None, /) -> None: ...
def _gc_stats() -> dict[str, Any]: ...
def _snapshot(descriptor: int, redact: bool, wait: bool, /) -> int: ...
def _snapshot_when(
    prefix: bytes,
    signal: int,
    file: bytes,
    beside: bytes,
    permille: int,
    memory_error: bool,
    redact: bool,
    /,
) -> None: ...
def _snapshot_in_place(descriptor: int, redact: bool = False, /) -> None: ...
