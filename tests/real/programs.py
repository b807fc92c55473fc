# SPDX-License-Identifier: MIT
"""The real programs: what to install, what to type, and what must be the same afterwards.

Nothing in them is changed; the services are small ones of ours in unchanged frameworks. Settings only
make two runs comparable: no cache of an earlier run, a fixed hash seed and date, no network.
"""

import re
import xml.etree.ElementTree as xml
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FIXED = {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "1700000000", "TZ": "UTC", "COLUMNS": "100"}
NO_NETWORK = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https")}


@dataclass
class Run:
    """One finished run. `folder` is its own, for what the program writes."""

    folder: Path
    status: int
    stdout: str
    stderr: str


@dataclass
class Program:
    name: str
    what: str
    requires: list[str]
    command: list[str]  # behind the interpreter; {out} is the run's own folder
    outcome: Callable[[Run], dict[str, str]]  # what must be equal, by name
    summary: Callable[[dict[str, str]], str]  # the outcome in a few words
    sdist: str | None = None  # also unpacked, for what the wheel leaves out; the place to run in
    inside: str = "."  # of it
    statuses: tuple[int, ...] = (0, 1)  # done, or done with findings; others: it did not get far
    env: dict[str, str] = field(default_factory=dict)


# --- outcomes


def built_pages(run: Run) -> dict[str, str]:
    """Every file of the site, byte for byte, and every message, sorted: some come from threads."""
    site = run.folder / "html"
    files = {str(p.relative_to(site)): p for p in sorted(site.rglob("*")) if p.is_file()}
    pages = {name: path.read_bytes().hex() for name, path in files.items()}
    return pages | numbered(sorted(lines(run))) | {"status": str(run.status)}


def messages(run: Run) -> dict[str, str]:
    """Exit status and every line of output, in order."""
    return numbered(lines(run)) | {"status": str(run.status)}


def lines(run: Run) -> list[str]:
    return (run.stdout + run.stderr).replace(str(run.folder), "OUT").splitlines()


def numbered(lines: list[str]) -> dict[str, str]:
    return {f"line {number}": line for number, line in enumerate(lines, 1)}


def answers(run: Run) -> dict[str, str]:
    """Exit status and the last line: a service's count and digest of all its answers."""
    said = run.stdout.splitlines() or [run.stderr[-500:]]
    return {"answers": said[-1], "status": str(run.status)}


def django_tests(run: Run) -> dict[str, str]:
    """Status, counts, and the tests that did not pass."""
    text = run.stdout + run.stderr
    bad = re.findall(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): (.*)$", text, re.MULTILINE)
    ran = re.search(r"^Ran (\d+) tests", text, re.MULTILINE)
    end = re.search(r"^(OK|FAILED)( \(.*\))?$", text, re.MULTILINE)
    found = {"ran": ran[1] if ran else "nothing", "end": end[0] if end else text[-500:]}
    return {name: kind for kind, name in bad} | found | {"status": str(run.status)}


def pytest_tests(run: Run) -> dict[str, str]:
    """Status and the outcome of each test."""
    report = run.folder / "tests.xml"
    if not report.exists():
        return {"status": str(run.status), "report": run.stdout[-500:] + run.stderr[-500:]}
    found = {"status": str(run.status)}
    for case in xml.parse(report).iter("testcase"):
        outcomes = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}.{case.get('name')}"] = outcomes[0] if outcomes else "passed"
    return found


# --- outcomes in a few words


def count_pages(outcome: dict[str, str]) -> str:
    pages = sum(name.endswith(".html") for name in outcome)
    lines = sum(name.startswith("line ") for name in outcome)
    return f"{pages} pages, {lines} lines of messages"


def last_line(outcome: dict[str, str]) -> str:
    lines = [name for name in outcome if name.startswith("line ")]
    return outcome[lines[-1]] if lines else "no message"


def answered(outcome: dict[str, str]) -> str:
    return outcome["answers"].rpartition(" ")[0].rstrip(",")


def django_counts(outcome: dict[str, str]) -> str:
    return f"{outcome['ran']} tests, {outcome['end']}"


def pytest_counts(outcome: dict[str, str]) -> str:
    values = list(outcome.values())
    counts = {kind: values.count(kind) for kind in ("passed", "skipped", "failure", "error")}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


# --- the programs

MYPY = ["-m", "mypy", "--config-file=", "--strict", "--cache-dir=/dev/null", "--no-fast-exit"]
MYPY += ["--exclude=typeshed", "--exclude=mypy/test", "-p", "mypy"]
# -c: not with the settings of the tree that this file lies in.
PYTEST = ["-m", "pytest", "-c", "/dev/null", "-q", "-p", "no:cacheprovider", "--tb=no"]
PYTEST += ["--junit-xml={out}/tests.xml", "--pyargs"]
# Not serializers: it compares durations, which fails now and then on a busy machine, on stock too.
DJANGO = """admin_changelist admin_views aggregation aggregation_regress annotations auth_tests
 cache expressions forms_tests generic_views handlers i18n migrations model_fields model_forms
 prefetch_related queries template_tests utils_tests""".split()

NUMPY = ["numpy.ma", "numpy.lib.tests.test_function_base"]
NUMPY += ["numpy._core.tests.test_numeric", "numpy._core.tests.test_umath"]

SCIKIT = ["sklearn.tree", "sklearn.cluster.tests.test_hierarchical"]

SERVICES = Path(__file__).with_name("services")
ORDERS = [str(SERVICES / "orders.py"), "25000", "{out}/results"]

PROGRAMS = [
    Program(
        "aiohttp",
        "aiohttp 3.14.5: a shop answers 60,000 requests",
        ["aiohttp==3.14.5"],
        [str(SERVICES / "shop.py"), "60000"],
        answers,
        answered,
        statuses=(0,),
    ),
    Program(
        "celery",
        "Celery 5.7.0: a worker does 25,000 tasks, by itself",
        ["celery==5.7.0"],
        [*ORDERS, "--pool=solo"],
        answers,
        answered,
        statuses=(0,),
    ),
    Program(
        "celery-prefork",
        "Celery 5.7.0: a worker has 25,000 tasks done by two forked children",
        ["celery==5.7.0"],
        [*ORDERS, "--pool=prefork", "--concurrency=2"],
        answers,
        answered,
        statuses=(0,),
    ),
    Program(
        "scikit-learn",
        "scikit-learn 1.9.1: its tests of trees and of hierarchies",
        ["scikit-learn==1.9.1", "pytest==9.2.0"],
        [*PYTEST, *SCIKIT],
        pytest_tests,
        pytest_counts,
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ),
    Program(
        "sphinx",
        "Sphinx 9.0.4 builds its own documentation",
        ["sphinx==9.0.4"],
        ["-m", "sphinx", "-q", "-b", "html", "-d", "{out}/doctrees", "doc", "{out}/html"],
        built_pages,
        count_pages,
        sdist="sphinx==9.0.4",
        statuses=(0,),
        env=NO_NETWORK,
    ),
    Program(
        "mypy",
        "mypy 2.4.1, compiled, checks its own 144 files",
        ["mypy==2.4.1"],
        MYPY,
        messages,
        last_line,
        sdist="mypy==2.4.1",
        env={"PYTHONSAFEPATH": "1"},  # or the uncompiled one in the current folder runs
    ),
    Program(
        "mypy-pure",
        "mypy 2.4.1, pure Python, checks its own 144 files",
        ["mypy==2.4.1"],
        MYPY,
        messages,
        last_line,
        sdist="mypy==2.4.1",
    ),
    Program(
        "django",
        "Django 5.2.19: 19 folders of its tests on SQLite",
        ["django==5.2.19"],
        ["runtests.py", "--parallel", "1", "--noinput", *DJANGO],
        django_tests,
        django_counts,
        sdist="django==5.2.19",
        inside="tests",
    ),
    Program(
        "numpy",
        "NumPy 2.4.6: its tests of masked arrays, functions, numerics and umath",
        ["numpy==2.4.6", "pytest==9.2.0", "hypothesis==6.170.15"],
        [*PYTEST, *NUMPY],
        pytest_tests,
        pytest_counts,
    ),
    Program(
        "pandas",
        "pandas 3.1.1: its tests of data frame methods and of aggregation",
        ["pandas==3.1.1", "numpy==2.4.6", "pytest==9.2.0", "hypothesis==6.170.15"],
        [*PYTEST, "pandas.tests.frame.methods", "pandas.tests.groupby.aggregate"],
        pytest_tests,
        pytest_counts,
    ),
]
