/* SPDX-License-Identifier: MIT */
/* The kernels over CPython's allocator, as a library for ctypes.PyDLL (bench/python/pairs.py). */
#include "kernels.h"

__attribute__((visibility("default"))) double pairs_time(const char *name, size_t pairs,
                                                         int repeats) {
  return kernel_time(name, pairs, repeats);
}
