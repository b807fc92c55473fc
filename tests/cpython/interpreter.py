# SPDX-License-Identifier: MIT
"""One interpreter under test: an environment with Ouro, and one test module run in it."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
EXTRA = HERE / "extra"
NOT_THERE = 5  # our own status: the module is in no place this interpreter can run it from

PROBE = """\
import ouro
before = ouro.memory()
keep = [(i,) for i in range(200_000)]
after = ouro.memory()
assert ouro.installed(), "ouro is importable but not installed"
assert before != after, "200,000 tuples did not show in the ledger"
"""
PROBE_COLLECTOR = """
import ouro.gc
assert ouro.gc.stats()["on"], "the collector is CPython's"
"""

# OURO_RUN in the test processes: memory alone; every full collection Ouro's, in slices as long as
# a user's; a cycle always in progress, so that each young collection goes on with it.
MODES = {"memory": "quiet=1", "pause": "quiet=1,pause_us=1000",
         "busy": "quiet=1,pause_us=100,gc_busy=1"}


@dataclasses.dataclass
class Outcome:
    """What one run of one module left behind."""

    status: int
    seconds: float
    log: pathlib.Path
    passed: set[str] = dataclasses.field(default_factory=set)
    failed: set[str] = dataclasses.field(default_factory=set)
    skipped: set[str] = dataclasses.field(default_factory=set)
    with_ouro: int = 0
    without_ouro: int = 0
    main_has_ouro: bool = False

    @property
    def empty(self) -> bool:
        """Ended badly before any case did: nothing can be compared."""
        return self.status != 0 and not (self.passed or self.failed or self.skipped)

    @property
    def died(self) -> bool:
        """Ended by a signal (a crash, or our timeout), so that the cases after it are unknown."""
        return self.status < 0 or self.status > 128

    def describe_end(self) -> str:
        if self.status < 0:
            return f"died of {signal.Signals(-self.status).name} in {last_case(self.log)}"
        return f"exit status {self.status}"


def last_case(log: pathlib.Path) -> str:
    """The case that was running when the log broke off."""
    started = re.findall(r"^(test\w+ \([\w.]+\))", log.read_text(errors="replace"), re.MULTILINE)
    return started[-1] if started else "no case"


class Interpreter:
    def __init__(self, python: str, work: pathlib.Path, mode: str = "memory"):
        self.mode = mode
        work = work.absolute()
        # Not resolved: a virtual environment is known by the path of its interpreter.
        self.base = os.path.abspath(shutil.which(python) or python)
        self.version = self._ask(self.base, "import platform; print(platform.python_version())")
        self.work = work / self.version
        self.has_ouro = self._ask(self.base, "import importlib.util as u; "
                                  "print(u.find_spec('ouro') is not None)") == "True"
        self.python = self.base if self.has_ouro else str(self.work / "venv" / "bin" / "python")

    @staticmethod
    def _ask(python: str, code: str) -> str:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def prepare(self, install: str | None) -> None:
        """Install Ouro in a virtual environment, unless it is in place; add the witness."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not os.path.exists(self.python):
            subprocess.run([self.base, "-m", "venv", self.work / "venv"], check=True)
        if install and not self.has_ouro:
            pip = [self.python, "-m", "pip", "install", "--quiet", "--force-reinstall", install]
            subprocess.run(pip, check=True)
        site = pathlib.Path(self._ask(self.python, "import site; print(site.getsitepackages()[0])"))
        shutil.copy(HERE / "ouro_witness.py", site)
        # Site handles .pth files in alphabetical order: this one must come after ouro_boot.pth. It stays
        # behind, so other programs of this environment must not notice it.
        (site / "ouro_witness.pth").write_text(
            "import os, sys; 'OURO_WITNESS' in os.environ and "
            "(__import__('ouro_witness'), sys.modules.pop('ouro_witness'))\n")

    def probe(self) -> None:
        """Fail unless Ouro serves objects here: a run would compare stock with stock."""
        environment = self._environment(True, self.work / "probe.witness")
        probe = PROBE if self.mode == "memory" else PROBE + PROBE_COLLECTOR
        subprocess.run([self.python, "-c", probe], env=environment, check=True)

    def modules(self) -> list[str]:
        listed = self._ask(self.python, "import sys; sys.argv[1:] = ['--list-tests']\n"
                           "from test.libregrtest.main import main; main()")
        lacking = [path.stem.replace("test_extra_", "test_") for path in EXTRA.glob("test_extra_*.py")]
        extra = [name for name in lacking if "--testdir" in (self.module_arguments(name) or [])]
        return [line.removeprefix("test.") for line in listed.split()] + sorted(extra)

    @functools.cached_property
    def _suite(self) -> str:
        return self._ask(self.python, "import test; print(list(test.__path__)[0])")

    def module_arguments(self, module: str) -> list[str] | None:
        """How regrtest is told to run the module, or None where it is not to be had."""
        path = os.path.join(self._suite, *module.split("."))
        if os.path.exists(path + ".py") or os.path.exists(os.path.join(path, "__init__.py")):
            return [module if "." not in module else "test." + module]
        # Not under its own name: regrtest takes some of these names for folders it must split.
        extra = module.replace("test_", "test_extra_", 1)
        if (EXTRA / (extra + ".py")).exists():
            return ["--testdir", str(EXTRA), extra]
        return None

    def _environment(self, ouro: bool, witness: pathlib.Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("PYTHON", "OURO_", "VIRTUAL_ENV")) or name.startswith("PYTHON_JIT")}
        kept["OURO_WITNESS"] = str(witness)
        kept["OURO_DIR"] = str(self.work / "sockets")
        return kept | ({"OURO_RUN": MODES[self.mode]} if ouro else {})

    def run(self, module: str, *, ouro: bool, use: str | None, skip: list[str], timeout: float,
            tag: str) -> Outcome:
        """Run one module (or `module:pattern,...` of it) in its own process; read what it did."""
        module, _, patterns = module.partition(":")
        side = {"memory": "ouro"}.get(self.mode, self.mode) if ouro else "stock"
        base = self.work / "logs" / f"{module}.{side}{tag}"
        base.parent.mkdir(exist_ok=True)
        log, xml, witness = (base.with_name(base.name + end)
                             for end in (".log", ".xml", ".witness"))
        for stale in (xml, witness):
            stale.unlink(missing_ok=True)
        arguments = self.module_arguments(module)
        if arguments is None:
            return Outcome(NOT_THERE, 0, log)
        command = [self.python, "-m", "test", "-v", "--junit-xml", str(xml)]
        command += (["-u", use] if use else []) + arguments
        for pattern in filter(None, patterns.split(",")):
            command += ["-m", pattern]
        for pattern in skip:
            command += ["-i", pattern]
        began = time.monotonic()
        pid, status = run_to_log(command, self._environment(ouro, witness), log, timeout)
        outcome = Outcome(status, time.monotonic() - began, log)
        read_cases(xml, outcome)
        read_witness(witness, pid, outcome)
        return outcome


def run_to_log(command, environment, log: pathlib.Path, timeout: float) -> tuple[int, int]:
    """Run with a deadline in a session of its own, so that stray children end with it."""
    with tempfile.TemporaryDirectory(prefix="ouro-cpython-") as directory, open(log, "wb") as out:
        child = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            out.write(b"\ntimeout: ended by the runner\n")
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return child.pid, child.wait()


def read_cases(xml: pathlib.Path, outcome: Outcome) -> None:
    """A case passed if every run of it did; one with a failed subtest is not in the file at all."""
    if not xml.exists():
        return
    for case in ElementTree.parse(xml).iter("testcase"):
        name = case.get("name")
        if name is None:  # what is left of a case whose subtest failed
            continue
        if case.find("skipped") is not None:
            outcome.skipped.add(name)
        elif case.find("error") is not None or case.find("failure") is not None:
            outcome.failed.add(name)
        else:
            outcome.passed.add(name)
    outcome.passed -= outcome.failed | outcome.skipped


def read_witness(witness: pathlib.Path, pid: int, outcome: Outcome) -> None:
    """Count the interpreters the module started, with and without Ouro. A line says of one if it is
    there and if it collects, which it does in the first interpreter of a process alone."""
    if not witness.exists():
        return
    lines = [line.split() for line in witness.read_text().splitlines()]
    collecting = {process for process, _, collects in lines if collects == "1"}
    for process, installed, _ in lines:
        if installed == "1" and process in collecting:
            outcome.with_ouro += 1
            outcome.main_has_ouro |= process == str(pid)
        else:
            outcome.without_ouro += 1
