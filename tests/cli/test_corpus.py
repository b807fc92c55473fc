# SPDX-License-Identifier: MIT
"""M7, M8: `ouro why` on the programs of tests/corpus, whose truth is known, at their smallest size. M5: the
mistakes of its extension, counted."""

import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from programs import OURO, PYTHON, ouro

CORPUS = Path(__file__).parents[1] / "corpus" / "run.py"


def load():
    spec = importlib.util.spec_from_file_location("corpus_run", CORPUS)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


corpus = load()


@pytest.fixture(scope="module")
def extension(tmp_path_factory):
    """The folder with leaky.c, built."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler for the extension with mistakes")
    folder = str(tmp_path_factory.mktemp("extension"))
    corpus.build_extension(PYTHON, folder)
    return folder


@pytest.fixture(scope="module")
def results(extension):
    tools = corpus.Tools(OURO, PYTHON, extension)
    return [corpus.run_one(tools, case, 1, clean, None)
            for case in corpus.cases() for clean in (False, True)]


def told(results):
    return [f"{result.case}{' clean' if result.clean else ''}: {result.trouble or result.said}"
            for result in results]


def test_m7_every_program_can_be_asked(results):
    assert told(result for result in results if result.trouble) == []


def test_m7_the_class_is_right(results):
    wrong = [result for result in results if not result.right]
    assert len(wrong) <= (1 - corpus.RIGHT) * len(results), told(wrong)


def test_m8_the_holder_is_named(results):
    asked = [result for result in results if result.held is not None]
    missed = [result for result in asked if not result.held]
    assert len(missed) <= (1 - corpus.HELD) * len(asked), told(missed)


def test_m6_no_leak_is_told_where_there_is_none(results):
    assert told(result for result in results if result.leak) == []


def test_a_truth_that_is_not_told_fails():
    """The judge can say no: each of these findings is wrong about a program that is a growing cache."""
    truth = corpus.truth_of(CORPUS.with_name("module_cache.py"))
    right = {"class": corpus.CLASSES["growth"], "holder": corpus.HOLDERS["global"],
             "bytes": int(truth.bytes), "title": "sessions grew", "evidence": []}
    for change, field in (({}, None), ({"class": "waste"}, "right"), ({"holder": "task"}, "held"),
                          ({"title": "it grew"}, "held"), ({"bytes": 1}, "exact")):
        result = corpus.Result("module_cache", 1, False)
        corpus.judge(result, truth, [right | change])
        assert field is None or getattr(result, field) is False, change
        assert field or (result.right and result.held and result.exact)
    cured = corpus.Result("module_cache", 1, True)
    corpus.judge(cured, truth, [right])
    assert cured.leak and not cured.right


# --- Mistakes, counted (M5) ---

# Of which type a call leaves references behind; the call, and the one that is right.
MISTAKES = {
    "new reference": ("__main__.Reading", "leaky.latest([Reading()])", "leaky.latest_right([Reading()])"),
    "new reference to a text": ("str", "leaky.latest([text()])", "leaky.latest_right([text()])"),
    "appended": ("tuple", "leaky.rows(1, False)", "leaky.rows(1, True)"),
    "error": ("dict", "parse(False)", "parse(True)"),
    "type of the dead": ("type", "leaky.Handle()", "leaky.HandleRight()"),
    "class of the dead": ("type", "connect(leaky.Handle)", "connect(leaky.HandleRight)"),
}

MISTAKEN = """
import gc, leaky, ouro, sys

class Reading:
    pass

def text():
    return "".join(["long", "enough"] * 20)

def parse(right):
    try:
        leaky.parse("a b  c", right)
    except ValueError:
        pass

def connect(base):
    class Connection(base):
        pass
    Connection()

def look(file):
    gc.collect()
    # The interpreter holds the names of attributes that were looked up lately, some more, some less.
    getattr(sys, "_clear_type_cache", sys.gettrace)()
    ouro.snapshot(file)

CALL
look("first.snap")  # what is made once is made now
look("a.snap")
for _ in range(COUNT):
    CALL
look("b.snap")
"""


def mistaken(extension, folder, call, count):
    """Makes two snapshots, and so many calls between."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    code = MISTAKEN.replace("CALL", call).replace("COUNT", str(count))
    done = ouro("run", "--quiet", "--python", PYTHON, "-c", code, cwd=folder, PYTHONPATH=extension)
    assert done.returncode == 0, done
    return [str(folder / "a.snap"), str(folder / "b.snap")]


def changes(files):
    """What `ouro refs` says: references more, by type; and all in all."""
    done = ouro("refs", "--json", *files)
    assert done.returncode == 0, done
    answer = json.loads(done.stdout)
    return {row["type"]: row for row in answer["types"]}, answer["change"]


@pytest.mark.parametrize("count", [1, 10, 1000])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_m5_lost_references_are_counted_exactly(extension, tmp_path, mistake, count):
    # GIVEN a function in C that loses a reference WHEN it was called k times THEN k are missing, all of the
    # right type, and none where it does not lose it
    kind, wrong, right = MISTAKES[mistake]
    rows, all_of_them = changes(mistaken(extension, tmp_path, wrong, count))
    assert (rows[kind]["change"], all_of_them) == (count, count), rows
    rows, all_of_them = changes(mistaken(extension, tmp_path, right, count))
    assert (rows, all_of_them) == ({}, 0)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_m5_lost_references_are_told(extension, tmp_path, mistake):
    # GIVEN the same WHEN somebody asks why memory grows THEN the answer is C code and names what it keeps
    kind, wrong, right = MISTAKES[mistake]
    name = {"type of the dead": "leaky.Handle", "class of the dead": "Connection"}.get(mistake, kind)
    tools = corpus.Tools(OURO, PYTHON, extension)
    told = corpus.ask(tools, mistaken(extension, tmp_path, wrong, 5000))
    assert told[0]["class"] == corpus.CLASSES["unseen"] and name in told[0]["title"], told
    told = corpus.ask(tools, mistaken(extension, tmp_path, right, 5000))
    assert corpus.CLASSES["unseen"] not in [finding["class"] for finding in told]


def test_m5_the_class_of_the_dead_is_named(extension, tmp_path):
    files = mistaken(extension, tmp_path, "leaky.Handle()", 100)
    rows, _ = changes(files)
    assert rows["type"]["name"] == "class leaky.Handle"
    assert f"{rows['type']['example']}  class leaky.Handle" in ouro("refs", *files).stdout
