# SPDX-License-Identifier: MIT
"""Ouro: Python's objects on memory that adds up, and that is given back.

`ouro run app.py` on the command line, or in a program:

    import ouro
    ouro.install()           # from here on, objects come from Ouro's pools
    ouro.memory()            # where the resident memory is, in rows that add up
    ouro.give_back()         # return free memory to the operating system now
    ouro.snapshot("a.snap")  # what is alive and who holds it, for `ouro why a.snap`

With ouro.install(pause_ms=1.0) full collections take place in slices of a millisecond: ouro.gc.
"""

import sys

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


def _unsupported():
    """Why this interpreter cannot run on Ouro and what to do, or None."""
    version = "%d.%d" % sys.version_info[:2]
    if sys.implementation.name != "cpython":
        return f"Ouro does not run on {sys.implementation.name}: use CPython 3.10 to 3.15"
    if "t" in sys.abiflags:
        return f"Ouro does not run on free-threaded Python: use the default build of {version}"
    if not (3, 10) <= sys.version_info[:2] <= (3, 15):
        return f"Ouro runs on CPython 3.10 to 3.15, this is {version}: use one of those"
    return None


_reason = _unsupported()
if _reason is None:
    try:
        from ouro._ouro import GivenBack, __version__, give_back, installed, memory
    except ImportError as _error:
        _reason = f"{_error}: run `{sys.executable} -m pip install --force-reinstall ouro`"

if _reason is None:
    from ouro import _ouro

    def install(**options):
        if installed():
            _ouro.install(**options)
            return
        from ouro import _options

        options = {**_options.from_environment(options), **options}
        occasions, why = _options.occasions(), _options.why()
        _ouro.install(**options)
        if occasions:
            from ouro import _snapshot

            _snapshot.snapshot_when(**occasions)
        if why:
            from ouro import _why

            if life := _why.begin():
                life.finish_at_exit()

    # One signature and one text for both, the extension's: what help() and inspect look at.
    install.__wrapped__ = _ouro.install
    install.__doc__ = _ouro.install.__doc__


def __getattr__(name):
    # Reached where the import above failed: `import ouro` works, using it says why it cannot.
    if name in (*__all__, "gc") and _reason is not None:
        raise ImportError(_reason, name="ouro")
    if name == "gc":  # most programs have no use for it: not imported before it is asked for
        import ouro.gc as module

        return module
    if name in ("snapshot", "snapshot_when"):  # the same
        from ouro import _snapshot

        return getattr(_snapshot, name)
    raise AttributeError(f"module 'ouro' has no attribute {name!r}")
