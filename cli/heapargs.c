/* SPDX-License-Identifier: MIT */
#include "heapargs.h"

#include <stdlib.h>

#include "duration.h"
#include "size.h"

#define LIMIT_MOST 1000000
#define DEPTH_MOST 64
#define FOR_MOST_US (UINT64_C(86400) * 1000000)

static uint64_t number(const char *option, const char *text, uint64_t most) {
  uint64_t value;
  if (!size_parse_count(text, most, &value) || value == 0)
    cli_die(CLI_USAGE, "%s '%s' is not a number from 1 to %llu", option, text,
            (unsigned long long)most);
  return value;
}

/* A number without a unit is seconds: nobody watches a heap for milliseconds. */
static uint64_t milliseconds(const char *text) {
  uint64_t us, seconds;
  if (size_parse_count(text, FOR_MOST_US / 1000000, &seconds)) us = seconds * 1000000;
  else if (!duration_parse(text, &us)) us = 0;
  if (us < 1000 || us > FOR_MOST_US)
    cli_die(CLI_USAGE, "--for '%s' is not a time up to a day, as 60s", text);
  return us / 1000;
}

static void take_word(heapargs *to, const char *text) {
  if (to->words == to->most) cli_die(CLI_USAGE, "'%s' is one argument too much", text);
  to->word[to->words++] = text;
}

error_t heapargs_parse(int key, char *text, struct argp_state *state) {
  heapargs *to = state->input;
  switch (key) {
  case 'h': cli_help(state->root_argp, state->argv[0]); exit(CLI_DONE);
  case ARGP_KEY_ERROR: cli_bad_option(state, state->root_argp->options);
  case HEAPARGS_JSON: to->json = true; break;
  case HEAPARGS_HOLDERS: to->holders = true; break;
  case HEAPARGS_LIMIT: to->limit = number("--limit", text, LIMIT_MOST); break;
  case HEAPARGS_DEPTH: to->depth = number("--depth", text, DEPTH_MOST); break;
  case HEAPARGS_FOR: to->ms = milliseconds(text); break;
  case HEAPARGS_FAIL_ON: to->fail_on = text; break;
  case HEAPARGS_KEEP: to->keep = text; break;
  case ARGP_KEY_ARG: take_word(to, text); break;
  case ARGP_KEY_END:
    if (to->words < to->least) cli_die(CLI_USAGE, "%s", to->missing);
    break;
  default: return ARGP_ERR_UNKNOWN;
  }
  return 0;
}
