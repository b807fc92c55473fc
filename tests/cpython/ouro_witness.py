# SPDX-License-Identifier: MIT
"""Runs at the start of every Python process of a conformance run and writes down if Ouro is in.

It imports nothing that site has not imported; the .pth file takes it out of sys.modules again.
"""

import os
import sys


def _collects(ouro) -> bool:
    """Whether the collector is Ouro's, where it should be. Never in sub-interpreters."""
    if "pause_us" not in os.environ.get("OURO_RUN", ""):
        return True
    try:
        return bool(ouro._ouro._gc_stats()["on"])
    except RuntimeError:
        return False


def _write() -> None:
    path = os.environ.get("OURO_WITNESS")
    if not path:
        return
    ouro = sys.modules.get("ouro")
    installed = ouro is not None and ouro.installed()
    line = b"%d %d %d\n" % (os.getpid(), installed, installed and _collects(ouro))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError:
        return  # a test that gave up its rights, or its file descriptors
    os.write(file, line)
    os.close(file)


_write()
