# SPDX-License-Identifier: MIT
"""pairs.py LIBRARY KERNEL PAIRS REPEATS: the kernels of pool/kernels.h over this interpreter's allocator."""

import ctypes
import sys


def main() -> None:
    library, kernel, pairs, repeats = sys.argv[1:]
    run = ctypes.PyDLL(library).pairs_time
    run.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    run.restype = ctypes.c_double
    print("ns", run(kernel.encode(), int(pairs), int(repeats)))


main()
