# SPDX-License-Identifier: MIT
"""Every request gives the logger a handler of its own, which nobody removes.

class: growth
holder: handler
name: handlers | Handler
bytes: 4.9 MiB ± 20 %
"""

import io
import logging

from corpus import CLEAN, SIZE, moments

log = logging.getLogger("requests")


def serve(number):
    handler = logging.StreamHandler(io.StringIO(f"request {number}\n" * 40))
    log.addHandler(handler)
    if CLEAN:
        log.removeHandler(handler)  # the cure


for turn in moments():
    for number in range(1000 * SIZE):
        serve(number)
