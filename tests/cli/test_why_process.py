# SPDX-License-Identifier: MIT
"""`ouro why PID`: three snapshots of a running program, and the verdict (SEMANTICS M7)."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from programs import OURO, environment, one_line, ouro

# Keeps what it makes, 20 MB a second, or drops it.
BUSY = """
    import sys, threading
    class Session:
        def __init__(self):
            self.data = bytearray(20_000)
    CACHE = []
    def serve():
        while not done.wait(0.01):
            for _ in range(10):
                CACHE.append(Session())
            if KEPT:
                continue
            CACHE.clear()
    done = threading.Event()
    server = threading.Thread(target=serve)
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    done.set()
"""
GROWING, STEADY = BUSY.replace("KEPT", "True"), BUSY.replace("KEPT", "False")


def why(program, place, *arguments):
    """The finished command; it leaves nothing in the folder for temporary files."""
    done = program.ask("why", *arguments, TMPDIR=place)
    assert list(place.iterdir()) == []
    return done


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_growth_is_found(program, place):
    done = why(program(GROWING).expect("ready"), place, "--for", "3s", "--json", "--fail-on", "growth")
    answer = json.loads(done.stdout)
    assert done.returncode == 3 and done.stderr == "" and answer["files"] == []
    assert answer["findings"][0]["class"] == "reachable growth"
    assert answer["findings"][0]["bytes"] > 20_000_000
    assert "CACHE" in json.dumps(answer["findings"][0]) and answer["seconds"] >= 2


def test_no_growth_is_told(program, place):
    done = why(program(STEADY).expect("ready"), place, "--for", "2s", "--fail-on", "growth,refs")
    assert done.returncode == 0 and done.stderr == "", done


def test_snapshots_are_kept_where_asked_for(program, place, tmp_path):
    started = program(GROWING).expect("ready")
    kept = tmp_path / "kept"
    done = why(started, place, "--for", "1s", "--keep", kept)
    assert done.returncode == 0 and done.stderr == "", done
    files = [str(kept / f"why-{started.pid}.{n}.snap") for n in (1, 2, 3)]
    assert sorted(map(str, kept.iterdir())) == files
    assert re.search(r"next:  ouro diff --holders \S+1.snap \S+3.snap ", done.stdout)
    assert ouro("why", "--json", *files).returncode == 0
    assert files[0] in one_line(why(started, place, "--for", "1s", "--keep", kept), 1)  # not overwritten


def test_the_end_of_the_program_is_told(program, place):
    started = program().expect("ready")
    started.end()
    assert str(started.pid) in one_line(why(started, place, "--for", "1s"), 1)


def test_ctrl_c_ends_the_wait_with_what_is_there(program, place):
    started = program(GROWING).expect("ready")
    asking = subprocess.Popen([OURO, "why", "--for", "600s", "--json", str(started.pid)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment(OURO_DIR=started.directory, TMPDIR=place))
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(
            os.readlink(f"/proc/{asking.pid}/fd/{fd}").endswith(".snap (deleted)")
            for fd in os.listdir(f"/proc/{asking.pid}/fd")):
        time.sleep(0.05)
    asking.send_signal(signal.SIGINT)
    out, errors = asking.communicate(timeout=60)
    assert asking.returncode == 0 and errors == "" and json.loads(out)["seconds"] == 0
    assert list(place.iterdir()) == []
