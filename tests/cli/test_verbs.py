# SPDX-License-Identifier: MIT
"""The command's own words: help, unknown verbs, version."""

import pytest
from programs import one_line, ouro

VERBS = ["run", "ps", "ledger", "gc", "give-back", "snap", "why", "path", "dom", "refs", "cycles",
         "diff", "sql", "help"]


def test_without_a_verb():
    done = ouro()
    assert done.returncode == 2 and all(f"ouro {verb}" in done.stderr for verb in VERBS)


@pytest.mark.parametrize("flag", ["help", "--help", "-h"])
def test_help_lists_the_verbs(flag):
    done = ouro(flag)
    assert done.returncode == 0 and all(f"ouro {verb}" in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS[:-1])
def test_help_of_a_verb_is_its_own(verb):
    by_name, by_option = ouro("help", verb), ouro(verb, "--help")
    assert by_name.returncode == by_option.returncode == 0
    assert f"Usage: ouro {verb}" in by_name.stdout and by_name.stdout == by_option.stdout


@pytest.mark.parametrize("word, near", [
    ("runn", "ouro run"), ("rnu", "ouro run"), ("leger", "ouro ledger"), ("giveback", "ouro give-back"),
    ("give", "ouro give-back"), ("hlep", "ouro help"), ("app.py", "ouro run app.py"),
    ("paht", "ouro path"), ("cycle", "ouro cycles"), ("whi", "ouro why"), ("analyse", "ouro help"),
    ("x" * 100, "ouro help"), ("", "ouro help"),
])
def test_an_unknown_verb(word, near):
    assert one_line(ouro(word), 2).endswith(": " + near)


def test_version():
    import re

    done = ouro("--version")
    assert done.returncode == 0 and re.fullmatch(r"ouro \d+\.\d+\.\d+\n", done.stdout)
