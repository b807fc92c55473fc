# SPDX-License-Identifier: MIT
"""Load for shop.py: load.py PORT REQUESTS. Prints how many answers there were and their digest, and
on standard error how long they took. load.py PORT REQUESTS FOLDER: so many over and over, see
rounds.py."""

import array
import asyncio
import hashlib
import json
import random
import sys
import time

from rounds import Rounds

CLIENTS = 16
PRODUCTS = 120_000


def request(client, number, choice):
    """Bytes to send. A session gets some eight requests."""
    product, session = choice.randrange(PRODUCTS), f"s{number // 8}"
    kind = choice.choices(("show", "buy", "fail", "ask"), (60, 30, 5, 5))[0]
    body = ""
    if kind == "buy":
        body = json.dumps({"products": [choice.randrange(PRODUCTS) for _ in range(3)]})
    line = f"{'POST' if kind == 'buy' else 'GET'} /{kind}/c{client}/{session}/{product} HTTP/1.1"
    size = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{line}\r\nHost: 127.0.0.1\r\n{size}\r\n\r\n{body}".encode()


async def answer(reader):
    """Status line and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    size = next(f for f in fields if f.lower().startswith("content-length:"))
    return status.encode() + await reader.readexactly(int(size.partition(":")[2]))


class Client:
    """One connection, and what is asked over it."""

    def __init__(self, port, number):
        self.port, self.choice, self.asked = port, random.Random(number), 0

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, requests, number, times):
        digest, host = hashlib.sha256(), b"127.0.0.1:%d" % self.port
        for _ in range(requests):
            asked = request(number, self.asked, self.choice)
            self.asked += 1
            self.writer.write(asked.replace(b"127.0.0.1", host))
            began = time.perf_counter()
            digest.update(await answer(self.reader))
            times.append(time.perf_counter() - began)
        return digest.hexdigest()


async def ask(clients, requests, times):
    """All that they are answered, in short."""
    each = [c.ask(requests // CLIENTS, number, times) for number, c in enumerate(clients)]
    return "".join(await asyncio.gather(*each)).encode()


async def main(port, requests, folder):
    times = array.array("d")
    clients = [Client(port, number) for number in range(CLIENTS)]
    await asyncio.gather(*(client.connect() for client in clients))
    if folder:
        rounds = Rounds(folder)
        while not rounds.stopped():
            rounds.done(requests // CLIENTS * CLIENTS, await ask(clients, requests, times))
    else:
        digest = hashlib.sha256(await ask(clients, requests, times))
        print(len(times), "answers", digest.hexdigest()[:16])
    for client in clients:
        client.writer.close()
    times = sorted(times)
    shown = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99, 0.999))
    print("ms: %.1f %.1f %.1f" % tuple(shown), "longest %.1f" % (times[-1] * 1e3), file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), "".join(sys.argv[3:])))
