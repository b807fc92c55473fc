# SPDX-License-Identifier: MIT
"""A logger of its own for every request: the logging module keeps all loggers for ever.

class: growth
holder: global | class | registry
name: loggerDict | Logger
bytes: 2.1 MiB ± 20 %
"""

import logging

from corpus import CLEAN, SIZE, moments

for turn in moments():
    for number in range(2500 * SIZE):
        # The cure: one logger, and the request in the record.
        logging.getLogger("request" if CLEAN else f"request-{turn}-{number}")
