# SPDX-License-Identifier: MIT
"""The load: customers who search, look and buy. A process of its own, so that the shop's memory is
the shop's. Usage: customers.py PORT SECONDS REQUESTS; prints one line of JSON."""

import http.client
import json
import random
import sys
import threading
import time

from goods import COLOURS, MATERIALS, THINGS

WORDS = (COLOURS, MATERIALS, THINGS)
CUSTOMERS = 4
REPORTS_AT = (0.3, 0.6)  # shares of the run after which somebody asks for the report


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [0.0]
    return round(ordered[int(share * (len(ordered) - 1))], 2)


class Load:
    def __init__(self, port: int, seconds: float, requests: int) -> None:
        self.port, self.seconds, self.requests = port, seconds, requests
        self.start = time.monotonic()
        self.millis: list[float] = []
        self.bad: list[str] = []

    def progress(self, pages: int) -> float:
        """How much of the run is over for a customer who has seen so many pages."""
        by_count = pages * CUSTOMERS / self.requests if self.requests else 0
        return max(by_count, (time.monotonic() - self.start) / self.seconds)

    def customer(self, number: int) -> None:
        """One connection. The same number takes the same walk through the shop in every run."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        walk, pages = random.Random(number), 0
        reports = list(REPORTS_AT) if number == 0 else []
        while (progress := self.progress(pages)) < 1:
            if reports and progress >= reports[0]:
                reports.pop(0)
                self.ask(connection, "/report")
            self.ask(connection, self.next_page(walk))
            pages += 1
        connection.close()

    @staticmethod
    def next_page(walk: random.Random) -> str:
        dice = walk.random()
        if dice < 0.65:
            words = "+".join(walk.choice(kind) for kind in walk.sample(WORDS, walk.randint(1, 2)))
            session = walk.getrandbits(48)
            return f"/search?q={words}&page={walk.randint(0, 2)}&session={session:012x}"
        if dice < 0.75:
            return f"/product?id={walk.randint(1, 1200)}"
        products = ",".join(str(walk.randint(1, 1200)) for _ in range(8))
        return f"/order?customer={walk.randrange(100_000)}&products={products}"

    def ask(self, connection: http.client.HTTPConnection, page: str) -> None:
        before = time.perf_counter()
        try:
            connection.request("GET", page)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self.bad.append(f"{page}: {error}")
            connection.close()
            return
        self.millis.append((time.perf_counter() - before) * 1000)
        if response.status not in (200, 402):
            self.bad.append(f"{page}: {response.status}")

    def run(self) -> dict:
        threads = [threading.Thread(target=self.customer, args=(n,)) for n in range(CUSTOMERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        p50, p99 = (percentile(self.millis, share) for share in (0.5, 0.99))
        return {"requests": len(self.millis), "bad": self.bad[:3], "p50": p50, "p99": p99}


if __name__ == "__main__":
    try:
        print(json.dumps(Load(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])).run()))
    except KeyboardInterrupt:
        sys.exit(130)
