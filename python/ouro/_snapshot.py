# SPDX-License-Identifier: MIT
"""ouro.snapshot(): what is alive and who holds it, into a file."""

import collections
import os
import sys

from ouro import _ouro

Snapshot = collections.namedtuple("Snapshot", ("path", "pause_seconds", "bytes"))
Snapshot.__doc__ = """A snapshot that was taken.

path: its file, as given.
pause_seconds: how long the program stood still for it.
bytes: the file's size; with wait=False as far as it is written.
"""


# What the extension calls snaptells.
_KEYS, _NAMES, _VALUES = range(3)


def tells(redact, values):
    """The number for the extension of how much a snapshot tells."""
    if redact and values:
        raise ValueError("redact leaves out what values would write: give one of them")
    return _NAMES if redact else _VALUES if values else _KEYS


def snapshot(path, *, redact=False, values=False, wait=True):
    """Write what is alive in this process, and who holds it, to a new file; read it with `ouro why`.

    The program pauses only for a fork; a child that the program does not see writes the file.
    redact: leave out the keys of dictionaries, except of namespaces.
    values: write what strings, bytes and numbers hold, too, not only keys; up to 200 bytes of each.
    wait: return when the file is complete; other threads run meanwhile. With wait=False return at
    once; the file is complete some seconds later.

    FileExistsError where there is a file: an older snapshot may be being read. ChildProcessError:
    the writer was killed; the file is readable as far as it goes. ValueError: redact and values.
    """
    number = tells(redact, values)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        pause = _ouro._snapshot(file, number, wait)
        return Snapshot(path, pause / 1e9, os.fstat(file).st_size)
    finally:
        os.close(file)


# --- By themselves --------------------------------------------------------------------------------


def snapshot_when(
    *,
    signal=None,
    file=None,
    on_limit=None,
    on_memory_error=False,
    directory=None,
    redact=False,
    values=False,
):
    """Have snapshots taken on these occasions; instead of what an earlier call said.

    signal: number of a signal that has no handler. The program's own handler is never replaced.
    file: path of a file; when there is one, it is removed and a snapshot written beside it.
    on_limit: share of a memory limit, like 0.9: of the control group's, of RLIMIT_AS, RLIMIT_DATA
    or of Ouro's `limit`. Once, and again after a tenth of the limit has become free.
    on_memory_error: when an allocation fails for the first time.
    directory: where the others are written, the current one unless given. Each is a new file,
    ouro-SCRIPT.PID.N.snap; a line on standard error names it.
    redact, values: as for snapshot().

    Forked children do the same for themselves. RuntimeError, where Ouro is not installed or the
    signal is not free.
    """
    name = "ouro-" + _script(sys.orig_argv)
    prefix = os.path.join(os.path.abspath(os.fsdecode(directory or ".")), name)
    file = os.path.abspath(os.fsdecode(file)) if file else ""
    beside = os.path.join(os.path.dirname(file), name)
    permille = 0 if on_limit is None else round(on_limit * 1000)
    if not 0 <= permille <= 1000:
        raise ValueError("on_limit must be a share from 0.001 to 1, or None")
    number = tells(redact, values)
    prefix, file, beside = map(os.fsencode, (prefix, file, beside))
    _ouro._snapshot_when(prefix, signal or 0, file, beside, permille, on_memory_error, number)


def _script(argv):
    """A word for a file's name: the script or module that was run. As `ouro snap` has it."""
    rest = argv[1:]
    while rest and rest[0].startswith("-") and rest[0] not in ("-c", "-"):
        rest = rest[1:]
    name = os.path.basename((rest or argv[:1] or ["python"])[0].rstrip("/"))
    if name in ("-c", "-", ""):
        name = os.path.basename(argv[0])
    name = name.removesuffix(".py")[:63]
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in name)


def at_exit(path, quiet):
    """Take one when the program ends, after its own atexit functions."""
    import atexit

    from ouro import _options

    settings = _options.occasions()
    told = {key: settings.get(key, False) for key in ("redact", "values")}
    atexit.register(_finish, os.getpid(), path, told, quiet, os.fstat(2))


# Whatever goes wrong, how the program ends stays as it is.
def _finish(pid, path, told, quiet, stderr):
    try:
        if os.getpid() != pid:
            return
        try:
            taken = snapshot(path, **told)
            line = f"wrote {path}, {taken.bytes:,} bytes; next: ouro why {path}"
        except Exception as error:
            line, quiet = f"no snapshot at the end: {error}", False
        if not quiet and os.path.samestat(os.fstat(2), stderr):
            os.write(2, f"ouro: {line}\n".encode(errors="backslashreplace"))
    except BaseException:
        pass
