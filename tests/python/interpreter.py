# SPDX-License-Identifier: MIT
"""Runs snippets in interpreters of their own, on Ouro or on stock.

OURO_TEST_PYTHON names the interpreter under test, which must have the package; default: this one.
"""

import os
import subprocess
import sys
import textwrap

PYTHON = os.environ.get("OURO_TEST_PYTHON", sys.executable)


def _version():
    code = "import sys; print(*sys.version_info[:2])"
    return tuple(map(int, subprocess.check_output([PYTHON, "-c", code], text=True).split()))


VERSION = _version()


def environment(ouro, **more):
    """This process's environment with OURO_RUN set to `ouro` (None: absent) and `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OURO_RUN", "PYTHONMALLOC"))}
    if ouro is not None:
        kept["OURO_RUN"] = ouro
    return {**kept, **more}


def start(arguments, ouro="1", timeout=120, **more):
    """Runs the interpreter as `ouro run --quiet --no-channel` does, with the options in `ouro` too;
    or, where that is None, on stock. OURO_RUN_PID is the interpreter's own pid."""
    shell = ["sh", "-c", 'OURO_RUN_PID=$$; export OURO_RUN_PID; exec "$@"', "sh", PYTHON]
    if ouro is None:
        shell = [PYTHON]
    options = None if ouro is None else f"quiet=1,channel=0,{ouro}"
    return subprocess.run([*shell, *arguments], env=environment(options, **more), text=True,
                          capture_output=True, timeout=timeout)


def run(code, *options, **settings):
    """What the snippet printed. The snippet must end with status 0 and nothing on stderr."""
    done = start([*options, "-c", textwrap.dedent(code)], **settings)
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stdout, done.stderr)
    return done.stdout


def fail(code, *options, **settings):
    """The finished process of a snippet that must not end with status 0."""
    done = start([*options, "-c", textwrap.dedent(code)], **settings)
    assert done.returncode != 0, done.stdout
    return done
