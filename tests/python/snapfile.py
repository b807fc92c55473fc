# SPDX-License-Identifier: MIT
"""The frame of a snapshot's file, for tests that do not care what is in it (src/snapshot/format.h)."""

import struct

OBJECTS, END = 4, 7


def blocks(path):
    """The kinds of the whole blocks, and whether the last of them is the end's."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"ouroheap" and struct.unpack("<II", data[8:16]) == (1, 0), data[:16]
    kinds, at = [], 16
    while at + 16 <= len(data):
        kind, length = struct.unpack("<II", data[at : at + 8])
        at += 16 + (length + 7) // 8 * 8
        if at <= len(data):
            kinds.append(kind)
    return kinds, kinds[-1:] == [END] and at == len(data)


def complete(path):
    kinds, ended = blocks(path)
    return ended and OBJECTS in kinds
