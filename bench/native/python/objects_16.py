# SPDX-License-Identifier: MIT
"""As ../objects.c without a word beside the references."""

import sys

from objects import print_extra_bytes
from shared import Node

print_extra_bytes(Node, 16, int(sys.argv[2]))
