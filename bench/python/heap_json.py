# SPDX-License-Identifier: MIT
"""JSON of 200,000 records: dumps, three loads (each replacing the last document), free."""

import json
import sys

from measure import phase, report, resident_bytes


def record(i: int) -> dict:
    return {
        "id": i,
        "name": f"user {i}",
        "email": f"user{i}@example.org",
        "score": i * 0.37,
        "active": i % 3 == 0,
        "tags": [f"tag{i % 100}", f"group{i % 17}", f"level{i % 5}"],
        "address": {
            "street": f"{i % 999} Main Street",
            "city": f"City {i % 500}",
            "zip": f"{i % 99999:05}",
        },
        "history": [{"at": i + k, "what": f"event {i * k}"} for k in range(2)],
    }


def main() -> None:
    count = int(sys.argv[1])
    with phase("build"):
        document = [record(i) for i in range(count)]
    with phase("dumps"):
        text = json.dumps(document)
    for k in range(3):
        with phase(f"loads{k}"):
            document = json.loads(text)
    print("full", resident_bytes())
    with phase("free"):
        del document, text
    report()


main()
