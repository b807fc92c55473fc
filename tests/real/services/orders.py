# SPDX-License-Identifier: MIT
"""A Celery worker with a broker in memory: orders.py TASKS FOLDER [options of `celery worker`].

The worker's process queues the tasks, works until all are done and ends. Results go to files.
Prints how many of each outcome there were and a digest of all. orders.py --rounds TASKS FOLDER: so
many over and over, see rounds.py; results are taken away as they come.
"""

import hashlib
import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path

from celery import Celery
from celery.worker import state
from rounds import Rounds

ROUNDS = sys.argv[1] == "--rounds"
TASKS, FOLDER, *OPTIONS = sys.argv[1 + ROUNDS :]
TASKS, FOLDER = int(TASKS), Path(FOLDER)
KEPT = 8_000  # orders that a worker remembers

app = Celery("orders", broker="memory://", backend=f"file://{FOLDER}")
app.conf.update(worker_prefetch_multiplier=8, worker_hijack_root_logger=False)
app.conf.update(worker_redirect_stdouts=False, broker_connection_retry_on_startup=False)
known = {}


class Order:
    def __init__(self, number, before):
        self.number = number
        self.before = before
        self.lines = []


class Line:
    def __init__(self, order, item, price):
        self.order = order
        self.item = item
        self.price = price


def ordered(number):
    """An order that is part of cycles, as are those it replaces."""
    order = Order(number, None)
    order.lines = [Line(order, f"item {number * i % 1000}", number * i % 77) for i in range(20)]
    return order


@app.task(name="orders.add")
def add(number, words):
    order = ordered(number)
    known[number % KEPT] = order
    if number % 13 == 0:
        raise ValueError(f"order {number} is unlucky")
    total = sum(line.price for line in order.lines)
    return {"order": number, "total": total, "words": sorted(set(words))}


def queue(first=0):
    for number in range(first, first + TASKS):
        words = [f"word {number * i % 31}" for i in range(8)]
        add.apply_async((number, words), task_id=f"order-{number}")


def stop_when_done():
    while sum(1 for _ in os.scandir(FOLDER)) < TASKS:
        time.sleep(0.5)
    state.should_stop = 0


def in_rounds():
    """One round of tasks always waits while another is worked on."""
    rounds, stop = Rounds(FOLDER.parent), False
    for first in itertools.count(0, TASKS):
        stop = stop or rounds.stopped()
        if not stop:
            queue(first + TASKS)
        rounds.done(TASKS, taken(first))
        if stop:
            break
    state.should_stop = 0


def taken(first):
    """The results of a round, which are awaited and removed."""
    found = []
    for number in range(first, first + TASKS):
        while (result := read(number)) is None:
            time.sleep(0.2)
        path(number).unlink()
        found.append([result["status"], result["result"]])
    return json.dumps(found, sort_keys=True).encode()


def path(number):
    return FOLDER / f"celery-task-meta-order-{number}"


def read(number):
    """None: it is not there, or not all of it."""
    try:
        return json.loads(path(number).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def outcomes():
    found, digest = {}, hashlib.sha256()
    for number in range(TASKS):
        result = read(number)
        found[result["status"]] = found.get(result["status"], 0) + 1
        digest.update(json.dumps([result["status"], result["result"]], sort_keys=True).encode())
    counts = ", ".join(f"{found[status]} {status.lower()}" for status in sorted(found))
    return f"{counts}, {digest.hexdigest()[:16]}"


if __name__ == "__main__":
    FOLDER.mkdir()
    queue()
    threading.Thread(target=in_rounds if ROUNDS else stop_when_done, daemon=True).start()
    options = ["--loglevel=CRITICAL"]
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    try:
        app.worker_main(["worker", *options, *OPTIONS])
    except SystemExit as end:
        if end.code:
            raise
    if not ROUNDS:
        print(outcomes())
