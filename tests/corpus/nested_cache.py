# SPDX-License-Identifier: MIT
"""An application object holds a table of tables, and one of the inner ones is never emptied.

class: growth
holder: global | cache
name: by_user | app
bytes: 3.7 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


class Application:
    def __init__(self):
        self.tables = {"by_user": {}, "by_day": {}}


    def log_in(self, number):
        table = self.tables["by_user"]
        table[number] = {"name": f"user {number}"}
        if CLEAN and len(table) > 100:
            del table[next(iter(table))]  # the cure: the oldest goes


app = Application()
for turn in moments():
    for number in range(6000 * SIZE):
        app.log_in(turn * 6000 * SIZE + number)
