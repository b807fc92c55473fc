# SPDX-License-Identifier: MIT
"""No leak: dead cycles are old, and the collector looks at old objects only when they are a quarter more.

class: late
name: Job
bytes: 4.1 MiB ± 40 %
"""

import gc

from corpus import CLEAN, SIZE, moments


class Job:
    def __init__(self, number):
        self.steps = [f"step {number} {n}" for n in range(10)]
        self.me = self


library = [[n] for n in range(120_000 * SIZE)]  # lives as long as the program
gc.collect()
for turn in moments():
    jobs = [Job(number) for number in range(2500 * SIZE)]
    gc.collect(1)  # as many young collections would: what lives is old now
    if CLEAN:
        for job in jobs:
            job.me = None  # the cure: no cycle, no collector needed
    jobs = job = None
