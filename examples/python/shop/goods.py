# SPDX-License-Identifier: MIT
"""What the shop sells and remembers. Three classes in here make it grow; README.md says how."""

import random
import sqlite3
import threading
import weakref
from collections import OrderedDict

COLOURS = "red green blue white black yellow grey brown pink orange".split()
MATERIALS = "oak pine steel glass wool linen cork leather paper clay".split()
THINGS = "chair table lamp shelf rug vase clock bench stool mirror desk bowl".split()


class Catalogue:
    """The products, in a database that lives in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("create table product (id integer primary key, name text, cents integer)")
        names = [f"{c} {m} {t}" for c in COLOURS for m in MATERIALS for t in THINGS]
        prices = random.Random(1)
        rows = [(name, prices.randrange(500, 90_000)) for name in names]
        self._db.executemany("insert into product (name, cents) values (?, ?)", rows)
        self.size = len(rows)

    def search(self, words: str, page: int) -> list[dict]:
        """One page of ten products whose names contain all words."""
        wanted = words.split()
        where = " and ".join(["name like ?"] * len(wanted)) or "1"
        values = [f"%{word}%" for word in wanted] + [page * 10]
        query = f"select id, name, cents from product where {where} order by cents"
        with self._lock:
            rows = self._db.execute(f"{query} limit 10 offset ?", values).fetchall()
        return [{"id": id, "name": name, "price": cents / 100} for id, name, cents in rows]

    def product(self, id: int) -> dict:
        with self._lock:
            row = self._db.execute("select name, cents from product where id = ?", (id,)).fetchone()
        return {"id": id, "name": row[0], "price": row[1] / 100}


class PageCache:
    """Search results by request. A customer's session is part of the request, so nearly every key
    is new, and without a `limit` no page is ever dropped: growth number one."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.pages: OrderedDict[str, list[dict]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, request: str, make) -> list[dict]:
        page = self.pages.get(request)
        if page is None:
            page = make()
            with self._lock:
                self.pages[request] = page
                while self.limit and len(self.pages) > self.limit:
                    self.pages.popitem(last=False)
        return page


class PaymentDeclined(Exception):
    pass


class Line:
    def __init__(self, order, product: dict, pieces: int) -> None:
        self.order = order
        self.product = product
        self.pieces = pieces
        self.history = [f"{pieces} x {product['name']} put into the basket"]

    def cents(self) -> int:
        return round(self.product["price"] * 100) * self.pieces


class Order:
    """An order knows its lines and each line knows its order: a reference cycle, so a finished
    order waits for the collector: growth number two. With `weak`, lines do not hold it."""

    def __init__(self, customer: int, weak: bool = False) -> None:
        self.customer = customer
        self.owner = weakref.proxy(self) if weak else self
        self.lines: list[Line] = []
        self.problem: str | Exception | None = None

    def add(self, product: dict, pieces: int) -> None:
        self.lines.append(Line(self.owner, product, pieces))

    def pay(self) -> int:
        """The sum in cents. A customer whose number ends in 7 has no money."""
        cents = sum(line.cents() for line in self.lines)
        if self.customer % 10 == 7:
            raise PaymentDeclined(f"customer {self.customer} cannot pay {cents / 100:.2f}")
        return cents


class Ledger:
    """The day's sales. The raffle keeps a few of the report's million lines, strewn over all the
    memory the report used, which an allocator then cannot give back: growth number three."""

    def __init__(self, sales: int, streaming: bool = False) -> None:
        self.sales = sales
        self.streaming = streaming
        self.winners: list[str] = []

    def report(self) -> dict:
        lines = self._lines() if self.streaming else list(self._lines())
        total, draw = 0.0, random.Random(len(self.winners))
        for line in lines:
            total += float(line[-9:])
            if draw.randrange(1000) == 0:
                self.winners.append(line)
        return {"sales": self.sales, "total": round(total, 2), "winners": len(self.winners)}

    def _lines(self):
        sale = random.Random(3)
        for number in range(self.sales):
            cents = sale.randrange(500, 90_000)
            yield f"sale {number:07d} customer {cents * 7919 % 100_000:05d} euro {cents / 100:9.2f}"
