# SPDX-License-Identifier: MIT
"""A Celery worker with a broker in memory: orders.py TASKS FOLDER [options of `celery worker`].

The worker's process queues the tasks, works until all are done and ends. Results go to files.
Prints how many of each outcome there were and a digest of all.
"""

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path

from celery import Celery
from celery.worker import state

TASKS, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
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


def queue():
    for number in range(TASKS):
        words = [f"word {number * i % 31}" for i in range(8)]
        add.apply_async((number, words), task_id=f"order-{number}")


def stop_when_done():
    while sum(1 for _ in os.scandir(FOLDER)) < TASKS:
        time.sleep(0.5)
    state.should_stop = 0


def outcomes():
    found, digest = {}, hashlib.sha256()
    for number in range(TASKS):
        result = json.loads((FOLDER / f"celery-task-meta-order-{number}").read_bytes())
        found[result["status"]] = found.get(result["status"], 0) + 1
        digest.update(json.dumps([result["status"], result["result"]], sort_keys=True).encode())
    counts = ", ".join(f"{found[status]} {status.lower()}" for status in sorted(found))
    return f"{counts}, {digest.hexdigest()[:16]}"


if __name__ == "__main__":
    FOLDER.mkdir()
    queue()
    threading.Thread(target=stop_when_done, daemon=True).start()
    options = ["--loglevel=CRITICAL"]
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    try:
        app.worker_main(["worker", *options, *sys.argv[3:]])
    except SystemExit as end:
        if end.code:
            raise
    print(outcomes())
