# SPDX-License-Identifier: MIT
"""What the Python programs share. A node has two references and no dictionary."""

import os


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left=None, right=None):
        self.left = left
        self.right = right


def fail(what):
    raise SystemExit(f"bench: {what}")


def field_bytes(file, field):
    """A field in kB of a file of /proc, in bytes."""
    with open(file) as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def resident_bytes():
    return field_bytes("/proc/self/smaps_rollup", "Rss:")


def peak_bytes():
    return field_bytes("/proc/self/status", "VmHWM:")


def end():
    """The last thing a program does: what still lives goes with the process."""
    print("peak", peak_bytes(), flush=True)
    os._exit(0)
