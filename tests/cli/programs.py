# SPDX-License-Identifier: MIT
"""Runs the command `ouro`, and programs under it that are to be asked.

The command is the one beside the interpreter under test; OURO_TEST_COMMAND names another one.
"""

import contextlib
import os
import pathlib
import select
import socket
import subprocess
import sys
import textwrap
import time

PYTHON = os.environ.get("OURO_TEST_PYTHON", str(pathlib.Path(sys.executable).with_name("python3")))
OURO = os.environ.get("OURO_TEST_COMMAND", str(pathlib.Path(PYTHON).with_name("ouro")))

# Variables that change where things are found, or what runs on Ouro.
_OWN = ("OURO_RUN", "OURO_RUN_PID", "OURO_DIR", "XDG_RUNTIME_DIR", "VIRTUAL_ENV", "NO_COLOR",
        "OURO_LIMIT", "OURO_KEEP", "OURO_DECAY", "OURO_HUGE", "OURO_HARDENED", "OURO_PAUSE",
        "OURO_GARBAGE_LIMIT")


def environment(**more):
    """This process's environment without what is Ouro's; settings of None are left out."""
    kept = {k: v for k, v in os.environ.items() if k not in _OWN}
    return {**kept, **{k: str(v) for k, v in more.items() if v is not None}}


def ouro(*arguments, timeout=60, input=None, cwd=None, **more):
    """The finished command."""
    return subprocess.run([OURO, *map(str, arguments)], env=environment(**more), text=True, cwd=cwd,
                          input=input, capture_output=True, timeout=timeout)


def plain(*arguments, timeout=60, input=None, cwd=None, **more):
    """The same for plain Python."""
    return subprocess.run([PYTHON, *map(str, arguments)], env=environment(**more), text=True,
                          cwd=cwd, input=input, capture_output=True, timeout=timeout)


def one_line(done, status):
    """What the command said on stderr when it failed as it should: one line of its own."""
    assert done.returncode == status, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ouro: "), done.stderr
    return lines[0]


class Program:
    """A program under `ouro run --quiet` that tells by a line on stdout when it is ready."""

    def __init__(self, code, directory, *options, umask=-1, **more):
        self.directory = directory
        command = [OURO, "run", "--quiet", *options]
        self.process = subprocess.Popen(
            [*command, "-c", textwrap.dedent(code)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, umask=umask,
            env=environment(OURO_DIR=directory, **more))
        self.pid = self.process.pid
        self.output = []
        self.unfinished = ""

    def expect(self, line, timeout=60):
        """Waits for a line on stdout; lines are kept in `output`."""
        until = time.monotonic() + timeout
        while line not in self.output:
            left = until - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            assert ready, f"no {line!r} in {timeout} s, only {self.output} {self.unfinished!r}"
            got = os.read(self.process.stdout.fileno(), 65536).decode()
            if not got:
                raise AssertionError(f"ended without {line!r}: {self.process.communicate()}")
            *lines, self.unfinished = (self.unfinished + got).split("\n")
            self.output += lines
        return self

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, *arguments, **more):
        """`ouro VERB PID` with the program's socket directory; `arguments` without the pid."""
        return ouro(arguments[0], self.pid, *arguments[1:], OURO_DIR=self.directory, **more)

    def end(self, timeout=60):
        """Lets it read the end of its input; (status, stderr)."""
        _, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, errors

    @property
    def socket(self):
        return pathlib.Path(self.directory, f"{self.pid}.sock")

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.socket))
        client.settimeout(20)
        return client

    def threads(self):
        """Names of the process's threads."""
        names = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                names.append(task.joinpath("comm").read_text().strip())
        return sorted(names)


# Runs until its input ends.
WAITING = """
    import sys
    print("ready", flush=True)
    sys.stdin.read()
"""
