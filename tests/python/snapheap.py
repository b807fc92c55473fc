# SPDX-License-Identifier: MIT
"""What CPython's heap looks like in a snapshot: runs a snippet that takes one, reads it back."""

import collections
import functools
import json
import pathlib
import subprocess
import tempfile

from interpreter import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACKED, IMMORTAL, STATIC, PSEUDO, FINALIZED, UNCOLLECTABLE = 4, 8, 16, 32, 64, 128

PRELUDE = """
import gc, json, os, sys
from ouro import _ouro
def ids(**things):
    return {name: id(thing) for name, thing in things.items()}
def snap(named={}, tells=0):
    file = os.open(os.environ["OURO_TEST_SNAP"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    _ouro._snapshot_in_place(file, tells)
    os.close(file)
    print(json.dumps(named), flush=True)
"""

_folder = tempfile.TemporaryDirectory(prefix="ouro-show-")

Edge = collections.namedtuple("Edge", "target kind label")


@functools.cache
def shower():
    """The program that prints a snapshot as JSON, built once; in a folder that ends with tests."""
    folder = pathlib.Path(_folder.name)
    sources = [
        ROOT / "tests/snapshot/show.c",
        *(ROOT / "src/snapshot").glob("*.c"),
        ROOT / "src/os/os_linux.c",
    ]
    folders = [f"-I{ROOT / name}" for name in ("src", "include")]
    command = ["cc", "-std=c11", "-O2", "-D_GNU_SOURCE", *folders, *sources, "-lm"]
    subprocess.run([*command, "-o", folder / "show"], check=True)
    return folder / "show"


class Heap:
    """Objects by address, types by number, roots, facts."""

    def __init__(self, path):
        self.facts, self.types, self.roots, self.objects = {}, {}, [], {}
        lines = subprocess.run([shower(), path], capture_output=True, check=True).stdout
        for line in lines.decode(errors="replace").split("\n")[:-1]:
            self._take(json.loads(line))

    def _take(self, row):
        if "complete" in row:
            self.complete = row["complete"]
        elif "fact" in row:
            self.facts[row["fact"]] = row["value"]
        elif "kind" in row:
            self.types[row["type"]] = row
        elif "root" in row:
            self.roots.append(row)
        else:
            row["edges"] = [Edge(*edge) for edge in row["edges"]]
            if row["more"]:
                self.objects[row["at"]]["edges"] += row["edges"]
            else:
                assert row["at"] not in self.objects, row
                self.objects[row["at"]] = row

    def type_of(self, address):
        return self.types[self.objects[address]["type"]]["name"]

    def kind_of(self, address):
        return self.types[self.objects[address]["type"]]["kind"]

    def named(self, address):
        """What the object's references are called, and where they lead."""
        names = {}
        for target, kind, label in self.objects[address]["edges"]:
            if kind == "value":
                key = self.objects[label]
                label = key.get("str", key.get("int"))
            names.setdefault((kind, label), target)
        return names

    def of_type(self, name):
        ids = {number for number, row in self.types.items() if row["name"] == name}
        return [o for o in self.objects.values() if o["type"] in ids]

    @functools.cached_property
    def found(self):
        """References found, by target."""
        count = collections.Counter(
            edge.target for o in self.objects.values() for edge in o["edges"]
        )
        for root in self.roots:
            if root["root"] in ("thread", "interpreter"):
                count[root["target"]] += 1
        return count

    def unexplained(self, address):
        """Counted, but not found; less than 0: the other way round."""
        o = self.objects[address]
        return 0 if o["flags"] & (IMMORTAL | PSEUDO) else o["count"] - self.found[address]

    def overexplained(self):
        return [(self.type_of(at), o) for at, o in self.objects.items() if self.unexplained(at) < 0]


def heap(code, path, **settings):
    """The heap that the snippet took a snapshot of, and the ids that it printed."""
    printed = run(PRELUDE + code, OURO_TEST_SNAP=str(path), **settings)
    return Heap(path), json.loads(printed.splitlines()[-1])
