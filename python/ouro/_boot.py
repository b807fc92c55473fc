# SPDX-License-Identifier: MIT
"""What `ouro run` does inside the interpreter; imported by ouro_boot.pth where OURO_RUN is set.

Runs in every child interpreter too. Only the process that `ouro run` became may end because of an
error; a child goes on as if Ouro were not there.
"""

import os

import ouro

_NUMBERS = ("limit", "keep", "decay")
_THOUSANDTHS = {"pause_us": "pause_ms", "garbage_permille": "garbage_limit"}
_FLAGS = ("quiet", "hardened", "channel", "why")
_PRIVATE = {"gc_busy": "_gc_busy"}  # for tests


def _options(text):
    """The options in OURO_RUN: `1`, or `key=value` pairs with commas between them."""
    options = {}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if item in ("", "1"):
            continue
        if key in _NUMBERS and value.isdecimal():
            options[key] = int(value)
        elif key in _THOUSANDTHS and value.isdecimal():
            options[_THOUSANDTHS[key]] = int(value) / 1000
        elif key in _FLAGS and value in ("0", "1"):
            options[key] = value == "1"
        elif key in _PRIVATE and value in ("0", "1"):
            options[_PRIVATE[key]] = value == "1"
        elif key == "huge" and equals:
            options[key] = value
        else:
            raise ValueError(f"OURO_RUN: unknown option {item!r}")
    return options


def _start(main):
    if ouro._reason is not None:
        raise ImportError(ouro._reason)
    first = not ouro.installed()  # else: a sub-interpreter, or Python started again in one process
    options = _options(os.environ["OURO_RUN"])
    quiet = options.pop("quiet", False)
    why = options.pop("why", False)
    ouro.install(**options, _quiet=not main)
    life = None
    if first and main and why:
        from ouro import _why

        life = _why.begin(apart=not quiet)  # first, so that its verdict stands below the screen
    if first and main and not quiet:
        from ouro import _screen

        _screen.start()
    if first and main and os.environ.get("OURO_SNAPSHOT_AT_EXIT"):
        from ouro import _snapshot

        _snapshot.at_exit(os.environ["OURO_SNAPSHOT_AT_EXIT"], quiet)
    if life:
        life.finish_at_exit()


def _boot():
    main = os.environ.get("OURO_RUN_PID") == str(os.getpid())
    try:
        _start(main)
    except Exception as error:
        if main:
            # Neither an exception nor SystemExit gets out of a .pth file as one line and a status.
            os.write(2, f"ouro: {error}\n".encode(errors="backslashreplace"))
            os._exit(2)


_boot()
