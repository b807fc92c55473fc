# SPDX-License-Identifier: MIT
"""Programs as people run them, in this process: real.py sessions COUNT | mypy PACKAGE | sphinx FOLDER."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sliced

SERVER = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(bytes(2000))

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def sessions(count: str) -> None:
    """A client of its own, with its TLS settings, for every two requests."""
    import httpx

    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{int(server.stdout.readline())}/"
        for _ in range(int(count)):
            client = httpx.Client()
            for _ in range(2):
                client.get(address).raise_for_status()
    finally:
        server.kill()
        server.wait()


def mypy(package: str) -> None:
    """Checks a package from its source; nothing is remembered from an earlier run."""
    from mypy import api

    options = ["--no-incremental", "--cache-dir", os.devnull, "--ignore-missing-imports"]
    out, errors, status = api.run([*options, "-p", package])
    if status > 1 or errors:
        raise SystemExit(f"bench: mypy: {errors or out[-500:]}")


PAGE = """
{name}
{rule}

See :doc:`{other}` and :mod:`{name}`.

.. automodule:: {name}
   :members:
   :undoc-members:
   :inherited-members:
"""


def write_pages(folder: Path, modules: list) -> None:
    (folder / "conf.py").write_text('extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]\n')
    for name, other in zip(modules, modules[1:] + modules[:1]):
        text = PAGE.format(name=name, rule="=" * len(name), other=other)
        (folder / f"{name}.rst").write_text(text)
    listed = "".join(f"   {name}\n" for name in modules)
    (folder / "index.rst").write_text(f"Library\n=======\n\n.. toctree::\n\n{listed}")


def sphinx(modules: str) -> None:
    """The documentation of modules of the standard library, from their docstrings."""
    from sphinx.cmd.build import main

    with tempfile.TemporaryDirectory() as folder:
        write_pages(Path(folder), modules.split(","))
        if main(["-Q", "-E", "-b", "html", folder, f"{folder}/html"]) != 0:
            raise SystemExit("bench: sphinx failed")


def run() -> None:
    what, argument = sys.argv[1:3]
    pauses = sliced.Pauses()
    {"sessions": sessions, "mypy": mypy, "sphinx": sphinx}[what](argument)
    pauses.print_longest()
    sliced.finish()


run()
