# SPDX-License-Identifier: MIT
"""tests/real/soak.py, with programs of a moment. It runs in a process of its own: some of its modules
are called like those of these tests."""

import json
import pathlib
import subprocess
import textwrap

import pytest
from programs import OURO, PYTHON, environment

REAL = pathlib.Path(__file__).resolve().parents[1] / "real"

# At least one round, however soon it is told to stop.
WORK = """
import sys
sys.path[:0] = ["{real}", "{real}/services"]
import gc, os, probe, time
from rounds import Rounds
rounds, on_ouro = Rounds(sys.argv[1]), "ouro" in sys.modules
while not rounds.work or not rounds.stopped():
    ring = [rounds.work]
    ring.append(ring)
    gc.collect()
    {also}
    rounds.done(10, b"%d" % ring[0])
    time.sleep(0.01)
"""


def python(code, *arguments):
    """What the code prints, which may import soak.py's modules."""
    done = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=environment(PYTHONPATH=REAL),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def soaked(tmp_path):
    def soaked(also="pass"):
        """A pair at work until each side has done something; the result, and its lines."""
        (tmp_path / "work.py").write_text(WORK.format(real=REAL, also=also))
        code = """
            import json, pathlib, sys, types
            import growth, long, soak
            tmp, ouro = pathlib.Path(sys.argv[1]), sys.argv[2]
            program = long.program("small", "small: work", "pieces", [], [str(tmp / "work.py"), "{out}"])
            place = types.SimpleNamespace(
                version="0", stock=[sys.executable], ouro=[ouro, "run", "--quiet", "--pause", "1ms"])
            pair = soak.Pair(program, place, tmp, tmp / "sides", None)
            soak.at_work([pair], 0, 0.05)
            result = pair.result()
            print(json.dumps([result, growth.line(result)]))
        """
        return json.loads(python(code, tmp_path, OURO))

    return soaked


def test_both_sides_work_and_end(soaked):
    result, line = soaked()
    assert result["differences"] == []
    assert result["notes"]["stock"]["collector"] is None
    assert result["notes"]["ouro"]["collector"]["on"]
    for notes in result["notes"].values():
        assert notes["pauses"]["full"]["number"] + notes["pauses"]["pause"]["number"] > 0
    assert "small: work, on 0" in line


def test_another_result_is_a_difference(soaked):
    result, _ = soaked("ring[0] += on_ouro")
    assert result["differences"][0].startswith("after 10: stock ")


@pytest.mark.parametrize("end, status", [("os.abort()", -6), ("sys.exit(3)", 3)])
def test_a_side_that_ends_badly_is_a_difference(soaked, end, status):
    result, line = soaked(f"on_ouro and {end}")
    assert [found.split(":")[0] for found in result["differences"]] == [f"ouro ended with {status}"]
    assert "no round on both" in line


def test_time_in_which_a_side_was_stopped_is_counted_apart(tmp_path):
    (tmp_path / "work.py").write_text(WORK.format(real=REAL, also="pass"))
    code = """
        import os, pathlib, signal, sys, time
        import long
        from side import Side
        tmp = pathlib.Path(sys.argv[1])
        program = long.program("small", "small", "pieces", [], [str(tmp / "work.py"), "{out}"])
        side = Side(program, [sys.executable], tmp, tmp / "side", None)
        while not side.work():
            time.sleep(0.01)
        side.look()
        os.killpg(side.process.pid, signal.SIGSTOP)
        while not side.is_stopped():
            time.sleep(0.01)
        ran = side.ran
        side.looked = time.monotonic()
        time.sleep(0.1)
        side.look(), side.sample()
        assert side.ran == ran and side.stopped >= 0.1 and not side.samples
        os.killpg(side.process.pid, signal.SIGCONT)
        while side.is_stopped():
            time.sleep(0.01)
        side.look(), side.sample(), side.finish()
        assert side.ran > ran and side.samples[0].work >= 10
        while side.look():
            time.sleep(0.01)
        assert side.status == 0 and side.notes()["pauses"]
    """
    python(code, tmp_path)


def test_sides_are_compared_at_equal_work():
    """The faster side holds more because it did more; after the same work it holds as much."""
    code = """
        import growth, json
        def samples(rate, leak):
            done = [rate * t for t in range(81)]  # its first half fills a cache
            return [dict(ran=t, stopped=0.0, work=work, resident=1000 + leak * work + 10 * min(work, 40),
                         peak=2000 + work, user=t / 2) for t, work in enumerate(done)]
        found = growth.memory({"samples": {"stock": samples(1, 3), "ouro": samples(2, 3)}})
        print(json.dumps([found, growth.memory(
            {"samples": {"stock": samples(1, 0), "ouro": samples(1, 5)}})]))
    """
    same, leaks = json.loads(python(code))
    mb = 1024 / 1e6
    assert same["work"] == 80
    assert same["stock"]["user"] == 40 and same["ouro"]["user"] == 20
    for size, kib in (("late", 1610), ("grown", 120), ("peak", 2080)):
        for side in ("stock", "ouro"):
            assert same[side][size] == pytest.approx(kib * mb), size
    assert leaks["stock"]["grown"] == 0 and leaks["ouro"]["grown"] == pytest.approx(200 * mb)


def test_quantiles_of_pauses_are_kept_in_a_fixed_room():
    code = """
        import os
        os.environ["REAL_PROBE"] = ":0"
        import probe
        times = probe.Times()
        for ms in range(1, 1001):
            times.append(ms / 1e3)
        found = times.summary()
        assert found["number"] == 1000 and found["longest"] == 1.0
        assert abs(found["total"] - 500.5) < 1e-6
        for name, right in (("p50", 0.501), ("p99", 0.991)):
            assert abs(found[name] / right - 1) < 0.01, (name, found)
        longer = found["longer"]
        assert abs(longer[100] - 900) <= 2 and longer[500] < longer[200] < longer[2] <= 999
        times.append(0.0), times.append(1e9)
        assert times.number == 1002 and times.longest == 1e9
    """
    python(code)
