# SPDX-License-Identifier: MIT
"""A shop whose memory grows for three reasons. Starts it, sends customers, shuts it down.

    python3 run.py          on stock CPython
    ouro run run.py         on Ouro's pools, with the end screen
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from service import Shop

REASONS = ("cache", "cycles", "report")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15, help="how long the customers stay")
    parser.add_argument("--requests", type=int, default=0, help="leave after so many requests")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--sales", type=int, default=1_000_000, help="lines in the report")
    parser.add_argument("--repair", choices=REASONS, nargs="+", default=[], help="what to mend")
    return parser.parse_args()


def resident_mb() -> float:
    """Memory of this process that is in RAM now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def progress(shop: Shop, start: float) -> None:
    print(
        f"{time.monotonic() - start:5.1f} s  {shop.requests:6,} requests  {shop.orders:5,} orders  "
        f"{len(shop.cache.pages):6,} cached pages  {len(shop.ledger.winners):5,} winners  "
        f"resident {resident_mb():4.0f} MB",
        flush=True,
    )


def send_customers(shop: Shop, options: argparse.Namespace) -> dict:
    """Runs the load to its end, printing how the shop fares. Returns what the load measured."""
    script = Path(__file__).with_name("customers.py")
    plan = [str(shop.server_port), str(options.seconds), str(options.requests)]
    command = [sys.executable, script, *plan]
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
        try:
            while load.poll() is None:
                progress(shop, start)
                try:
                    load.wait(timeout=max(0.5, options.seconds / 6))
                except subprocess.TimeoutExpired:
                    pass
        finally:
            load.terminate()
            load.wait()
        progress(shop, start)
        return json.loads(load.stdout.read())


def main() -> int:
    options = arguments()
    # Found in a blog: "no collector pauses at checkout". Cycles now wait for 5 million objects.
    gc.set_threshold(5_000_000, 10, 10)
    shop = Shop(options.port, options.sales, set(options.repair))
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    print(f"shop at http://127.0.0.1:{shop.server_port}/search?q=red+chair", flush=True)
    try:
        load = send_customers(shop, options)
    except KeyboardInterrupt:
        return 130
    finally:
        shop.shutdown()
        shop.server_close()
    print(f"{load['requests']:,} requests, p50 {load['p50']} ms, p99 {load['p99']} ms")
    for bad in load["bad"]:
        print(f"failed: {bad}", file=sys.stderr)
    time.sleep(1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"resident after a quiet second: {resident_mb():.0f} MB, at the peak {peak:.0f} MB")
    return 1 if load["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
