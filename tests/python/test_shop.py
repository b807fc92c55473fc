# SPDX-License-Identifier: MIT
"""The example shop: the same on Ouro as on stock, and growing for exactly its three reasons."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from interpreter import PYTHON, environment, start

SHOP = Path(__file__).parents[2] / "examples/python/shop/run.py"


def visit(*arguments, requests=800, sales=2000, ouro="1"):
    """Runs the shop to its end. Returns the numbers of its output by the word behind them."""
    plan = [f"--requests={requests}", f"--sales={sales}", "--seconds=100", *arguments]
    done = start([str(SHOP), *plan], ouro=ouro)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    last = re.findall(r"^ *[\d.]+ s  .*$", done.stdout, re.MULTILINE)[-1]
    counts = {word: int(n.replace(",", "")) for n, word in re.findall(r"([\d,]+) ([a-z]+)", last)}
    end = re.search(r"quiet second: (\d+) MB, at the peak (\d+) MB", done.stdout)
    return counts | {"end": int(end[1]), "peak": int(end[2])}


def work(counts):
    return {name: counts[name] for name in ("requests", "orders", "cached", "winners")}


@pytest.fixture(scope="module")
def unrepaired():
    return work(visit())


def test_serves_the_same_on_ouro_as_on_stock(unrepaired):
    assert work(visit(ouro=None)) == unrepaired
    assert unrepaired["requests"] == 802  # and two reports


@pytest.mark.parametrize("reason", ["cache", "cycles", "report"])
def test_a_repair_changes_memory_only(unrepaired, reason):
    assert unrepaired["cached"] > 400
    expected = unrepaired | ({"cached": 200} if reason == "cache" else {})
    assert work(visit("--repair", reason)) == expected


def test_P3_what_the_report_took_goes_back_while_its_survivors_live():
    run = visit(requests=40, sales=1_000_000)
    assert run["winners"] > 1500
    assert run["peak"] > 110
    assert run["end"] < 0.5 * run["peak"]


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_control_c_ends_shop_and_customers():
    shop = subprocess.Popen([PYTHON, SHOP, "--seconds=60"], stdout=subprocess.PIPE, text=True,
                            env=environment("quiet=1,channel=0"), start_new_session=True)
    with shop:
        assert shop.stdout.readline().startswith("shop at http://127.0.0.1:")
        assert "0 requests" in shop.stdout.readline()
        [customers] = children(shop.pid)
        os.killpg(shop.pid, signal.SIGINT)
        assert shop.wait(timeout=20) == 130
    assert not Path("/proc", customers).exists()
