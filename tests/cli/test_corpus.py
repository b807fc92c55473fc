# SPDX-License-Identifier: MIT
"""M7, M8: `ouro why` on the programs of tests/corpus, whose truth is known, at their smallest size."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from programs import OURO, PYTHON

CORPUS = Path(__file__).parents[1] / "corpus" / "run.py"


def load():
    spec = importlib.util.spec_from_file_location("corpus_run", CORPUS)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


corpus = load()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no C compiler for the extension with mistakes")
    folder = str(tmp_path_factory.mktemp("extension"))
    corpus.build_extension(PYTHON, folder)
    tools = corpus.Tools(OURO, PYTHON, folder)
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
