# SPDX-License-Identifier: MIT
"""Sub-interpreters: with the main interpreter's GIL, and from 3.12 on with one of their own."""

import pytest
from interpreter import VERSION, run

# create(isolated) and execute(id, code) under one name for 3.10 to 3.15
INTERPRETERS = """
import sys, threading, time
import ouro
from ouro import _ouro
if sys.version_info >= (3, 13):
    import _interpreters
    def create(isolated): return _interpreters.create("isolated" if isolated else "legacy")
    def execute(id, code):
        error = _interpreters.exec(id, code)
        assert error is None, error
    destroy = _interpreters.destroy
else:
    import _xxsubinterpreters
    def create(isolated): return _xxsubinterpreters.create(isolated=isolated)
    execute, destroy = _xxsubinterpreters.run_string, _xxsubinterpreters.destroy
"""

WORK = '''
WORK = """if True:
    import collections
    data = {}
    for turn in range(60):
        data = {str(i): [i, float(i), 'x' * (i % 700)] for i in range(1_000)}
        assert all(data[key][0] == int(key) for key in data)
"""
'''


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("ouro", ["1", "limit=2000000000", "hardened=1"])
def test_interpreters_come_and_go(isolated, ouro):
    # GIVEN interpreters of either kind WHEN they run one after the other THEN the heap stays sound
    out = run(INTERPRETERS + WORK + f"""
for _ in range(4):
    id = create({isolated})
    execute(id, WORK)
    execute(id, "import ouro; assert ouro.memory()['heap'] > 0; ouro.install()")
    destroy(id)
exec(WORK)
print(_ouro._check())
""", ouro=ouro)
    assert out == "None\n"


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("ouro", ["1", "hardened=1"])
def test_interpreters_run_in_parallel(isolated, ouro):
    # GIVEN three threads with an interpreter each WHEN they and the main one work at the same
    # time, and new ones come up meanwhile THEN nothing is lost
    out = run(INTERPRETERS + WORK + f"""
def live():
    for _ in range(2):
        id = create({isolated})
        execute(id, WORK)
        destroy(id)
threads = [threading.Thread(target=live) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(3): exec(WORK)
for thread in threads: thread.join()
print(_ouro._check())
""", ouro=ouro)
    assert out == "None\n"


@pytest.mark.skipif(VERSION < (3, 12), reason="one GIL, one heap")
def test_other_gils_keep_their_own_pools():
    # GIVEN an interpreter with a GIL of its own WHEN it makes objects THEN they are not in
    # Ouro's heap, and it may not give Ouro's memory back
    out = run(INTERPRETERS + """
id = create(True)
before = ouro.memory()["memo.heap.live_blocks"]
execute(id, "kept = [str(i) for i in range(100_000)]")
print(ouro.memory()["memo.heap.live_blocks"] - before < 1_000)
try: execute(id, "import ouro; ouro.give_back()")
except Exception as error: print(error)
destroy(id)
""")
    assert out.startswith("True\n") and "main interpreter" in out


@pytest.mark.skipif(VERSION < (3, 12), reason="one GIL, one heap")
def test_not_while_other_interpreters_exist():
    out = run(INTERPRETERS + """
id = create(False)
try: ouro.install(channel=False)
except RuntimeError as error: print(error)
destroy(id)
ouro.install(channel=False)
print(ouro.installed())
""", ouro=None)
    first, second = out.splitlines()
    assert "other interpreters exist" in first and second == "True"
