# SPDX-License-Identifier: MIT
"""The verbs that read snapshots, on heaps that are drawn in heaps.py (SEMANTICS M3, M4, M5, M8)."""

import json
import random
import re

import heaps
import pytest
from programs import one_line, ouro

CACHE = 10_000 + 12 * (1000 + 56)  # the dictionary, its sessions and their keys
NAMESPACE = 232 + 2 * 56 + CACHE + 2 * 48
WIDTH = 80

# Each verb with what it needs beside the first file.
VERBS = {"path": ["Session"], "dom": [], "refs": [], "cycles": [], "diff": ["SECOND"], "why": [],
         "sql": ["SELECT * FROM object, type WHERE object.type = type.name"]}


@pytest.fixture
def shop(tmp_path):
    """A heap, its file, and one of a minute later with 18 more sessions, of which three leak."""
    heap = heaps.shop()
    heap.file = heap.write(tmp_path / "shop.snap")
    heap.later = heaps.shop(30, leaked=3, time=1_700_000_060).write(tmp_path / "later.snap")
    return heap


def command(verb, file, second=None, *more):
    """The verb with all that it needs."""
    return ouro(verb, file, *(second or file if word == "SECOND" else word for word in VERBS[verb]), *more)


def asked(*arguments):
    done = ouro(*arguments)
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


def rows(file, query):
    done = ouro("sql", "--json", file, query)
    assert done.returncode == 0 and done.stderr == "", done
    return [json.loads(line) for line in done.stdout.splitlines()]


def address(one):
    return f"0x{one.address:x}"


# --- All of them ---


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_is_needed(verb):
    assert "file" in one_line(ouro(verb), 2)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("content", [None, b"", b"ouro", b"\0" * 4096, b"ouroheap\xff\0\0\0\0\0\0\0"])
def test_a_file_that_is_no_snapshot(tmp_path, verb, content):
    file = tmp_path / "no.snap"
    if content is not None:
        file.write_bytes(content)
    assert str(file) in one_line(command(verb, file), 1)


@pytest.mark.parametrize("verb", VERBS)
def test_one_argument_too_much(shop, verb):
    line = one_line(command(verb, shop.file, None, *["x"] * 9), 2)
    assert line == "ouro: 'x' is one argument too much"


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_without_its_end_is_used_after_a_warning(shop, tmp_path, verb):
    file = shop.write(tmp_path / "cut.snap", finished=False)
    done = command(verb, file)
    assert done.returncode == 0 and done.stdout != ""
    assert re.fullmatch(r"(ouro: .*cut\.snap: its writer did not finish.*\n){1,2}", done.stderr)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "sql"])
def test_the_next_command_is_named(shop, verb):
    done = command(verb, shop.file, shop.later)
    assert done.returncode == 0 and done.stderr == ""
    assert re.match(r"next:  ouro \w+ ", done.stdout.splitlines()[-1])


OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]")
HOSTILE = [b"\x1b[2J\x1b]0;gone\x07", b"two\nlines\r", b"\xff\xfe\xc3", "\u202egnp.exe\u2066".encode(),
           b"\x9b31m", "a\u0085b\u009b1m".encode(), b"x" * 300, "日本語".encode() * 60, b"%s%n%d", b'"quote\\']


def hostile(text):
    """A heap all of whose texts are the same."""
    heap = heaps.Heap(command=text.decode("latin1"))
    namespace = heap.module(text)
    thing = namespace.item(text, heap.object(text, 100, title=text))
    for kind in ("attribute", "local", "cell", "internal"):
        thing = thing.holds(heap.object(text, 50), kind, text)
    thing.holds(namespace, "attribute", text)
    heap.root("thread", thing, text)
    thing.extra = 5
    return heap, thing


def check_output(verb, *words):
    """As a table and as JSON: nothing that a terminal obeys, lines that fit, JSON that can be read."""
    for more in ([], ["--json"]):
        done = ouro(verb, *words, *more, LC_ALL="C.UTF-8")
        assert done.returncode == 0, done
        assert not OBEYED.search(done.stdout)
        if not more and verb != "sql":
            short = [line for line in done.stdout.splitlines() if "next:  ouro" not in line]
            assert max(map(len, short)) <= WIDTH or "日" in done.stdout, max(short, key=len)
        for line in done.stdout.splitlines() if verb == "sql" else [done.stdout]:
            assert not more or json.loads(line) is not None


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("verb", VERBS)
def test_texts_of_a_file_do_not_reach_the_terminal(tmp_path, verb, text):
    heap, thing = hostile(text)
    file = heap.write(tmp_path / "h")
    words = {"path": [address(thing)], "diff": [heaps.shop().write(tmp_path / "i"), "--holders"]}
    check_output(verb, file, *words.get(verb, VERBS[verb]))


def test_files_of_any_content_end_in_words(shop):
    """Bytes of payloads change, checksums fit them: every verb ends by itself, with 0 or one line."""
    dice = random.Random(5)
    blocks = list(shop.blocks())
    for turn in range(70):
        broken = [(kind, bytearray(payload)) for kind, payload in blocks]
        _, victim = broken[turn % len(broken)]
        for _ in range(dice.choice([1, 1, 2, 8])):
            victim[dice.randrange(len(victim))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        shop.blocks = lambda broken=broken: [(kind, bytes(payload)) for kind, payload in broken]
        shop.write(shop.file)
        done = command(dice.choice(list(VERBS)), shop.file, shop.later)
        assert done.returncode in (0, 1), done
        assert (done.returncode == 0) == (done.stdout != ""), done
        assert "Sanitizer" not in done.stderr and len(done.stderr.splitlines()) <= 2, done


# --- Values (M4) ---

# A form, the file's text, what is shown, what the column `value` has.
VALUES = [
    (heaps.STR, "user:1", "'user:1'", "user:1"),
    (heaps.STR | heaps.CUT, "user:1", "'user:1'...", "user:1"),
    (heaps.STR, "it's", '"it\'s"', "it's"),
    (heaps.STR, "", "''", ""),
    (heaps.BYTES, r"a\x00\'", r"b'a\x00\''", r"b'a\x00\''"),
    (heaps.BYTES | heaps.CUT, "a", "b'a'...", "b'a'..."),
    (heaps.INT, "-17", "-17", -17),
    (heaps.INT, "-9223372036854775808", "-9223372036854775808", -(2**63)),
    (heaps.FLOAT, "0.1", "0.1", 0.1),
    (heaps.FLOAT, "5e-324", "5e-324", 5e-324),
    (heaps.FLOAT, "-inf", "-inf", "-inf"),
    (heaps.WORD, "None", "None", "None"),
    (heaps.WORD | heaps.CUT, "0x1f", "0x1f...", "0x1f..."),
    (7, "later", "later", "later"),
]


def holding(form, value, name="str"):
    """A heap with one leaf, which C code holds, too, and the leaf."""
    heap = heaps.Heap()
    leaf = heap.module("app").item("leaf", heap.object(name, 60, kind="str", flags=0, extra=1))
    return heap, leaf.says(form, value)


@pytest.mark.parametrize("form, value, shown, column", VALUES)
def test_values_are_shown_where_objects_are(tmp_path, form, value, shown, column):
    heap, leaf = holding(form, value)
    file, at = heap.write(tmp_path / "x.snap"), address(leaf)
    for locale in ("C", "C.UTF-8", "de_DE.UTF-8"):
        for verb, words in ("path", [at]), ("dom", [at]), ("refs", []):
            text = ouro(verb, file, *words, LC_ALL=locale).stdout
            there = re.escape(shown[:12]) if verb == "dom" else re.escape(shown) + r"\s*$"
            assert re.search(rf"{at}:? +{there}", text, re.MULTILINE), (verb, text)
    assert asked("path", "--json", file, at)["object"]["value"] == shown
    assert asked("path", "--json", file, at)["paths"][0]["steps"][-1]["value"] == shown
    assert asked("dom", "--json", file, at)["top"][0]["value"] == shown
    assert asked("refs", "--json", file)["types"][0]["value"] == shown
    query = f"SELECT value FROM object WHERE address = {leaf.address}"
    assert rows(file, query) == [{"value": column}]


def test_without_values_there_are_none(shop):
    # GIVEN a file without values THEN nothing speaks of any, and the column is empty
    assert rows(shop.file, "SELECT DISTINCT value FROM object") == [{"value": None}]
    assert "value" not in asked("path", "--json", shop.file, address(shop.session))["object"]
    for verb in VERBS:
        assert "holds values" not in command(verb, shop.file, shop.later).stdout
    assert "has values" not in ouro("sql", shop.file).stdout


def test_files_with_values_say_so(tmp_path):
    heap, _ = holding(heaps.STR, "user:1")
    file = heap.write(tmp_path / "x.snap")
    assert "the file holds values" in ouro("why", file).stdout
    assert "values of the program" in ouro("sql", file).stdout
    empty = heaps.shop(values="yes").write(tmp_path / "y.snap")
    assert "the file holds values" in ouro("why", empty).stdout


@pytest.mark.parametrize("form", [heaps.WORD, heaps.STR, heaps.BYTES, heaps.INT, heaps.FLOAT, 99])
@pytest.mark.parametrize("text", HOSTILE)
def test_values_do_not_reach_the_terminal(tmp_path, form, text):
    heap, leaf = holding(form, text)
    file = heap.write(tmp_path / "h")
    words = {"path": [address(leaf)], "dom": [address(leaf)], "refs": [], "why": [],
             "sql": ["SELECT value FROM object"]}
    for verb, more in words.items():
        check_output(verb, file, *more)


def test_the_beginning_of_a_long_value_is_shown(tmp_path):
    for value in ("https://example.org/" + "a.b/" * 40, "a.b." * 40):
        heap, leaf = holding(heaps.STR, value)
        file = heap.write(tmp_path / "x.snap")
        for verb, words in ("path", [address(leaf)]), ("dom", [address(leaf)]), ("refs", []):
            assert f"'{value[:2]}" in ouro(verb, file, *words).stdout


def test_numbers_are_compared_as_numbers(tmp_path):
    heap = heaps.Heap()
    holder = heap.root("thread", heap.object("list", kind="list"))
    for i in range(-50, 50):
        holder.holds(heap.object("int", 32, kind="number", flags=0), "index", i + 50).says(heaps.INT, str(i))
        holder.holds(heap.object("float", 24, kind="number", flags=0), "index", i + 50).says(
            heaps.FLOAT, repr(i / 4))
    file = heap.write(tmp_path / "x.snap")
    query = "SELECT count(*) AS n, sum(value) AS total FROM object WHERE value > 9 AND type = '{}'"
    assert rows(file, query.format("int")) == [{"n": 40, "total": sum(range(10, 50))}]
    assert rows(file, query.format("float")) == [{"n": 13, "total": sum(range(37, 50)) / 4}]


def test_the_verdict_shows_what_is_stored_again_and_again(tmp_path):
    heap = heaps.Heap(rss=8 << 20)
    holder = heap.module("app").item("rows", heap.object("list", 8000, kind="list"))
    for i in range(400):
        copy = holder.holds(heap.object("str", 5000, kind="str", flags=0), "index", i)
        copy.says(heaps.STR, "Berlin").digest = 4711
    text = ouro("why", heap.write(tmp_path / "x.snap"), LC_ALL="C.UTF-8").stdout
    assert "the example has 4.9 KiB: 'Berlin'" in text, text


# --- Names ---


@pytest.mark.parametrize("name", ["Session", "shop.models.Session"])
def test_a_type_is_its_name_or_the_last_part(shop, name):
    assert asked("path", "--json", shop.file, name)["objects"] == 12


def test_the_nearest_types_are_named(shop):
    line = one_line(ouro("path", shop.file, "Sesion"), 1)
    assert line.endswith("has no type 'Sesion'; did you mean: shop.models.Session")
    assert "ouro sql" in one_line(ouro("path", shop.file, "nothing.like.it.exists"), 1)


def test_the_last_part_must_be_of_one_name(tmp_path):
    heap = heaps.Heap()
    heap.root("thread", heap.object("a.Node"))
    heap.root("thread", heap.object("b.Node"))
    file = heap.write(tmp_path / "x.snap")
    assert "a.Node, b.Node" in one_line(ouro("dom", file, "Node"), 1)
    assert ouro("dom", file, "b.Node").returncode == 0


@pytest.mark.parametrize("text, status", [("0x123", 1), ("0xfffffffffffffffffff", 1), ("0xyz", 2), ("0x", 2)])
def test_addresses_that_are_none(shop, text, status):
    one_line(ouro("path", shop.file, text), status)


# --- path (M4) ---


def test_the_path_of_a_type_is_grouped(shop):
    done = ouro("path", shop.file, "Session", LC_ALL="C.UTF-8")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0] == "12 objects, 11.7 KiB; held in 1 way"
    assert lines[2] == "module shop.cache"
    assert lines[3].split()[:2] == [".CACHE", "dict"]
    assert re.fullmatch(r"    \['user:\d+'\] +shop.models.Session at 0x[0-9a-f]+", lines[4])
    assert lines[5].strip() == "× 12, 11.7 KiB"


def test_a_path_follows_the_references(shop):
    answer = asked("path", "--json", shop.file, address(shop.session))
    (path,) = answer["paths"]
    assert answer["object"]["address"] == path["steps"][-1]["address"] == shop.session.address
    assert path["end"] == "root" and path["root"] == {"kind": "module", "name": "shop.cache"}
    assert [step.get("label") for step in path["steps"]] == [
        None, "(__dict__)", "['CACHE']", "['user:11']"]
    held = {one.address: {to.address for _, _, to in one.edges} for one in shop.objects}
    steps = [step["address"] for step in path["steps"]]
    assert all(after in held[before] for before, after in zip(steps, steps[1:]))


def test_garbage_has_no_path(shop):
    assert "nothing leads to it" in ouro("path", shop.file, "Lost").stdout
    (path,) = asked("path", "--json", shop.file, address(shop.lost))["paths"]
    assert path["end"] == "garbage" and path["root"] is None


def test_what_only_c_code_holds_says_so(tmp_path):
    heap = heaps.Heap()
    thing = heap.object("c.Thing", extra=2)
    file = heap.write(tmp_path / "x.snap")
    (path,) = asked("path", "--json", file, address(thing))["paths"]
    assert path["end"] == "unseen"
    assert "2 unseen" in ouro("path", file, address(thing)).stdout


def test_a_long_path_is_drawn_by_its_ends(tmp_path):
    heap = heaps.Heap()
    at = heap.root("thread", heap.object("app.Link"), "worker")
    for _ in range(1000):
        at = at.holds(heap.object("app.Link"), "attribute", "next")
    done = ouro("path", heap.write(tmp_path / "x.snap"), address(at))
    lines = done.stdout.splitlines()
    assert len(lines) < 40 and any("more" in line for line in lines) and lines[0].startswith("thread worker")
    assert address(at) in done.stdout


def test_the_ways_of_many_objects_are_counted_by_a_sample(tmp_path):
    heap = heaps.Heap()
    one, other = (heap.root("thread", heap.object("list", kind="list"), name) for name in "ab")
    for i in range(4000):
        (one if i % 4 else other).holds(heap.object("app.Thing", 16), "index", i)
    answer = asked("path", "--json", heap.write(tmp_path / "x.snap"), "Thing")
    assert answer["objects"] == 4000 and answer["looked_at"] == 256
    counts = [path["objects"] for path in answer["paths"]]
    assert sum(counts) == pytest.approx(4000, abs=2) and counts[0] == max(counts)


def test_the_limit_of_paths(tmp_path):
    heap = heaps.Heap()
    thing = heap.object("app.Thing")
    for name in "abcdef":
        heap.root("thread", heap.object(f"app.{name}"), name).holds(thing, "attribute", name)
    file = heap.write(tmp_path / "x.snap")
    for limit in (1, 2, 5):
        assert len(asked("path", "--json", "--limit", limit, file, address(thing))["paths"]) == limit
    assert "number from 1" in one_line(ouro("path", "--limit", "0", file, "Thing"), 2)


# --- dom ---


def find(tree, one):
    for node in tree:
        if node["address"] == one.address:
            return node
        if found := find(node.get("below", []), one):
            return found
    return None


def test_the_tree_says_what_is_retained(shop):
    answer = asked("dom", "--json", "--depth", "5", "--limit", "20", shop.file)
    whole = sum(one.size for one in shop.objects)
    assert answer["bytes"] == whole and answer["garbage"] == 1000 and answer["unseen"] == 0
    assert answer["held"] == whole - 1000
    assert find(answer["top"], shop.cache)["retained"] == CACHE
    assert answer["top"][0]["retained"] == 72 + NAMESPACE
    assert find(answer["top"], shop.session)["retained"] == 1000


def test_the_tree_below_a_type_or_an_address(shop):
    assert [node["retained"] for node in asked("dom", "--json", shop.file, "Node")["top"]] == [96, 48]
    (only,) = asked("dom", "--json", shop.file, address(shop.cache))["top"]
    assert only["retained"] == CACHE
    text = ouro("dom", shop.file, address(shop.cache), LC_ALL="C.UTF-8").stdout
    assert f"{CACHE / 1024:.1f} KiB" in text and text.startswith("OBJECT")


# --- refs (M5) ---


@pytest.mark.parametrize("k", [0, 1, 10])
def test_forgotten_decrefs_are_counted_exactly(tmp_path, k):
    before = heaps.shop(20).write(tmp_path / "a")
    after = heaps.shop(25, leaked=k).write(tmp_path / "b")
    answer = asked("refs", "--json", before, after)
    assert answer["change"] == k
    assert [(row["type"], row["change"]) for row in answer["types"]] == (
        [("shop.models.Session", k)] if k else [])
    assert asked("refs", "--json", after)["unexplained"] == k


def test_counts_that_are_too_small_are_told(tmp_path):
    heap = heaps.shop()
    heap.cache.extra = -1
    (row,) = asked("refs", "--json", heap.write(tmp_path / "x"))["types"]
    assert row["type"] == "dict" and row["overexplained"] == 1 and row["unexplained"] == 0


def test_the_example_has_most_and_of_two_files_changed(tmp_path):
    heap = heaps.shop(5, leaked=2)
    first = next(one for one in heap.objects if one.extra)
    before = heap.write(tmp_path / "a")
    heap.session.extra = 1
    (row,) = asked("refs", "--json", before, heap.write(tmp_path / "b"))["types"]
    assert (row["example"], row["change"]) == (hex(heap.session.address), 1)
    (row,) = asked("refs", "--json", tmp_path / "b")["types"]
    assert (row["example"], row["name"]) == (
        hex(first.address), f"shop.models.Session at {hex(first.address)}")
    heap.session.extra = 2
    (row,) = asked("refs", "--json", heap.write(tmp_path / "c"))["types"]
    assert row["example"] == hex(heap.session.address)


def test_an_example_that_code_names_is_shown_by_name(tmp_path):
    heap = heaps.shop()
    kept = heap.object("type", 1000, kind="type", title="shop.native.Handle", extra=7)
    text = ouro("refs", heap.write(tmp_path / "x")).stdout
    assert f"{hex(kept.address)}  class shop.native.Handle" in text


# --- cycles ---


def test_rings_are_drawn_with_the_reference_to_make_weak(shop):
    lost, tree = asked("cycles", "--json", shop.file)["groups"]
    assert (lost["class"], lost["rings"], lost["objects"], lost["bytes"]) == ("garbage", 1, 2, 1000)
    assert (tree["class"], tree["length"], tree["bytes"]) == ("held", 2, 96)
    assert tree["steps"][tree["weak"]]["label"] == ".parent"
    text = ouro("cycles", shop.file).stdout
    assert re.search(r"\.parent +the first +<- make weak", text) and "garbage" in text


def test_no_rings(tmp_path):
    heap = heaps.Heap()
    heap.module("app")
    assert "no rings" in ouro("cycles", heap.write(tmp_path / "x")).stdout


# --- diff (M3) ---


def test_what_grew_by_type(shop):
    answer = asked("diff", "--json", shop.file, shop.later)
    grown = {row["type"]: row for row in answer["rows"]}
    assert grown["shop.models.Session"]["objects"] == [12, 30]
    assert grown["shop.models.Session"]["bytes"] == [12_000, 30_000]
    assert set(grown) == {"shop.models.Session", "str"}
    assert answer["bytes"][1] - answer["bytes"][0] == 18 * (1000 + 56)


def test_what_grew_by_holder(shop):
    answer = asked("diff", "--json", "--holders", shop.file, shop.later)
    row = next(row for row in answer["rows"] if row["type"] == "shop.models.Session")
    assert row["place"] == "shop.cache.CACHE" and row["objects"][1] - row["objects"][0] == 18
    assert "shop.cache.CACHE" in ouro("diff", "--holders", shop.file, shop.later).stdout


def test_nothing_grew(shop):
    assert asked("diff", "--json", shop.file, shop.file)["rows"] == []


# --- sql ---


def test_the_tables_are_named(shop):
    text = ouro("sql", shop.file).stdout
    assert all(f"\n  {name}(" in text for name in ("object", "edge", "type", "root", "finding"))


def test_objects_are_rows(shop):
    found = {row["address"]: row for row in rows(shop.file, "SELECT * FROM object")}
    assert set(found) == {one.address for one in shop.objects}
    for one in shop.objects:
        row = found[one.address]
        assert row["size"] == one.size and row["count"] == one.found + one.extra
        assert row["type"] == shop.types[one.type][1]
        assert row["tracked"] == bool(one.flags & heaps.TRACKED)
        assert row["generation"] == (0 if row["tracked"] else None)
    cache = found[shop.cache.address]
    assert cache["retained"] == CACHE and cache["class"] == "held"
    assert found[cache["dominator"]]["type"] == "dict"
    assert found[shop.lost.address]["class"] == "garbage"


def test_an_address_and_a_type_are_looked_up_as_a_scan_would(shop):
    for one in shop.objects:
        plain, scan = [rows(shop.file, f"SELECT * FROM object WHERE {sign}address = {one.address}")
                       for sign in ("", "+")]
        assert plain == scan and len(plain) == 1
    for _, name in shop.types:
        plain, scan = [rows(shop.file, f"SELECT * FROM object WHERE {sign}type = '{name}'")
                       for sign in ("", "+")]
        assert plain == scan and plain
    for value in ("NULL", "'x'", "1.5", "-1", "0"):
        assert rows(shop.file, f"SELECT * FROM object WHERE address = {value}") == []


def test_edges_are_rows(shop):
    def triples(where=""):
        return sorted((row["source"], row["target"], row["kind"], str(row["name"]))
                      for row in rows(shop.file, f"SELECT * FROM edge {where}"))

    texts = {at: text for at, kind, text in shop.texts if kind == heaps.KEY_STR}
    everything, key = [], None
    for one in shop.objects:
        for kind, label, other in one.edges:
            everything.append((one.address, other.address, kind, str(key if kind == "value" else label)))
            key = texts.get(other.address)
    assert triples() == sorted(everything)
    for one in (shop.cache, shop.tree, shop.lost, shop.session):
        at = one.address
        assert triples(f"WHERE source = {at}") == sorted(e for e in everything if e[0] == at)
        assert triples(f"WHERE target = {at}") == sorted(e for e in everything if e[1] == at)


def test_a_target_with_many_referrers_is_found_by_one_pass(tmp_path):
    heap = heaps.Heap()
    thing = heap.object("app.Popular")
    for _ in range(700):
        heap.root("thread", heap.object("app.Fan")).holds(thing, "attribute", "star")
    query = f"SELECT count(*) AS n FROM edge WHERE target = {thing.address}"
    assert rows(heap.write(tmp_path / "x"), query) == [{"n": 700}]


def test_types_and_roots_are_rows(shop):
    for row in rows(shop.file, "SELECT * FROM type"):
        of_type = [one for one in shop.objects if one.type == row["id"]]
        assert (row["kind"], row["name"]) == shop.types[row["id"]]
        assert (row["objects"], row["bytes"]) == (len(of_type), sum(one.size for one in of_type))
    assert rows(shop.file, "SELECT name FROM type WHERE id = 99") == []
    (root,) = rows(shop.file, "SELECT * FROM root")
    assert (root["kind"], root["name"]) == ("module", "shop.cache")


def test_joins(shop):
    (row,) = rows(shop.file, """SELECT count(*) AS n, sum(size) AS bytes
                                FROM edge JOIN object ON address = target
                                WHERE source = %d AND type = 'shop.models.Session'""" % shop.cache.address)
    assert row == {"n": 12, "bytes": 12_000}


def test_findings_are_rows(shop):
    found = rows(shop.file, "SELECT * FROM finding")
    assert found and set(found[0]) == {"class", "holder", "bytes", "share", "title"}


def test_a_table_lines_up(shop):
    done = ouro("sql", shop.file, "SELECT name, objects FROM type WHERE kind = 'instance' ORDER BY 1")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines == ["name                objects", "shop.models.Lost          2",
                     "shop.models.Node          2", "shop.models.Session      12"]
    done = ouro("sql", shop.file, f"SELECT address FROM object WHERE address = {shop.cache.address}")
    assert address(shop.cache) in done.stdout
    assert ouro("sql", shop.file, "SELECT 1 WHERE 0").stdout == "no rows\n"
    assert "--limit 30" in ouro("sql", "--limit", "3", shop.file, "SELECT * FROM object").stdout


@pytest.mark.parametrize("query", [
    "DELETE FROM object", "DROP TABLE object", "CREATE TABLE x(y)", "ATTACH 'x.db' AS x",
    "PRAGMA user_version = 3", "INSERT INTO root VALUES (1, 2, 3)", "VACUUM INTO 'y.db'", "SELEKT",
    "SELECT nothing FROM object", "", ";", "SELECT 1; SELECT 2", "SELECT load_extension('x')",
])
def test_only_a_query_can_be_asked(shop, tmp_path, query):
    before = sorted(tmp_path.iterdir())
    done = ouro("sql", shop.file, query, cwd=tmp_path)
    assert done.returncode in (1, 2) and len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


# --- why (M7) ---


def test_the_verdict_as_json(shop):
    answer = asked("why", "--json", shop.file, shop.later)
    assert answer["pid"] == 4711 and answer["files"] == [str(shop.file), str(shop.later)]
    assert answer["failed"] is False and answer["findings"]
    for finding in answer["findings"]:
        assert set(finding) == {"class", "holder", "bytes", "objects", "share", "of", "title", "evidence",
                                "advice", "next"}
        assert "%s" not in finding["next"]


def test_the_verdict_on_a_screen(shop):
    done = ouro("why", shop.file, shop.later)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0] == "process 4711, python shop.py"
    assert max(len(line) for line in lines if "next:  ouro" not in line) <= WIDTH
    assert any(line.startswith("1. ") for line in lines)


def test_fail_on_is_the_status_for_machines(tmp_path):
    small = heaps.shop(100, size=100_000, rss=100 << 20).write(tmp_path / "a")
    large = heaps.shop(500, size=100_000, rss=140 << 20, time=1_700_000_060).write(tmp_path / "b")
    assert ouro("why", "--fail-on", "refs,growth", small, large).returncode == 3
    assert ouro("why", "--fail-on", "refs,uncollectable", small, large).returncode == 0
    assert ouro("why", "--fail-on", "growth", small, small).returncode == 0
    done = ouro("why", "--json", "--fail-on", "growth", small, large)
    answer = json.loads(done.stdout)
    assert done.returncode == 3 and answer["failed"] is True and answer["seconds"] == 60
    first = answer["findings"][0]
    assert (first["class"], first["holder"]) == ("reachable growth", "module global")


def test_a_file_that_does_not_say_of_which_process(tmp_path):
    file = heaps.shop(pid="", command="").write(tmp_path / "x.snap")
    lines = ouro("why", file).stdout.splitlines()
    assert lines[0] == str(file) and lines[-1].startswith(f"next:  ouro why {file} LATER-FILE ")


@pytest.mark.parametrize("words", ["grow", "growth,", ",", "growth,refs,all", ""])
def test_words_of_fail_on(shop, words):
    assert "uncollectable" in one_line(ouro("why", "--fail-on", words, shop.file), 2)


@pytest.mark.parametrize("options", [["--for", "60s"], ["--keep", "."]])
def test_options_of_a_process_do_not_fit_a_file(shop, options):
    assert "is a file" in one_line(ouro("why", *options, shop.file), 2)


@pytest.mark.parametrize("time", ["x", "0", "-1", "2d", "100000s"])
def test_times_to_watch(time):
    assert "--for" in one_line(ouro("why", "--for", time, "1"), 2)


def test_no_such_process():
    one_line(ouro("why", "--for", "1s", "999999999"), 1)
