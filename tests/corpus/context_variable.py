# SPDX-License-Identifier: MIT
"""A context variable holds the request; a timer copies the context, and the timer fires tomorrow.

class: growth
holder: task
name: request | TimerHandle
bytes: 3.3 MiB ± 20 %
"""

import asyncio
from contextvars import ContextVar

from corpus import CLEAN, SIZE, moments

request = ContextVar("request")


def expire():
    pass


async def serve(number):
    request.set([f"header {number} {n}" for n in range(15)])
    timer = asyncio.get_running_loop().call_later(86400, expire)
    if CLEAN:
        timer.cancel()  # the cure; or call_later(..., context=an empty one)


async def main():
    for turn in moments():
        for number in range(1200 * SIZE):
            await asyncio.create_task(serve(turn * 1200 * SIZE + number))


asyncio.run(main())
