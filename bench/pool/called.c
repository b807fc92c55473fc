/* SPDX-License-Identifier: MIT */
/* Ouro behind calls: the library of allocator_called.h. */
#include <ouro/pool.h>

#include "allocator_called.h"

OURO_API allocator *called_open(void) { return ouro_heap_new(NULL); }
OURO_API void *called_alloc(allocator *a, size_t size) { return ouro_alloc(a, size); }
OURO_API void called_free(allocator *a, void *block) { ouro_free(a, block); }
OURO_API void called_free_remote(allocator *a, void *block) { ouro_free_remote(a, block); }
OURO_API void called_tick(allocator *a) { ouro_heap_tick(a, 10000000); }
