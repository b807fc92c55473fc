# SPDX-License-Identifier: MIT
from typing import Final, Literal, final

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
) -> None: ...
def installed() -> bool: ...
def memory() -> dict[str, int]: ...
def give_back() -> GivenBack: ...
