# SPDX-License-Identifier: MIT
"""Tasks wait for an answer that never comes, each with all that its coroutine knows.

class: growth
holder: task
name: ask | waiting
bytes: 6.0 MiB ± 20 %
"""

import asyncio

from corpus import CLEAN, SIZE, moments

waiting = set()


async def ask(number):
    question = [f"question {number} {n}" for n in range(15)]
    answer = asyncio.get_running_loop().create_future()
    try:
        await asyncio.wait_for(answer, 0 if CLEAN else None)  # the cure: a time limit
    except asyncio.TimeoutError:
        pass
    return question


async def main():
    for turn in moments():
        for number in range(1200 * SIZE):
            task = asyncio.create_task(ask(turn * 1200 * SIZE + number))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)


asyncio.run(main())
