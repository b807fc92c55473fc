/* SPDX-License-Identifier: MIT */
/*
 * The census: live objects and their bytes, by type. All objects that the collector tracks, and
 * what they reach through tp_traverse without being tracked (str, int, float, bytes, ...). Nothing
 * of the program is called: no method, no __sizeof__, no comparison.
 */
#ifndef OURO_EXT_CENSUS_H
#define OURO_EXT_CENSUS_H

#include "compat.h"

#include <ouro/pool.h>

/* A new tuple (objects, bytes, types), types being a list of (name, objects, bytes) for the `top`
 * types with the most bytes, or NULL with an exception. Progress goes to stderr, if that is a
 * terminal, where it takes longer than two seconds. GIL held; the program stands still meanwhile.
 */
PyObject *census_types(const ouro_heap *heap, Py_ssize_t top);

#endif
