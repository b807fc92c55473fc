# SPDX-License-Identifier: MIT
"""ouro.install() and the package itself."""

import ast
import pathlib

import pytest
from interpreter import run

REFUSED = [
    ("limit=-1", "limit must be an int from 0"),
    ("limit='1G'", "limit must be an int from 0"),
    ("keep=2**70", "keep must be an int from 0"),
    ("decay=1.5", "decay must be an int from 0"),
    ("decay=2**32", "decay must be an int from 0 to 4294967295"),
    ("huge='on'", "huge must be 'auto', 'off' or 'always'"),
    ("huge=None", "huge must be 'auto', 'off' or 'always'"),
    ("colour=1", "colour"),
]


@pytest.mark.parametrize(("option", "message"), REFUSED)
def test_bad_options_are_refused_and_nothing_happens(option, message):
    out = run(f"""
        import ouro
        try: ouro.install({option})
        except (TypeError, ValueError) as error: print(error)
        print(ouro.installed())
    """, ouro=None)
    first, second = out.splitlines()
    assert message in first and second == "False"


def test_arguments_are_by_keyword_only():
    out = run("""
        import ouro
        try: ouro.install(1000)
        except TypeError: print(ouro.installed())
    """, ouro=None)
    assert out == "False\n"


def test_a_second_call_has_no_effect():
    # GIVEN Ouro with options WHEN install is called again THEN the same or no options are fine
    out = run("""
        import ouro
        ouro.install(limit=10**9, keep=0, decay=50, huge="off", channel=False)
        ouro.install()
        ouro.install(limit=10**9, huge="off")
        ouro.install(keep=None, hardened=False)
        print(ouro.installed())
    """, ouro=None)
    assert out == "True\n"


@pytest.mark.parametrize(
    "option", ["limit=5", "keep=1", "decay=0", "huge='always'", "hardened=True"])
def test_a_second_call_with_other_options_says_so(option):
    out = run(f"""
        import ouro
        try: ouro.install({option})
        except RuntimeError as error: print(error)
    """)
    assert "installed already, with other options" in out


def test_without_ouro_there_is_nothing_to_give_back():
    out = run("""
        import ouro
        print(ouro.installed(), ouro.memory()["heap"], ouro.memory()["resident"] > 0)
        try: ouro.give_back()
        except RuntimeError as error: print(error)
    """, ouro=None)
    first, second = out.splitlines()
    assert first == "False 0 True" and "ouro run" in second


def test_unsupported_interpreters_hear_what_to_do():
    # GIVEN an interpreter that cannot run on Ouro WHEN the package is imported and used
    # THEN the import works and the use says in one line what to do
    cases = [
        ("sys.implementation.name = 'pypy'", "Ouro does not run on pypy: use CPython 3.10"),
        ("sys.abiflags = 't'", "free-threaded Python: use the default build"),
        ("sys.version_info = (3, 16, 0)", "CPython 3.10 to 3.15, this is 3.16: use one of those"),
        ("sys.modules['ouro._ouro'] = None", "-m pip install --force-reinstall ouro`"),
    ]
    for disguise, message in cases:
        out = run(f"""
            import sys
            {disguise}
            import ouro
            try: ouro.install()
            except ImportError as error: print(error)
            try: ouro.colour
            except AttributeError: print("other names are just absent")
        """, ouro=None)
        first, second = out.splitlines()
        assert message in first and second == "other names are just absent"


def test_stubs_say_what_the_module_does():
    # GIVEN the stubs WHEN compared with the module's own signatures THEN names and defaults agree
    import_dir = run("import ouro; print(ouro.__path__[0])", ouro=None).strip()
    stubs = [ast.parse(pathlib.Path(import_dir, name).read_text())
             for name in ("_ouro.pyi", "_snapshot.pyi")]
    functions = [node for stub in stubs for node in stub.body if isinstance(node, ast.FunctionDef)]
    public = {node.name: node for node in functions if not node.name.startswith("_")}
    for name in ("at_exit", "tells"):  # are for the package itself
        del public[name]
    described = run("""
        import inspect, ouro
        for name in ouro.__all__:
            thing = getattr(ouro, name)
            assert thing.__doc__, name
            if inspect.isroutine(thing):
                parameters = inspect.signature(thing).parameters.values()
                defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
                print(repr((name, defaults)))
    """, ouro=None)
    real = dict(map(ast.literal_eval, described.splitlines()))
    assert public.keys() == real.keys()
    for name, node in public.items():
        defaults = map(ast.literal_eval, node.args.kw_defaults)
        assert dict(zip([a.arg for a in node.args.kwonlyargs], defaults)) == real[name], name
    assert pathlib.Path(import_dir, "py.typed").exists()
