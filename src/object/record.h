/* SPDX-License-Identifier: MIT */
/*
 * What a heap knows about its types of records: the names of their fields. The fields themselves
 * are declared as `refs` of the type, named by `ref_names`, so that the engine does the rest.
 */
#ifndef OURO_SRC_OBJECT_RECORD_H
#define OURO_SRC_OBJECT_RECORD_H

#include "runtime.h"
#include <ouro/record.h>

#define RECORD_FIELDS_MAX 4096u

/* One block per type:
 *
 *     names[i] = name of field i, i < count
 *     sorted   = the addresses of the elements of names, in the order of strcmp, all different
 */
typedef struct record_names {
  size_t count;
  const char **names;
  const char ***sorted;
} record_names;

/* The state of PART_RECORDS, by index of the type; NULL: not a type of records. */
typedef struct record_types {
  size_t room;
  record_names *of[];
} record_types;

#endif
