# SPDX-License-Identifier: MIT
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, Literal, NamedTuple, TypeVar

_Callback = TypeVar("_Callback", bound=Callable[[Pause], object])
_Function = TypeVar("_Function", bound=Callable[..., Any])

__all__ = [
    "Idle",
    "Pause",
    "Pauses",
    "idle",
    "off_pause",
    "on_pause",
    "pauses",
    "quiet",
    "stats",
    "step",
    "wanted",
]

class Pause(NamedTuple):
    """One pause of the collector."""

    seconds: float
    kind: Literal["slice", "young", "explicit", "stock"]
    phase: str

class Pauses(NamedTuple):
    """Pauses of the collector since it was installed: how many, and seconds."""

    number: int
    total: float
    p50: float
    p99: float
    p999: float
    longest: float

class quiet(ContextDecorator):
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...
    def __call__(self, func: _Function) -> _Function: ...

class Idle:
    def __init__(self, loop: AbstractEventLoop, ms: float | None) -> None: ...
    def stop(self) -> None: ...
    def __enter__(self) -> Idle: ...
    def __exit__(self, *exception: object) -> None: ...

def wanted() -> bool: ...
def step(ms: float | None = None) -> bool: ...
def idle(loop: AbstractEventLoop | None = None, ms: float | None = None) -> Idle: ...
def on_pause(callback: _Callback) -> _Callback: ...
def off_pause(callback: Callable[[Pause], object]) -> None: ...
def pauses() -> Pauses: ...
def stats() -> dict[str, Any]: ...
