# SPDX-License-Identifier: MIT
"""The other allocators: Debian's packages, put in front of malloc with LD_PRELOAD."""

from __future__ import annotations

import os
import subprocess

from harness import Settings, Variant

LIBRARIES = {
    "jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
    "mimalloc": ("libmimalloc.so.2", "libmimalloc2.0"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
}


def loadable(library: str) -> bool:
    """The loader complains on stderr, and goes on, when it cannot preload."""
    env = os.environ | {"LD_PRELOAD": library}
    return subprocess.run(["true"], env=env, stderr=subprocess.PIPE).stderr == b""


def malloc_variants(
    settings: Settings, env: tuple[tuple[str, str], ...] = ()
) -> tuple[list[Variant], list[str]]:
    """glibc and every installed peer, and a note for each that is missing."""
    variants = [Variant("glibc", env=env, rounds=settings.peer_rounds)]
    missing = []
    for name, (library, package) in LIBRARIES.items():
        if loadable(library):
            variants.append(
                Variant(name, env=(*env, ("LD_PRELOAD", library)), rounds=settings.peer_rounds)
            )
        else:
            missing.append(f"missing: {name} (Debian package {package})")
    return variants, missing
