/* SPDX-License-Identifier: MIT */
#ifndef OURO_SRC_OBJECT_DICT_H
#define OURO_SRC_OBJECT_DICT_H

#include "hashtable.h"
#include <ouro/dict.h>

/* Each live entry of the table holds a reference to its key and one to its value. */
struct ouro_dict {
  ouro_object object;
  hashtable table;
};

ouro_type *dict_type(ouro_heap *heap);

#endif
