# SPDX-License-Identifier: MIT
import contextlib
import pathlib
import shutil
import tempfile

import programs
import pytest


@pytest.fixture
def sockets():
    """A private directory with a short path, for OURO_DIR."""
    folder = tempfile.mkdtemp(prefix="ouro-test-")
    yield pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def program(sockets):
    """Starts programs that end with the test at the latest."""
    with contextlib.ExitStack() as ends:
        def start(code=programs.WAITING, *options, **more):
            started = programs.Program(code, more.pop("directory", sockets), *options, **more)
            ends.callback(started.process.wait)
            ends.callback(started.process.kill)
            return started

        yield start
