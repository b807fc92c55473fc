/* SPDX-License-Identifier: MIT */
/* The arguments of the verbs that read snapshots: words in order, and options that several of them
 * share. Which options a verb takes stands in its own table. */
#ifndef OURO_CLI_HEAPARGS_H
#define OURO_CLI_HEAPARGS_H

#include "cli.h"

#define HEAPARGS_WORDS 9

/* Keys of the options; those without a letter are beyond the letters. */
enum {
  HEAPARGS_JSON = 'j',
  HEAPARGS_LIMIT = 'n',
  HEAPARGS_DEPTH = 'd',
  HEAPARGS_HOLDERS = 256,
  HEAPARGS_FOR,
  HEAPARGS_FAIL_ON,
  HEAPARGS_KEEP
};

typedef struct heapargs {
  /* What the verb says of itself. */
  size_t least, most;  /* words */
  const char *missing; /* the line where there are fewer */
  /* What the user typed. */
  const char *word[HEAPARGS_WORDS];
  size_t words;
  bool json, holders;
  uint64_t limit, depth; /* 0: not given */
  uint64_t ms;           /* of --for, 0: not given */
  const char *fail_on, *keep;
} heapargs;

/* The parser of such a verb's argp; its input is a heapargs. */
error_t heapargs_parse(int key, char *text, struct argp_state *state);

#define HEAPARGS_JSON_OPTION                                                                       \
  { "json", HEAPARGS_JSON, NULL, 0, "as JSON", 0 }
#define HEAPARGS_LIMIT_OPTION(what)                                                                \
  { "limit", HEAPARGS_LIMIT, "N", 0, what, 0 }

#endif
