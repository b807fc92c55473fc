# SPDX-License-Identifier: MIT
"""As ../chain.c."""

import sys
from time import process_time_ns

from shared import Node, end

length = int(sys.argv[1])
chain = None
for _ in range(length):
    chain = Node(chain)
start = process_time_ns()
del chain
print("ns", (process_time_ns() - start) / length)
end()
