# SPDX-License-Identifier: MIT
"""A dictionary of a few keys whose lists grow: no container has many entries but theirs.

class: growth
holder: global
name: by_country
bytes: 2.4 MiB ± 20 %
"""

from collections import defaultdict

from corpus import CLEAN, SIZE, moments

by_country = defaultdict(list)
for turn in moments():
    for number in range(8000 * SIZE):
        orders = by_country["at be ch de es fr".split()[number % 6]]
        orders.append((f"order {number}", number))
        if CLEAN and len(orders) > 100:
            orders.clear()  # the cure: what was invoiced goes
