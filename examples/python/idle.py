# SPDX-License-Identifier: MIT
"""A server whose clients wait for the collector, or do not.

    python3 examples/python/idle.py                # CPython's: now and then an answer is very late
    ouro run --pause 1ms examples/python/idle.py   # Ouro's: in slices, most of them when all wait

It keeps visits, some hundred thousand objects; each request adds one and forgets the oldest, which
only the collector can find, as its events refer to each other. A client asks every 2 ms.
"""

import argparse
import asyncio
import collections
import contextlib
import time


class Event:
    def __init__(self, visit, number):
        self.visit, self.data = visit, [number, str(number)]


class Visit:
    def __init__(self, number):
        self.events = [Event(self, number + i) for i in range(20)]  # each knows its visit: a cycle


def idle_collector():
    """Ouro's collector, at work whenever the loop is idle; nothing where it is off."""
    try:
        import ouro

        return ouro.gc.idle()
    except (ImportError, RuntimeError):  # plain python3, or `ouro run` without --pause
        return contextlib.nullcontext()


class Shop(asyncio.Protocol):
    def __init__(self, visits):
        self.visits = visits

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, line):
        self.visits.append(Visit(int(line)))
        self.visits.popleft()
        self.transport.write(line)


async def ask(port, seconds):
    """How long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        asked = time.perf_counter()
        writer.write(b"%d\n" % len(waits))
        await reader.readline()
        waits.append(time.perf_counter() - asked)
        await asyncio.sleep(0.002)
    writer.close()
    await writer.wait_closed()
    return waits


async def main(options):
    visits = collections.deque(Visit(number) for number in range(options.visits))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Shop(visits), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with idle_collector() as at_work:
            waits = sorted(await ask(port, options.seconds))
    middle, most, longest = (1e3 * waits[int(len(waits) * part)] for part in (0.5, 0.99, 0.99999))
    print(f"{len(waits)} answers: half within {middle:.1f} ms, 99 % within {most:.1f} ms,")
    print(f"the longest took {longest:.1f} ms; collected {'in slices' if at_work else 'at once'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=20_000, help="how many are kept")
    parser.add_argument("--seconds", type=float, default=10, help="how long a client asks")
    asyncio.run(main(parser.parse_args()))
