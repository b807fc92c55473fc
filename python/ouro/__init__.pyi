# SPDX-License-Identifier: MIT
from ouro import gc as gc
from ouro._ouro import GivenBack as GivenBack
from ouro._ouro import __version__ as __version__
from ouro._ouro import give_back as give_back
from ouro._ouro import install as install
from ouro._ouro import installed as installed
from ouro._ouro import memory as memory
from ouro._snapshot import snapshot as snapshot
from ouro._snapshot import snapshot_when as snapshot_when

__all__ = [
    "GivenBack",
    "__version__",
    "give_back",
    "install",
    "installed",
    "memory",
    "snapshot",
    "snapshot_when",
]
