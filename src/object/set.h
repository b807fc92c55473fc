/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_SET_H
#define OURO_SRC_OBJECT_SET_H

#include "hashtable.h"
#include <ouro/set.h>

/* Each live entry of the table holds a reference to its key. */
struct ouro_set {
  ouro_object object;
  hashtable table;
};

ouro_type *set_type(ouro_heap *heap);

#endif
