# SPDX-License-Identifier: MIT
from typing import Literal, NamedTuple

__version__: str

class GivenBack(NamedTuple):
    """What give_back() returned to the operating system, in bytes."""

    total: int
    pools: int
    system: int

def install(
    *,
    limit: int | None = None,
    keep: int | None = None,
    decay: int | None = None,
    huge: Literal["auto", "off", "always"] = "auto",
    hardened: bool = False,
    channel: bool = True,
) -> None: ...
def installed() -> bool: ...
def memory() -> dict[str, int]: ...
def give_back() -> GivenBack: ...
