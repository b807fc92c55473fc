# SPDX-License-Identifier: MIT
"""The shop over HTTP: GET /search /product /order /report. One thread per connection."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from goods import Catalogue, Ledger, Order, PageCache, PaymentDeclined


class Shop(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, sales: int, repaired: set[str]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.catalogue = Catalogue()
        self.cache = PageCache(limit=200 if "cache" in repaired else None)
        self.ledger = Ledger(sales, streaming="report" in repaired)
        self.weak_orders = "cycles" in repaired
        self.orders = self.requests = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Shop

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        page = {
            "/search": self.search,
            "/product": self.product,
            "/order": self.order,
            "/report": self.report,
        }.get(url.path)
        status, answer = page(query) if page else (404, {"error": "no such page"})
        self.server.requests += 1
        self.reply(status, answer)

    def search(self, query: dict) -> tuple[int, list]:
        catalogue = self.server.catalogue

        def make() -> list[dict]:
            return catalogue.search(query.get("q", ""), int(query.get("page", 0)))

        return 200, self.server.cache.get(self.path, make)

    def product(self, query: dict) -> tuple[int, dict]:
        return 200, self.server.catalogue.product(int(query["id"]))

    def order(self, query: dict) -> tuple[int, dict]:
        order = Order(int(query["customer"]), weak=self.server.weak_orders)
        for id in query["products"].split(","):
            order.add(self.server.catalogue.product(int(id)), pieces=1 + int(id) % 3)
        self.server.orders += 1
        try:
            return 200, {"paid": order.pay() / 100}
        except PaymentDeclined as declined:
            # Kept whole, an exception holds its traceback, that the frame, and the frame the order.
            order.problem = str(declined) if self.server.weak_orders else declined
            return 402, {"error": str(declined)}

    def report(self, query: dict) -> tuple[int, dict]:
        return 200, self.server.ledger.report()

    def reply(self, status: int, answer) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args) -> None:
        """Silent: the progress lines say enough."""
