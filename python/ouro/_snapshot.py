# SPDX-License-Identifier: MIT
"""ouro.snapshot(): what is alive and who holds it, into a file."""

import collections
import os

from ouro import _ouro

Snapshot = collections.namedtuple("Snapshot", ("path", "pause_seconds", "bytes"))
Snapshot.__doc__ = """A snapshot that was taken.

path: its file, as given.
pause_seconds: how long the program stood still for it.
bytes: the file's size; with wait=False as far as it is written.
"""


def snapshot(path, *, redact=False, wait=True):
    """Write what is alive in this process, and who holds it, to a new file; read it with `ouro why`.

    The program pauses only for a fork; a child that the program does not see writes the file.
    redact: leave out the keys of dictionaries, except of namespaces.
    wait: return when the file is complete; other threads run meanwhile. With wait=False return at
    once; the file is complete some seconds later.

    FileExistsError where there is a file: an older snapshot may be being read. ChildProcessError:
    the writer was killed; the file is readable as far as it goes.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        pause = _ouro._snapshot(file, redact, wait)
        return Snapshot(path, pause / 1e9, os.fstat(file).st_size)
    finally:
        os.close(file)
