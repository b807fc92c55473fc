# SPDX-License-Identifier: MIT
"""An aiohttp service with much in memory, under load: shop.py REQUESTS.

A shop keeps its catalogue and its customers' sessions. Carts and sessions refer to each other, so
that a dropped session is garbage for the cycle collector. Clients of a process of their own ask as
fast as they are answered; each has its own sessions, so what it is answered does not depend on the
others. Prints a digest of all answers. shop.py REQUESTS FOLDER SESSIONS: so many over and over,
see rounds.py, with so many sessions of each client.
"""

import asyncio
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, web

PRODUCTS = 120_000
SESSIONS = 1_500  # of each client; older ones are dropped
FOREVER = ClientTimeout(None)  # somebody may stop the service for a minute


class Product:
    def __init__(self, number):
        self.number = number
        self.name = f"product {number}"
        self.tags = [f"tag {number % 97}", f"tag {number % 89}"]
        self.stock = {"here": number % 7, "there": number % 11}
        self.similar = []

    def shown(self):
        similar = [other.number for other in self.similar]
        return {"name": self.name, "tags": self.tags, "stock": self.stock, "similar": similar}


class Session:
    def __init__(self, name):
        self.name = name
        self.cart = Cart(self)
        self.seen = []


class Cart:
    def __init__(self, session):
        self.session = session
        self.lines = []

    def add(self, product):
        self.lines.append({"product": product, "cart": self})


def catalogue():
    products = [Product(number) for number in range(PRODUCTS)]
    for product in products:
        product.similar = [products[product.number * step % PRODUCTS] for step in (3, 7, 11)]
    return products


class Shop:
    def __init__(self, sessions):
        self.most = sessions
        self.products = catalogue()
        self.sessions = {}  # by client, the latest last
        self.client = None

    def session(self, request):
        client, name = request.match_info["client"], request.match_info["session"]
        sessions = self.sessions.setdefault(client, OrderedDict())
        found = sessions.pop(name, None) or Session(name)
        sessions[name] = found
        if len(sessions) > self.most:
            sessions.popitem(last=False)
        return found

    def product(self, request):
        return self.products[int(request.match_info["product"])]

    async def show(self, request):
        session, product = self.session(request), self.product(request)
        session.seen.append(product)
        return web.json_response(product.shown() | {"seen": len(session.seen)})

    async def buy(self, request):
        session, wish = self.session(request), await request.json()
        for number in wish["products"]:
            session.cart.add(self.products[number])
        return web.json_response([line["product"].name for line in session.cart.lines])

    async def fail(self, request):
        session = self.session(request)
        raise KeyError(session.name, session.cart, dict.fromkeys(session.seen))

    async def ask(self, request):
        """Asks itself, as services ask other services: with a client for the occasion."""
        url = request.url.with_path(request.path.replace("/ask/", "/show/"))
        async with ClientSession(timeout=FOREVER) as client, client.get(url) as response:
            return web.json_response({"told": await response.json()})

    def application(self):
        app = web.Application(middlewares=[explain])
        place = "/{client}/{session}/{product:[0-9]+}"
        app.router.add_get("/show" + place, self.show)
        app.router.add_get("/ask" + place, self.ask)
        app.router.add_get("/fail" + place, self.fail)
        app.router.add_post("/buy" + place, self.buy)
        return app


@web.middleware
async def explain(request, handler):
    try:
        return await handler(request)
    except KeyError as error:
        return web.json_response({"error": str(error.args[0])}, status=500)


async def serve(requests, folder=None, sessions=SESSIONS):
    runner = web.AppRunner(Shop(int(sessions)).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    load = [sys.executable, Path(__file__).with_name("load.py"), str(port), requests]
    load += [folder] if folder else []
    clients = await asyncio.create_subprocess_exec(*load, stdout=subprocess.PIPE)
    answers, _ = await clients.communicate()
    await runner.cleanup()
    print(answers.decode(), end="")
    return clients.returncode


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(*sys.argv[1:])))
