# SPDX-License-Identifier: MIT
"""A worker thread that never ends keeps something of every job in a threading.local.

class: growth
holder: thread
name: history
bytes: 3.3 MiB ± 20 %
"""

import queue
import threading

from corpus import CLEAN, SIZE, moments

mine = threading.local()
jobs = queue.Queue()


def work():
    while (number := jobs.get()) is not None:
        if CLEAN or not hasattr(mine, "history"):
            mine.history = []  # the cure: each job begins with an empty one
        mine.history.append([f"step {number} {n}" for n in range(5)])
        jobs.task_done()


worker = threading.Thread(target=work, daemon=True)
worker.start()
for turn in moments():
    for number in range(4000 * SIZE):
        jobs.put(turn * 4000 * SIZE + number)
    jobs.join()
jobs.put(None)
