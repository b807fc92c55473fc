# SPDX-License-Identifier: MIT
"""Settings of ouro.install() from the environment.

cli/setting.c reads the same variables for `ouro run`, and complains in the same words.
"""

import os

# No regular expressions: their module is one that a plain Python's start does without.
_UNITS = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgt", 1):
    _UNITS.update({_letter + end: 1 << 10 * _power for end in ("", "b", "ib")})
_MICROSECONDS = {"us": 1, "ms": 1000, "s": 1_000_000, "": 1000}
_DECAY_MOST = 86_400_000


def _decimal(text, units):
    """A number with at most one point, and the value of what follows it; None: neither."""
    end = text.lstrip("0123456789.")
    number = text[: len(text) - len(end)]
    unit = units.get(end.lstrip(" "))
    if unit is None or number.count(".") > 1 or not (number[:1] + number[-1:]).isdecimal():
        return None
    return number, unit


def _scaled(decimal):
    """To the nearest; what is beyond 2**53 is as good as that."""
    number, unit = decimal
    return int(min(float(number) * unit + 0.5, 2.0**53))


def _size(text, least=0):
    if decimal := _decimal(text.lower(), _UNITS):
        number, unit = decimal
        whole, _, fraction = number.partition(".")
        size = int(whole) * unit + int(float(f"0.{fraction}0") * unit)
        if least <= size < 1 << 63:
            return size
    raise ValueError("is not a size; write it like 512M, 1.5G or a number of bytes")


def _limit(text):
    return _size(text, 1)


def _decay(text):
    if text.isascii() and text.isdecimal() and int(text) <= _DECAY_MOST:
        return int(text)
    raise ValueError(f"is not a number of milliseconds from 0 to {_DECAY_MOST}")


def _huge(text):
    if text in ("auto", "off", "always"):
        return text
    raise ValueError("is none of auto, off, always")


def _flag(text):
    if text in ("0", "1"):
        return text == "1"
    raise ValueError("is neither 0 nor 1")


def _pause(text):
    decimal = _decimal(text, _MICROSECONDS)
    if decimal is None:
        raise ValueError("is not a time; write it like 1ms")
    microseconds = _scaled(decimal)
    if not 1 <= microseconds <= 10_000_000:
        raise ValueError("is not a time from 1us to 10s; write it like 1ms")
    return microseconds / 1000


def _up_to(permille_most, example):
    def share(text):
        decimal = _decimal(text, {"%": 10, "": 1000})
        if decimal is None:
            raise ValueError(f"is not a share; write it like {example}")
        permille = _scaled(decimal)
        if not 10 <= permille <= permille_most:
            most = permille_most // 10
            raise ValueError(f"is not a share from 1% to {most}%; write it like {example}")
        return permille / 1000

    return share


_share = _up_to(4000, "25% or 0.25")
_part = _up_to(1000, "90% or 0.9")


_SIGNALS = ("HUP", "QUIT", "USR1", "USR2")


def _signal(text):
    name = text.upper().removeprefix("SIG")
    if name not in _SIGNALS:
        raise ValueError("is none of HUP, QUIT, USR1, USR2")
    # What a plain start of Python has loaded; typeshed does not know it.
    import _signal as numbers  # type: ignore[import-not-found]

    return getattr(numbers, "SIG" + name)


_VARIABLES = {
    "limit": ("OURO_LIMIT", _limit),
    "keep": ("OURO_KEEP", _size),
    "decay": ("OURO_DECAY", _decay),
    "huge": ("OURO_HUGE", _huge),
    "hardened": ("OURO_HARDENED", _flag),
    "pause_ms": ("OURO_PAUSE", _pause),
    "garbage_limit": ("OURO_GARBAGE_LIMIT", _share),
}

# When snapshots are taken without being asked for: keywords of ouro.snapshot_when().
_OCCASIONS = {
    "signal": ("OURO_SNAPSHOT_SIGNAL", _signal),
    "file": ("OURO_SNAPSHOT_TRIGGER", str),
    "on_limit": ("OURO_ON_LIMIT", _part),
    "on_memory_error": ("OURO_ON_MEMORY_ERROR", _flag),
    "directory": ("OURO_SNAPSHOT_DIR", str),
    "redact": ("OURO_SNAPSHOT_REDACT", _flag),
    "values": ("OURO_SNAPSHOT_VALUES", _flag),
}

_WHY = ("OURO_WHY", _flag)


def from_environment(given=()):
    """Keyword arguments for install() from the environment, but for those named in `given`.

    An empty variable is as good as none. ValueError, with one line that says how to write it, for
    one that cannot be read.
    """
    return _read({k: v for k, v in _VARIABLES.items() if k not in given})


def occasions():
    """The same for ouro.snapshot_when()."""
    found = _read(_OCCASIONS)
    if found.get("redact") and found.get("values"):
        raise ValueError(
            "OURO_SNAPSHOT_REDACT leaves out what OURO_SNAPSHOT_VALUES writes: set one of them"
        )
    return found


def why():
    """Whether a program that calls install() shall say at its end why its memory grew.

    It is asked once and of one process: those that the program starts do not inherit the answer.
    Under `ouro run` the command has read the variable.
    """
    if "OURO_RUN" in os.environ:
        return False
    wanted = _read({"why": _WHY}).get("why", False)
    if wanted:
        del os.environ["OURO_WHY"]
    return wanted


def _read(variables):
    keywords = {}
    for keyword, (variable, read) in variables.items():
        text = os.environ.get(variable)
        if not text:
            continue
        try:
            keywords[keyword] = read(text)
        except ValueError as error:
            raise ValueError(f"{variable}='{text}' {error}") from None
    return keywords
