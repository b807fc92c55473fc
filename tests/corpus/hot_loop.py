# SPDX-License-Identifier: MIT
"""No growth, but the same tables are built again for every request.

class: churn
name: table | dict | tuple | str | Rule
bytes: 0 MiB ± 100 %
"""

from corpus import CLEAN, SIZE, moments


class Rule:
    def __init__(self, country):
        self.country = country
        self.rates = {f"{country}{n}": n / 100 for n in range(20)}


def make_rules():
    return {country: Rule(country) for country in ("at", "be", "ch", "de", "es", "fr")}


always = make_rules()


def price(number):
    rules = always if CLEAN else make_rules()  # the cure: once
    return rules["at"].rates["at7"] * number


for turn in moments():
    for number in range(500 * SIZE):
        price(number)
