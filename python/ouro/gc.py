# SPDX-License-Identifier: MIT
"""Ouro's collector, for a program that knows more than it does: when there is time, and when not.

    if ouro.gc.wanted(): ouro.gc.step(2)  # two milliseconds to spare: take them
    with ouro.gc.quiet(): ...    # not now
    ouro.gc.idle()               # asyncio: whenever the loop has nothing else to do
    ouro.gc.on_pause(callback)   # hear of each pause
    ouro.gc.pauses()             # how long they were
    ouro.gc.stats()              # what was done, and what it cost

The collector is on after `ouro run --pause 1ms` or ouro.install(pause_ms=1). Where it is off, each of
these raises RuntimeError, which says so.
"""

import collections
import contextlib
import functools
import os
import time

from ouro import _ouro
from ouro._histogram import quantile

__all__ = [
    "Idle",
    "Pause",
    "Pauses",
    "idle",
    "off_pause",
    "on_pause",
    "pauses",
    "quiet",
    "stats",
    "step",
    "wanted",
]

# --- When -----------------------------------------------------------------------------------------


def _time(ms):
    """A length of time as the extension wants it; None: the budget."""
    if ms is None:
        return _ouro._gc_stats()["budget_ns"] / 1e6
    if not 0 < ms <= 10_000:
        raise ValueError(f"ms must be more than 0 and at most 10000, not {ms!r}")
    return float(ms)


def wanted():
    """Whether a step now is worth its while.

    A cycle is in progress, or enough has changed since the last; and nobody is in a quiet section.
    """
    return _ouro._gc_wanted() and not _ouro._gc_stats()["quiet"]


def step(ms=None):
    """Work on the collection of old objects for at most so many milliseconds. None: the budget.

    Where no cycle is in progress one begins, worth its while or not: ask wanted() first wherever
    this is called over and over. True: the cycle goes on; `while ouro.gc.step(): pass` ends with it.
    What cannot be divided may take longer, and stats() counts that.
    """
    return _ouro._gc_step(_time(ms), True)


class quiet(contextlib.ContextDecorator):
    """`with ouro.gc.quiet():` or `@ouro.gc.quiet()`: no slices meanwhile, in any thread.

    Young collections go on. Sections may nest, overlap between threads, and be async functions.
    What is left undone is made up for afterwards; in sections so long that garbage would exceed
    its limit, slices run all the same and stats() counts them as escalations. A forked child is in
    none.
    """

    def __enter__(self):
        _ouro._gc_quiet(True)

    def __exit__(self, *exception):
        _ouro._gc_quiet(False)

    def __call__(self, func):
        import inspect

        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise TypeError("a generator is no section: use `with ouro.gc.quiet():` inside it")
        if not inspect.iscoroutinefunction(func):
            return super().__call__(func)

        @functools.wraps(func)
        async def inside(*args, **keywords):
            with self:
                return await func(*args, **keywords)

        return inside


def _leave_all():
    # Sections of threads that the child does not have would never end.
    try:
        while _ouro._gc_quiet(False):
            pass
    except RuntimeError:  # the collector is off
        pass


os.register_at_fork(after_in_child=_leave_all)

_BUSY = 100e-6  # seconds: a turn of the loop that takes longer had something else to do
_TURNS = 4  # without anything else to do, before a step: from a socket to a task takes three
_SOON = 0.01  # seconds until a busy loop is looked at again
_LATEST = 0.5  # and one that has nothing to collect, after doubling


class Idle:
    """Steps whenever an asyncio loop is idle, until stop(); made by idle(). Also for `with`."""

    def __init__(self, loop, ms):
        wanted()  # raises where the collector is off, which the loop would hide
        self._loop, self._ms, self._wait, self._stopped = loop, _time(ms), _SOON, False
        loop.call_soon_threadsafe(self._later, _SOON)

    def stop(self):
        """No more steps. Any thread; again: no effect."""
        self._stopped = True

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def _later(self, wait):
        self._wait = wait
        if not self._stopped:
            self._loop.call_later(wait, self._look)

    def _look(self):
        if self._stopped:
            return
        if wanted():
            self._watch(_TURNS)
        else:
            self._later(min(2 * self._wait, _LATEST))

    def _watch(self, turns):
        self._loop.call_soon(self._turn, turns, time.perf_counter())

    # Between any two steps the loop turns several times, so that whoever became ready during the
    # first is served before the second, together with all that follows from it.
    def _turn(self, turns, asked):
        if self._stopped:
            return
        if time.perf_counter() - asked > _BUSY:
            self._later(_SOON)
        elif turns > 1:
            self._watch(turns - 1)
        elif wanted() and _ouro._gc_step(self._ms, True):
            self._watch(_TURNS)
        else:
            self._later(_SOON)


def idle(loop=None, ms=None):
    """Let an asyncio event loop collect when it has nothing else to do.

    loop: None for the one that runs; one that another thread runs may be given.
    ms: milliseconds that a step takes at most, and so delays who becomes ready. None: the budget.

    The result's stop() ends it, as does the end of a `with` block; without either it goes on for
    as long as the loop does. While there is nothing to collect it looks twice a second.
    """
    if loop is None:
        import asyncio

        loop = asyncio.get_running_loop()
    return Idle(loop, ms)


# --- What happened --------------------------------------------------------------------------------

Pause = collections.namedtuple("Pause", ("seconds", "kind", "phase"))
Pause.__doc__ = """One pause of the collector.

kind: 'slice' of a cycle, 'young' collection, 'explicit': the program called gc.collect(), 'stock':
a full collection that had to be CPython's own.
phase: what the cycle in progress does next; 'idle' or '': there is none.
"""

_callbacks = []


def _tell_each(callbacks, pause):
    # An exception leaves for sys.unraisablehook, through the extension, when all have been called.
    try:
        callbacks[0](pause)
    finally:
        if callbacks[1:]:
            _tell_each(callbacks[1:], pause)


def _tell(seconds, kind, phase):
    callbacks = tuple(_callbacks)
    if callbacks:
        _tell_each(callbacks, Pause(seconds, kind, phase))


def on_pause(callback):
    """Call `callback(pause)` after each pause of the collector, whichever thread it stopped.

    That can be in the middle of anything that thread does: append to a deque or add to a number,
    and take no lock that the program may hold. Pauses while callbacks run are not told. What a
    callback raises goes to sys.unraisablehook.
    The result is `callback`, so that this is also a decorator.
    """
    _callbacks.append(callback)
    try:
        _ouro._gc_on_pause(_tell)
    except RuntimeError:
        _callbacks.remove(callback)
        raise
    return callback


def off_pause(callback):
    """Undo on_pause(callback). ValueError: it was not registered."""
    if callback not in _callbacks:
        raise ValueError(f"{callback!r} is not registered with ouro.gc.on_pause()")
    _callbacks.remove(callback)
    if not _callbacks:
        _ouro._gc_on_pause(None)
        if _callbacks:  # another thread registered one meanwhile
            _ouro._gc_on_pause(_tell)


Pauses = collections.namedtuple("Pauses", ("number", "total", "p50", "p99", "p999", "longest"))
Pauses.__doc__ = """Pauses of the collector since it was installed: how many, and seconds.

p50, p99, p999: half of the pauses were at most this long, 99 %, 99.9 %; at most a quarter too high.
"""


def pauses():
    """How long the collector stopped the program: slices, young and explicit collections.

    Collections of generation 0 while no cycle is in progress are CPython's alone and not among
    them; stats()["untimed"] says how many there were. Where on_pause() is used they are.
    """
    now = stats()
    longest = now["longest_ns"] / 1e9
    shares = (min(quantile(now["buckets"], share), longest) for share in (0.5, 0.99, 0.999))
    return Pauses(now["pauses"], now["pauses_ns"] / 1e9, *shares, longest)


def stats():
    """All that the collector counts, by name.

    'buckets' is a list of (seconds, count): pauses by length, those up to the first number.
    'escalations' is {reason: count}: pauses above the budget, and full collections in one go.
    """
    return _ouro._gc_stats()
