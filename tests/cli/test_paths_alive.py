# SPDX-License-Identifier: MIT
"""Paths of a snapshot, gone along in the program that it is of. SEMANTICS M4."""

import json
import textwrap

import pytest
from programs import OURO, ouro

ALIVE = """
    import collections, gc, json, random, subprocess, sys
    import ouro

    class Box: pass
    class Slots: __slots__ = ("left", "right")

    def closure(held): return lambda: held

    MAKERS = [
        lambda held: list(held),
        lambda held: tuple(held),
        lambda held: {f"key {n}": one for n, one in enumerate(held)},
        lambda held: dict(enumerate(held)),
        lambda held: vars(box := Box()).update({f"field{n}": one for n, one in enumerate(held)}) or box,
        lambda held: setattr(box := Slots(), "left", held) or box,
        lambda held: closure(held[0] if held else None),
        lambda held: collections.OrderedDict((str(n), one) for n, one in enumerate(held)),
        lambda held: collections.deque(held),
        lambda held: frozenset(map(id, held)),
    ]

    def grow(depth):
        held = [grow(depth - 1) for _ in range(chance.randrange(1, 5))] if depth else []
        made.append(chance.choice(MAKERS)(held))
        return made[-1]

    def held_by(grey):
        found = {}
        while grey:
            one = grey.pop()
            if id(one) not in found:
                found[id(one)] = one
                grey += gc.get_referents(one)
        return found

    def is_so(holder, step, held):
        '''Where the label is code, what that code says; else that the reference is there.'''
        if step["label_kind"] in ("attribute", "index", "value"):
            return eval("holder" + step["label"], {"holder": holder}) is held
        return any(one is held for one in gc.get_referents(holder))

    chance, made = random.Random(int(sys.argv[3])), []
    heap = [grow(4) for _ in range(40)]
    for one in made:  # rings, and more ways than one
        if type(one) is list: one.append(chance.choice(made))
    candidates = {id(one) for one in made}
    del made, one
    targets = chance.sample(sorted(candidates & held_by([heap]).keys()), 25)
    ouro.snapshot(sys.argv[1])
    found = held_by(gc.get_objects())
    checked, wrong = 0, []
    for target in targets:
        asked = [sys.argv[2], "path", "--json", sys.argv[1], hex(target)]
        told = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
        for path in told["paths"]:
            steps = path["steps"]
            if steps[-1]["address"] != target: wrong.append(path)
            if path["root"]["kind"] == "module" and found[steps[0]["address"]] is not \\
                    sys.modules[path["root"]["name"]]: wrong.append(path)
            for before, step in zip(steps, steps[1:]):
                if before["address"] not in found: continue  # a call in progress is no object
                checked += 1
                if not is_so(found[before["address"]], step, found[step["address"]]):
                    wrong.append((before, step))
    print(json.dumps({"checked": checked, "wrong": wrong}))
"""


@pytest.mark.parametrize("seed", range(3))
def test_m4_each_step_of_a_path_is_there_under_its_name(seed, tmp_path):
    # GIVEN a random heap WHEN paths to 25 of its objects are asked of a snapshot of it
    # THEN each reference on them is in the heap, where the label says
    program = tmp_path / "alive.py"
    program.write_text(textwrap.dedent(ALIVE))
    done = ouro("run", "--quiet", program, tmp_path / "a.snap", OURO, seed)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["wrong"] == [] and told["checked"] > 100
