# SPDX-License-Identifier: MIT
"""Notes what a program took, from inside: memory when it ends and a quiet second later, CPU, and
each pause of the garbage collector.

run.py puts this into the environment's site-packages as `real_probe`, with a .pth line that imports
it where REAL_PROBE=FOLDER:PID is set; it does nothing but in the direct child of process PID.

Pauses are measured alike on stock and on Ouro: by functions at both ends of gc.callbacks, and where
Ouro collects until it says that the pause is over, as slices come behind the callbacks; in CPU time
of the thread, so that other programs on the machine are not part of it.
"""

import array
import atexit
import gc
import json
import math
import os
import resource
import sys
import time

KINDS = ("young", "slice", "full", "pause")
NOT_A_PAUSE = 100e-6  # full and shorter: Ouro's news of a finished cycle
LIMITS = (1, 1.5, 2, 5, 10, 20, 50, 100, 200, 500)  # ms; how many were longer is of interest


class Times:
    """Seconds, to the hundredth part, in a room that does not grow with the hours."""

    SHORTEST, STEP, ROOM = 1e-7, math.log(1.01), 2400  # up to 2,000 s

    def __init__(self):
        self.counts = array.array("Q", bytes(8 * self.ROOM))
        self.number, self.total, self.longest = 0, 0.0, 0.0

    def append(self, seconds):
        at = int(math.log(max(seconds / self.SHORTEST, 1)) / self.STEP)
        self.counts[min(at, self.ROOM - 1)] += 1
        self.number += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def quantile(self, share):
        rest = int(self.number * share)
        for at, count in enumerate(self.counts):
            rest -= count
            if rest < 0:
                return min(self.SHORTEST * math.exp((at + 0.5) * self.STEP), self.longest)
        return self.longest

    def longer(self, seconds):
        at = int(math.log(seconds / self.SHORTEST) / self.STEP)
        return sum(self.counts[at + 1 :])

    def summary(self):
        at = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
        found = {name: self.quantile(share) for name, share in at.items()}
        found["longer"] = {limit: self.longer(limit / 1e3) for limit in LIMITS}
        return {"number": self.number, "total": self.total, "longest": self.longest, **found}


class Pauses:
    """Seconds, by kind: young collections; slices alone, which come behind one; full collections; and
    all these as the program is stopped by them."""

    def __init__(self):
        self.seconds = {kind: Times() for kind in KINDS}
        self.began = {}
        self.young_until = 0.0
        self.listens = False  # Ouro says when a pause is over
        self.young_began = None  # of a young collection that Ouro has not told of yet

    def first(self, phase, info):
        if phase == "stop" and info["generation"] < 2:
            self.young_until = time.thread_time()

    def last(self, phase, info):
        now, generation = time.thread_time(), info["generation"]
        if phase == "start":
            self.began[generation] = time.thread_time()
        elif generation in self.began:
            self.note(generation, self.began.pop(generation), now)

    def note(self, generation, began, now):
        if generation < 2:
            self.seconds["young"].append(self.young_until - began)
        elif now - began > NOT_A_PAUSE:
            self.seconds["full"].append(now - began)
        if generation < 2 and self.listens:
            self.young_began = began
        elif generation < 2 or now - began > NOT_A_PAUSE:
            self.seconds["pause"].append(now - began)

    def hear(self, pause):
        if self.young_began is None:  # a step, gc.collect()
            return
        now = time.thread_time()
        if pause.kind == "slice":
            self.seconds["slice"].append(now - self.young_until)
        self.seconds["pause"].append(now - self.young_began)
        self.young_began = None

    def summary(self):
        return {kind: times.summary() for kind, times in self.seconds.items()}


def watch():
    """Begins to note pauses."""
    pauses = Pauses()
    ouro = sys.modules.get("ouro")
    if ouro and collects(ouro):
        pauses.listens = True
        ouro.gc.on_pause(pauses.hear)
    gc.callbacks.insert(0, pauses.first)
    gc.callbacks.append(pauses.last)
    return pauses


def collects(ouro):
    return bool(ouro.gc.stats()["on"])


def resident_kib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def note(path, pid, pauses):
    """At exit, or in a process without that, whenever it asks."""
    if os.getpid() != pid:  # a forked child
        return
    ouro = sys.modules.get("ouro")
    notes = {
        "at_end": resident_kib(),
        "user": resource.getrusage(resource.RUSAGE_SELF).ru_utime,
        "pauses": pauses.summary(),
        "collector": ouro.gc.stats() if ouro and collects(ouro) else None,
        "peak": peak_kib(),
    }
    time.sleep(1)
    with open(path, "w") as file:
        json.dump({**notes, "after": resident_kib()}, file)


_folder, _, _parent = os.environ["REAL_PROBE"].rpartition(":")
if os.getppid() == int(_parent):
    atexit.register(note, os.path.join(_folder, "notes.json"), os.getpid(), watch())
