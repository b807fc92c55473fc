# SPDX-License-Identifier: MIT
"""Load for shop.py: load.py PORT REQUESTS. Prints how many answers there were and their digest, and
on standard error how long they took."""

import asyncio
import hashlib
import json
import random
import sys
import time

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


async def client(port, number, requests, times):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    digest, choice = hashlib.sha256(), random.Random(number)
    for i in range(requests):
        writer.write(request(number, i, choice).replace(b"127.0.0.1", b"127.0.0.1:%d" % port))
        began = time.perf_counter()
        digest.update(await answer(reader))
        times.append(time.perf_counter() - began)
    writer.close()
    return digest.hexdigest()


async def main(port, requests):
    times = []
    each = [client(port, number, requests // CLIENTS, times) for number in range(CLIENTS)]
    digests = await asyncio.gather(*each)
    print(len(times), "answers", hashlib.sha256("".join(digests).encode()).hexdigest()[:16])
    times.sort()
    shown = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99, 0.999))
    print("ms: %.1f %.1f %.1f" % tuple(shown), "longest %.1f" % (times[-1] * 1e3), file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
