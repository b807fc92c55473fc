# SPDX-License-Identifier: MIT
"""What leaves hold is in a snapshot on request only, and read without asking them. SEMANTICS M4."""

import ast
import math
import os
import random
import shutil
import subprocess

import pytest
from interpreter import VERSION, fail, run, start
from snapheap import PRELUDE, Heap, heap
from test_snap_take import PRELUDE as TAKING
from test_snapshot_strays import DEBUG, FORGET, KINDS

# Put together at run time, since names, constants and the command line are another matter.
SECRETS = """
text = "".join(["open ", "sesame"])
data = bytes(range(120, 96, -2)); buffer = bytearray(reversed(data))
number = 4711 ** 4; large = 4711 ** 9; ratio = number / 7; pair = complex(ratio, -1)
held = [text, data, buffer, number, large, ratio, pair]
"""
HELD = (b"open sesame", b"xvtrpnljhfdb", b"bdfhjlnprtvx", b"%d" % 4711**4,
        hex(4711 ** 9)[2:].encode(), repr(4711 ** 4 / 7).encode())


def held_in(path):
    data = path.read_bytes()
    return [secret in data for secret in HELD]


def seen(code, path, tells=2, **settings):
    """The heap with its values, and the ids that the snippet gave to `snap`."""
    return heap(code.replace("TELLS", str(tells)), path, **settings)


# --- On request only ------------------------------------------------------------------------------


@pytest.mark.parametrize(("tells", "there"), [(0, False), (1, False), (2, True)])
def test_m4_nothing_of_it_is_there_unasked(tells, there, tmp_path):
    # GIVEN leaves of each kind WHEN a snapshot is taken THEN what they hold is in the file only
    # where that was asked for, and the file says so
    found, _ = seen(SECRETS + "snap(ids(held=held), TELLS)", tmp_path / "a.snap", tells)
    assert held_in(tmp_path / "a.snap") == [there] * len(HELD)
    assert found.facts["values"] == ("yes" if there else "no")
    assert any("content" in o for o in found.objects.values()) is there


OCCASIONS = {
    "call": ("ouro.snapshot(path{})", {}, ""),
    "when": ("ouro.snapshot_when(signal=signal.SIGUSR2, directory=folder{})\n"
             "os.kill(os.getpid(), signal.SIGUSR2)\nuntil(lambda: taken() and not children())", {}, ""),
    "environment": ("os.kill(os.getpid(), signal.SIGUSR2)\nuntil(lambda: taken() and not children())",
                    {"OURO_SNAPSHOT_SIGNAL": "USR2"}, "OURO_SNAPSHOT_VALUES"),
    "end": ("", {"OURO_SNAPSHOT_AT_EXIT": "FOLDER/a.snap"}, "OURO_SNAPSHOT_VALUES"),
}


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_m4_each_occasion_can_ask_for_it(occasion, asked, tmp_path):
    # GIVEN each way to have a snapshot taken THEN values are in it where they were asked for
    code, settings, variable = OCCASIONS[occasion]
    settings = {key: value.replace("FOLDER", str(tmp_path)) for key, value in settings.items()}
    if asked and variable:
        settings[variable] = "1"
    code = SECRETS + "import glob\ntaken = lambda: glob.glob(folder + '/*.snap')\n" + code.format(
        ", values=True" if asked and not variable else "")
    done = start(["-c", TAKING + code], OURO_TEST_FOLDER=str(tmp_path), OURO_SNAPSHOT_DIR=str(tmp_path),
                 **settings)
    assert done.returncode == 0, done
    (file,) = tmp_path.glob("*.snap")
    assert held_in(file) == [asked] * len(HELD)


@pytest.mark.parametrize("call", [
    "ouro.snapshot(path, redact=True, values=True)",
    "ouro.snapshot_when(redact=True, values=True)",
])
def test_redaction_and_values_exclude_each_other(call, tmp_path):
    done = fail(TAKING + call, OURO_TEST_FOLDER=str(tmp_path))
    assert done.stderr.splitlines()[-1].startswith("ValueError: redact leaves out what values")
    assert not list(tmp_path.iterdir())


def test_so_do_their_variables(tmp_path):
    done = start(["-c", "pass"], OURO_SNAPSHOT_REDACT="1", OURO_SNAPSHOT_VALUES="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("ouro: OURO_SNAPSHOT_REDACT leaves out what OURO_SNAPSHOT_VALUES writes: "
                           "set one of them\n")


@pytest.mark.parametrize("tells", [-1, 3, 1 << 70, "'values'"])
def test_there_is_no_other_number(tells, tmp_path):
    run(PRELUDE + f"""
try: _ouro._snapshot_in_place(1, {tells})
except (ValueError, OverflowError, TypeError): pass
else: raise SystemExit("taken")""")


# --- What it says ---------------------------------------------------------------------------------

# As what Python reads from the text; None: the text is the characters.
READ = {"bytes": lambda text: ast.literal_eval(f"b'{text}'"), "int": int, "float": float, "str": None,
        "word": lambda text: ast.literal_eval(text.replace("Ellipsis", "...").replace("inf", "1e999"))}


def read(row):
    reader = READ[row["form"]]
    return reader(row["content"]) if reader else row["content"]


def values(dice):
    """Some of each kind, the ends of each range among them."""
    powers = [sign * (2**bits + more) for bits in (0, 29, 30, 59, 60, 62, 63, 64, 89, 90, 700, 787, 788)
              for sign in (1, -1) for more in (-1, 0, 1)]
    ints = powers + [dice.randrange(-(2**bits), 2**bits) for bits in range(1, 780, 7)]
    floats = [0.0, -0.0, 0.1, 1.0, -1.5, 1e15, 1e16, 1e22, 1e23, 5e-324, 1.7976931348623157e308, 1 / 3, 2 / 3,
              *(dice.uniform(-1, 1) * 10.0 ** dice.randrange(-300, 300) for _ in range(200))]
    texts = ["", "a", "it's", 'say "so"', "back\\slash", "\x00\x1b[2J\x7f", "é€🐍", "\u202e", "x" * 200,
             *("".join(map(chr, dice.choices(range(0xD800), k=dice.randrange(40)))) for _ in range(50))]
    datas = [bytes(range(at, at + 40)) for at in range(0, 216, 40)] + [b"", b"x" * 200]
    return {"ints": ints, "floats": floats, "texts": texts, "datas": datas}


def test_m4_values_read_as_what_they_are(tmp_path):
    # GIVEN numbers, texts and bytes of all sizes THEN what the file says of each reads as the same
    seed = int(os.environ.get("OURO_SEED", "0")) or random.randrange(1 << 30)
    made = values(random.Random(seed))
    (tmp_path / "made").write_text(repr(made))
    found, at = seen(f"""
import ast
made = ast.literal_eval(open({str(tmp_path / "made")!r}, encoding="utf-8").read())
made["arrays"] = [bytearray(data) for data in made["datas"]]
for array in made["arrays"]: del array[:1]
made["pairs"] = [complex(one, -one) for one in made["floats"]]
made["words"] = [None, True, False, ...]
snap({{name: [id(one) for one in many] for name, many in made.items()}}, TELLS)
""", tmp_path / "a.snap")
    made["arrays"] = [data[1:] for data in made["datas"]]
    made["pairs"] = [complex(one, -one) for one in made["floats"]]
    made["words"] = [None, True, False, ...]
    forms = {"ints": {"int", "word"}, "floats": {"float"}, "texts": {"str"}, "datas": {"bytes"},
             "arrays": {"bytes"}, "pairs": {"word"}, "words": {"word"}}
    for name, many in made.items():
        for one, where in zip(many, at[name], strict=True):
            row = found.objects[where]
            long = len(row["content"].encode()) > 197
            assert row["form"] in forms[name], (seed, name, one, row)
            assert row["cut"] or read(row) == one, (seed, name, one, row)
            assert not row["cut"] or long, (seed, name, one, row)
            if name == "ints":
                assert (row["form"] == "int") == (-(2**63) <= one < 2**63), (seed, one, row)


def test_m4_of_long_ones_the_beginning(tmp_path):
    # GIVEN values of more than 200 bytes THEN there are at most so many of them, which say that
    # they were cut, and no character or escape is
    found, at = seen("""
long = {"text": "€" * 1000, "data": b"ab\\x00" * 1000, "array": bytearray(b"'" * 1000),
        "number": -(7 ** 3000), "lone": "\\ud800" * 300}
snap({name: id(one) for name, one in long.items()}, TELLS)""", tmp_path / "a.snap")
    rows = {name: found.objects[where] for name, where in at.items()}
    assert all(row["cut"] and 190 < len(row["content"].encode()) <= 200 for row in rows.values()), rows
    assert set(rows["text"]["content"]) == {"€"} and set(rows["lone"]["content"]) == {"?"}
    assert (b"ab\0" * 1000).startswith(read(rows["data"])) and set(read(rows["array"])) == {39}
    assert hex(-(7**3000)).startswith(rows["number"]["content"])


def test_m4_numbers_that_are_none(tmp_path):
    found, at = seen("""
odd = {"inf": float("inf"), "minus": float("-inf"), "nan": float("nan"), "pair": complex("inf+nanj")}
snap({name: id(one) for name, one in odd.items()}, TELLS)""", tmp_path / "a.snap")
    text = {name: found.objects[where]["content"] for name, where in at.items()}
    assert (text["inf"], text["minus"], text["pair"]) == ("inf", "-inf", "(inf+nanj)")
    assert math.isnan(float(text["nan"]))


@pytest.mark.parametrize("language", ["de_DE", "ps_AF"])
def test_m4_a_point_is_a_point_in_every_locale(language, tmp_path):
    # GIVEN a program in a locale that writes 0,1 or 0٫1 THEN the file says 0.1
    made = subprocess.run(["localedef", "-i", language, "-f", "UTF-8", "--no-archive", tmp_path / "it"],
                          capture_output=True) if shutil.which("localedef") else None
    if not (tmp_path / "it").exists():
        pytest.skip(f"no locale can be made here: {made and made.stderr}")
    found, at = seen("""
import locale
locale.setlocale(locale.LC_ALL, "it")
assert locale.localeconv()["decimal_point"] != "."
tenths = [float("0.1"), float("-1.5e300"), complex("1.5-2.5j"), float("inf"), float("47")]
snap([id(one) for one in tenths], TELLS)""", tmp_path / "a.snap", LOCPATH=str(tmp_path))
    told = [found.objects[where]["content"] for where in at]
    assert told == ["0.1", "-1.5e+300", "(1.5-2.5j)", "inf", "47.0"]


# --- Nobody is asked ------------------------------------------------------------------------------


def test_m4_subclasses_are_not_asked(tmp_path):
    # GIVEN subclasses of each kind, whose methods would be heard THEN nothing is said of them; from
    # 3.15 on what a bytearray holds is an object of its own, a bytes like any other
    array = '"wicked".title().encode()' if VERSION < (3, 15) else "0"
    found, at = seen("""
heard = []
def trap(*args): heard.append(args); return "trapped"
names = "repr str bytes format hash eq len getitem iter int float complex index bool".split()
body = {f"__{name}__": trap for name in names}
number = pow(4711, len(heard) + 15)  # nothing else holds the same
made = [type("Evil" + base.__name__, (base,), body)(given) for base, given in
        [(str, "wicked".title()), (bytes, "wicked".title().encode()), (bytearray, BYTES),
         (int, number), (float, number), (complex, number)]]
del number
before = len(heard)
snap([id(one) for one in made], TELLS)
assert len(heard) == before, heard""".replace("BYTES", array), tmp_path / "a.snap")
    data = (tmp_path / "a.snap").read_bytes()
    assert len(at) == 6 and not any("content" in found.objects[where] for where in at)
    secrets = b"Wicked", hex(4711**15)[2:].encode(), repr(float(4711**15)).encode()
    assert not any(secret in data for secret in secrets)


@pytest.mark.parametrize("ouro", ["1", None])
def test_m4_no_memory_is_needed(ouro, tmp_path):
    # GIVEN that no memory is to be had from Python WHEN a snapshot with values is taken THEN it is
    # whole, with them
    found, at = seen(SECRETS + """
try: import _testcapi
except ImportError: snap("no _testcapi"); os._exit(0)
file = os.open(os.environ["OURO_TEST_SNAP"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
take, error = _ouro._snapshot_in_place, None
_testcapi.set_nomemory(8, 0)
try: take(file, TELLS)
except (MemoryError, OSError) as caught: error = caught
finally: _testcapi.remove_mem_hooks()
print(json.dumps(repr(error)))""", tmp_path / "a.snap", ouro=ouro)
    if at == "no _testcapi":
        pytest.skip(at)
    assert at == "None" and found.complete
    assert held_in(tmp_path / "a.snap") == [True] * len(HELD)


@pytest.mark.skipif(DEBUG, reason="a debug build of Python")
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"dict"}))
def test_m4_what_only_c_code_holds(kind, tmp_path):
    # GIVEN leaves that only C code holds THEN they have their values, too
    found, at = seen(f"{FORGET}\nsnap(forget({KINDS[kind]}, 100), TELLS)", tmp_path / "a.snap")
    make = eval(KINDS[kind])
    assert [read(found.objects[address]) for address in at] == [make(n) for n in range(100)]


def test_m4_counts_stay(tmp_path):
    # GIVEN leaves WHEN snapshots with values are taken THEN no count changes
    found, told = seen(SECRETS + """
def counts(): return [sys.getrefcount(one) for one in held]
before = counts()
for _ in range(3): snap([], TELLS)
snap([before, counts()], TELLS)""", tmp_path / "a.snap")
    assert told[0] == told[1] and found.overexplained() == []


def test_m4_the_child_writes_them(tmp_path):
    # GIVEN a snapshot that a child writes THEN it is whole, and has them
    run(TAKING + SECRETS + "ouro.snapshot(path, values=True)", OURO_TEST_FOLDER=str(tmp_path))
    assert Heap(tmp_path / "a.snap").complete
    assert held_in(tmp_path / "a.snap") == [True] * len(HELD)
