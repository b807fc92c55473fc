# SPDX-License-Identifier: MIT
"""The end screen of `ouro run`: where the memory went, on at most 24 lines of 80 columns.

Nothing here may change how the program ends: whatever goes wrong, there is no screen. It is written
straight to the standard error the process was started with.
"""

import atexit
import gc
import os
import sys
import time

from ouro import _ouro, _stderr
from ouro._histogram import quantile

_MIB = 1 << 20
_TYPES = 10
_HEIGHT, _WIDTH = 24, 80

# The ledger on this screen: label, keys of ouro.memory() that it adds up. All together: 'resident'.
_ROWS = (
    ("live objects", ("heap.requested", "heap.rounding")),
    ("free, next to live objects", ("heap.pinned",)),
    ("free, can go back", ("heap.held", "heap.purgeable")),
    ("pools' own", ("heap.waste", "heap.metadata", "heap.ahead")),
    ("the interpreter's own", ("python",)),
    ("malloc, in use", ("malloc.used", "malloc.mapped")),
    ("malloc, free", ("malloc.free",)),
    ("stacks", ("stacks",)),
    ("program and libraries", ("libraries",)),
    ("files, shared memory", ("files", "shared", "reading")),
    ("not attributed", ("unknown",)),
)


def start():
    """Note how the program starts; show the screen when it ends, after its own atexit functions."""
    try:
        begun = {
            "pid": os.getpid(),
            "clock": time.monotonic(),
            "resident": _resident(),
            "stderr": _stderr.identity(),
            "program": _program(sys.orig_argv),
            "gc_isenabled": gc.isenabled,
        }
        _ouro._pauses_start()
    except Exception:  # standard error closed, no /proc
        return
    atexit.register(_finish, begun)


def _finish(begun):
    try:
        if os.getpid() == begun["pid"] and _stderr.identity() == begun["stderr"]:
            _stderr.flush(sys.__stderr__)
            _write(screen(collect(begun), _colours()))
    except BaseException:  # also KeyboardInterrupt: the program has ended, its status stands
        pass


# --- What is shown --------------------------------------------------------------------------------


def collect(begun):
    """The numbers behind the screen."""
    memory = _ouro.memory()  # first: counting objects takes memory itself
    objects, size, types = _ouro._census(_TYPES)
    return {
        "program": begun["program"],
        "pid": begun["pid"],
        "seconds": time.monotonic() - begun["clock"],
        "start": begun["resident"],
        "memory": memory,
        "objects": objects,
        "bytes": size,
        "types": types,
        "pauses": _ouro._pauses(),
        "collector": begun["gc_isenabled"](),
        "sliced": _sliced(),
    }


def screen(facts, colours=False):
    """The screen as text."""
    lines = [_title(facts), *_summary(facts["memory"], facts["start"]), ""]
    lines += [
        left.ljust(45) + right for left, right in zip(_type_lines(facts), _ledger_lines(facts))
    ]
    lines += ["", *_collections(facts)]
    lines += [""] * (len(lines) < _HEIGHT - 1)
    lines += _next(facts)
    lines = [line.rstrip()[:_WIDTH] for line in lines]
    if colours:
        lines[0] = f"\033[1m{lines[0]}\033[0m"
    return "\n".join(lines) + "\n"


def _title(facts):
    head, tail = "--- ouro: ", f" {facts['seconds']:.1f} s, pid {facts['pid']}"
    room = _WIDTH - len(head) - len(tail) - 4
    name = _shorten(facts["program"], room) + " "
    return head + name.ljust(_WIDTH - len(head) - len(tail), "-") + tail


def _summary(memory, begin):
    now, peak = memory["resident"], memory["memo.peak"]
    free = memory["heap.held"] + memory["heap.purgeable"]
    yield (
        f"resident    {_size(now)} at the end ({_signed(now - begin)} since the start), "
        f"peak {_size(peak)}"
    )
    returned = memory["memo.heap.returned"]
    yield f"given back  {_size(returned)} so far, {_size(free)} more could go now"


def _type_lines(facts):
    rows = [(_shorten(name, 22), f"{count:,}", _size(size)) for name, count, size in facts["types"]]
    rows += [("", "", "")] * (_TYPES - len(rows))
    total = ("all types", f"{facts['objects']:,}", _size(facts["bytes"]))
    for row in [("live objects by type", "objects", "bytes"), *rows, total]:
        yield f"{row[0]:<22}{row[1]:>11}{row[2]:>10}"


def _ledger_lines(facts):
    memory = facts["memory"]
    sizes = [sum(memory[key] for key in keys) for _, keys in _ROWS]
    yield f"{'resident, MiB':<26}{_tenths(memory['resident']) / 10:>9.1f}"
    for (label, _), tenths in zip(_ROWS, _round_to_sum(sizes)):
        yield f"{label:<26}{tenths / 10:>9.1f}"


def _collections(facts):
    sliced = facts["sliced"]
    state = "" if facts["collector"] else "  (collector left off)"
    yield f"collections{'runs':>11}{'total':>10}{'longest':>10}{'unreachable':>13}{state}"
    for generation, (runs, *times, found, failed) in enumerate(facts["pauses"]):
        if generation < 2 or sliced is None:
            yield _collection(f"generation {generation}", runs, *times, found + failed)
    if sliced is not None:
        yield from _slices(sliced)


def _collection(label, runs, total, longest, found):
    runs = f"{runs:,}".rjust(22 - len(label))
    return f"{label}{runs}{_time(total):>10}{_time(longest):>10}{found:>13,}"


def _slices(sliced):
    """What took the place of generation 2 where Ouro's collector is on."""
    names = ("cycles", "slices_ns", "slice_longest_ns", "found")
    yield _collection("full, in slices", *(sliced[name] for name in names))
    most = min(1e9 * quantile(sliced["buckets"], 0.99), sliced["longest_ns"])
    longest = _time(sliced["longest_ns"])
    yield f"99 % of {sliced['pauses']:,} pauses took at most {_time(most)}, the longest {longest}"
    reasons = sorted(sliced["escalations"].items(), key=lambda item: -item[1])
    said = ", ".join(f"{count:,} {reason}" for reason, count in reasons if count)
    if said:
        yield f"over the budget of {_time(sliced['budget_ns'])}: {said}"


def _next(facts):
    memory, sliced = facts["memory"], facts["sliced"]
    free = memory["heap.held"] + memory["heap.purgeable"] + memory["malloc.free"]
    what = "`ouro why PID` says why it grows"
    if free > 16 * _MIB and free * 10 > memory["resident"]:
        what = "`ouro give-back PID` returns what is free"
    elif sliced is not None and any(sliced["escalations"].values()):
        what = "`ouro gc PID` says why pauses were long"
    yield f"next: while it runs, `ouro ps` finds it, {what}"


# --- Numbers as text ------------------------------------------------------------------------------


def _tenths(size):
    return round(size * 10 / _MIB)


def _round_to_sum(sizes):
    """Tenths of MiB that add up to the rounded sum of `sizes`; largest remainders go up."""
    tenths = [size * 10 // _MIB for size in sizes]
    order = sorted(range(len(sizes)), key=lambda i: -(sizes[i] * 10 % _MIB))
    for i in order[: _tenths(sum(sizes)) - sum(tenths)]:
        tenths[i] += 1
    return tenths


def _size(size):
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < 1000:
            break
        size /= 1024
    else:
        unit = "GiB"
    return f"{size} B" if unit == "B" else f"{size:.1f} {unit}"


def _signed(size):
    return ("-" if size < 0 else "+") + _size(abs(size))


def _time(nanoseconds):
    for unit, scale in (("s", 10**9), ("ms", 10**6)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.1f} {unit}"
    return f"{nanoseconds / 1000:.0f} us"


def _shorten(name, room):
    name = "".join(c if c.isascii() and c.isprintable() else "?" for c in name)
    return name if len(name) <= room else ".." + name[2 - room :]


# --- The process ----------------------------------------------------------------------------------


def _program(argv):
    """What was run: the script or -m's module; the interpreter's own options left out."""
    rest = argv[1:]
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        rest = rest[2 if rest[0] in ("-W", "-X") else 1 :]
    if rest[:1] == ["-c"]:
        return "-c"
    return " ".join(rest[:2] if rest[:1] == ["-m"] else rest[:1]) or "python"


def _sliced():
    """What Ouro's collector counted; None: CPython's is at work."""
    try:
        return _ouro._gc_stats()
    except RuntimeError:
        return None


def _resident():
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def _colours():
    return os.isatty(2) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(text):
    data = text.encode("ascii", "replace")
    while data:
        data = data[os.write(2, data) :]
