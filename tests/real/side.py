# SPDX-License-Identifier: MIT
"""One of the two processes of a program under soak.py, looked at from outside while it works."""

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from measure import environment
from programs import Program, Run

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    ran: float  # seconds since the start in which nobody had stopped the process
    stopped: float  # and in which somebody had
    work: int  # done so far
    resident: int  # KiB
    peak: int
    user: float  # CPU, seconds


class Side:
    """A process in a session of its own. A signal may stop that group of processes for a while, so
    that the machine is quiet: that time is counted apart."""

    def __init__(
        self, program: Program, interpreter: list[str], place: Path, folder: Path, nice: int | None
    ):
        self.program, self.folder = program, folder
        self.samples: list[Sample] = []
        self.ran = self.stopped = 0.0
        self.status: int | None = None
        folder.mkdir(parents=True)
        command = interpreter + [part.format(out=folder) for part in program.command]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=place,
                env=environment(program, folder),
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.proc = Path("/proc") / str(self.process.pid)
        if nice is not None:
            self.be_nice(nice)
        self.looked = time.monotonic()

    def be_nice(self, nice: int) -> None:
        os.setpriority(os.PRIO_PROCESS, self.process.pid, nice)
        with contextlib.suppress(OSError):  # a session is weighed as a whole, where that is so
            (self.proc / "autogroup").write_text(str(nice))

    def look(self) -> bool:
        """Counts the time since the last look; whether the process still works."""
        now = time.monotonic()
        since, self.looked = now - self.looked, now
        if self.status is None and self.process.poll() is not None:
            self.status = self.process.returncode
        if self.status is not None:
            return False
        if self.is_stopped():
            self.stopped += since
        else:
            self.ran += since
        return True

    def is_stopped(self) -> bool:
        return self.stat()[0] == "T"

    def stat(self) -> list[str]:
        """Fields of /proc/PID/stat, from the state on."""
        return (self.proc / "stat").read_text().rpartition(")")[2].split()

    def sample(self) -> None:
        """Nothing of one that is stopped: it would be the last sample again."""
        try:
            if self.is_stopped():
                return
            status = dict(line.split(":", 1) for line in (self.proc / "status").open())
            memory = [int(status[name].split()[0]) for name in ("VmRSS", "VmHWM")]
            user = int(self.stat()[11]) / TICKS
        except (OSError, KeyError):  # it has just ended, and has no memory any more
            return
        found = Sample(self.ran, self.stopped, self.work(), *memory, user)
        self.samples.append(found)
        with (self.folder / "samples").open("a") as file:
            print(json.dumps(vars(found)), file=file)

    def work(self) -> int:
        path = self.folder / "work"
        lines = path.read_text().splitlines() if path.exists() else []
        return json.loads(lines[-1])["work"] if lines else 0

    def finish(self) -> None:
        """It ends after the round that it is in."""
        (self.folder / "stop").touch()

    def run(self) -> Run:
        out, err = (self.folder / name for name in ("stdout", "stderr"))
        texts = (path.read_text(errors="replace") for path in (out, err))
        return Run(self.folder, self.status, *texts)

    def notes(self) -> dict | None:
        """What probe.py noted at the end; None: the process did not get that far."""
        path = self.folder / "notes.json"
        return json.loads(path.read_text()) if path.exists() else None
