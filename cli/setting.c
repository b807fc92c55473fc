/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "duration.h"
#include "size.h"

/* Longest decay: a day. Beyond it "never" (0) is what is meant. */
#define DECAY_MOST_MS 86400000u

#define PAUSE_MOST_US 10000000u
#define SHARE_LEAST 10u /* permille */
#define SHARE_MOST 4000u

static const char *write_number(uint64_t number, char value[SETTING_VALUE]) {
  snprintf(value, SETTING_VALUE, "%" PRIu64, number);
  return NULL;
}

static const char *write_word(const char *word, char value[SETTING_VALUE]) {
  snprintf(value, SETTING_VALUE, "%s", word);
  return NULL;
}

/* --- What stands in them --- */

static const char *read_size(const char *text, uint64_t least, char value[SETTING_VALUE]) {
  uint64_t bytes;
  if (!size_parse(text, &bytes) || bytes < least || bytes > INT64_MAX)
    return "is not a size; write it like 512M, 1.5G or a number of bytes";
  return write_number(bytes, value);
}

static const char *read_limit(const char *text, char value[SETTING_VALUE]) {
  return read_size(text, 1, value);
}

static const char *read_keep(const char *text, char value[SETTING_VALUE]) {
  return read_size(text, 0, value);
}

static const char *read_decay(const char *text, char value[SETTING_VALUE]) {
  uint64_t milliseconds;
  if (!size_parse_count(text, DECAY_MOST_MS, &milliseconds))
    return "is not a number of milliseconds from 0 to 86400000";
  return write_number(milliseconds, value);
}

static const char *read_huge(const char *text, char value[SETTING_VALUE]) {
  if (strcmp(text, "auto") != 0 && strcmp(text, "off") != 0 && strcmp(text, "always") != 0)
    return "is none of auto, off, always";
  return write_word(text, value);
}

static const char *read_flag(const char *text, char value[SETTING_VALUE]) {
  if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) return "is neither 0 nor 1";
  return write_word(text, value);
}

static const char *read_pause(const char *text, char value[SETTING_VALUE]) {
  uint64_t us;
  if (!duration_parse(text, &us)) return "is not a time; write it like 1ms";
  if (us < 1 || us > PAUSE_MOST_US) return "is not a time from 1us to 10s; write it like 1ms";
  return write_number(us, value);
}

static const char *read_share(const char *text, char value[SETTING_VALUE]) {
  uint64_t permille;
  if (!duration_parse_share(text, &permille)) return "is not a share; write it like 25% or 0.25";
  if (permille < SHARE_LEAST || permille > SHARE_MOST)
    return "is not a share from 1% to 400%; write it like 25% or 0.25";
  return write_number(permille, value);
}

static const char *read_part(const char *text, char value[SETTING_VALUE]) {
  uint64_t permille;
  if (!duration_parse_share(text, &permille)) return "is not a share; write it like 90% or 0.9";
  if (permille < SHARE_LEAST || permille > 1000)
    return "is not a share from 1% to 100%; write it like 90% or 0.9";
  return write_number(permille, value);
}

static const char *read_signal(const char *text, char value[SETTING_VALUE]) {
  static const char *const names[] = {"HUP", "QUIT", "USR1", "USR2"};
  const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcasecmp(name, names[i]) == 0) return write_word(names[i], value);
  return "is none of HUP, QUIT, USR1, USR2";
}

static const char *read_path(const char *text, char value[SETTING_VALUE]) {
  (void)value;
  return text[0] != '\0' ? NULL : "is no path";
}

static const char *read_directory(const char *text, char value[SETTING_VALUE]) {
  struct stat info;
  (void)value;
  return stat(text, &info) == 0 && S_ISDIR(info.st_mode) ? NULL : "is no directory";
}

const setting settings[SETTING_COUNT] = {
    [SETTING_LIMIT] = {"--limit", "OURO_LIMIT", "limit", read_limit},
    [SETTING_KEEP] = {"--keep", "OURO_KEEP", "keep", read_keep},
    [SETTING_DECAY] = {"--decay", "OURO_DECAY", "decay", read_decay},
    [SETTING_HUGE] = {"--huge", "OURO_HUGE", "huge", read_huge},
    [SETTING_HARDENED] = {"--hardened", "OURO_HARDENED", "hardened", read_flag},
    [SETTING_PAUSE] = {"--pause", "OURO_PAUSE", "pause_us", read_pause},
    [SETTING_GARBAGE_LIMIT] = {"--garbage-limit", "OURO_GARBAGE_LIMIT", "garbage_permille",
                               read_share},
    [SETTING_ON_LIMIT] = {"--on-limit", "OURO_ON_LIMIT", NULL, read_part},
    [SETTING_ON_MEMORY_ERROR] = {"--on-memory-error", "OURO_ON_MEMORY_ERROR", NULL, read_flag},
    [SETTING_SNAPSHOT_SIGNAL] = {"--snapshot-signal", "OURO_SNAPSHOT_SIGNAL", NULL, read_signal},
    [SETTING_SNAPSHOT_TRIGGER] = {"--snapshot-trigger", "OURO_SNAPSHOT_TRIGGER", NULL, read_path},
    [SETTING_SNAPSHOT_DIR] = {"--snapshot-dir", "OURO_SNAPSHOT_DIR", NULL, read_directory},
    [SETTING_SNAPSHOT_REDACT] = {"--snapshot-redact", "OURO_SNAPSHOT_REDACT", NULL, read_flag},
    [SETTING_SNAPSHOT_VALUES] = {"--snapshot-values", "OURO_SNAPSHOT_VALUES", NULL, read_flag},
    [SETTING_WHY] = {"--why", "OURO_WHY", "why", read_flag},
};

static bool is_set(setting_name which) {
  const char *text = getenv(settings[which].variable);
  return text != NULL && strcmp(text, "1") == 0;
}

void setting_check_snapshots(void) {
  if (!is_set(SETTING_SNAPSHOT_REDACT) || !is_set(SETTING_SNAPSHOT_VALUES)) return;
  cli_die(CLI_USAGE, "%s leaves out what %s writes: set one of them",
          settings[SETTING_SNAPSHOT_REDACT].variable, settings[SETTING_SNAPSHOT_VALUES].variable);
}

/* --- What else is in the environment --- */

/* Not settings, but no mistakes either: what the command tells the interpreter, and what Ouro's own
 * tests and builds are told. */
static const char *const others[] = {
    "OURO_RUN",    "OURO_RUN_PID", "OURO_DIR",  "OURO_CI",      "OURO_MIRROR",
    "OURO_BENCH",  "OURO_ROUNDS",  "OURO_SEED", "OURO_WITNESS", "OURO_SNAPSHOT_AT_EXIT",
    "OURO_COMMAND"};
static const char for_tests[] = "OURO_TEST_";

static bool known(const char *name) {
  for (int i = 0; i < SETTING_COUNT; i++)
    if (strcmp(settings[i].variable, name) == 0) return true;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(others[i], name) == 0) return true;
  return strncmp(name, for_tests, sizeof for_tests - 1) == 0;
}

static const char *nearest(const char *name) {
  const char *best = NULL;
  int least = 3;
  for (int i = 0; i < SETTING_COUNT; i++) {
    int d = cli_distance(name, settings[i].variable);
    if (d < least) least = d, best = settings[i].variable;
  }
  return cli_distance(name, "OURO_DIR") < least ? "OURO_DIR" : best;
}

static void name_unknown(const char *name) {
  const char *near = nearest(name);
  if (near != NULL) cli_say(CLI_DONE, "%s is no setting of Ouro; did you mean %s?", name, near);
  else cli_say(CLI_DONE, "%s is no setting of Ouro; to see them: ouro help run", name);
}

void setting_name_unknown(void) {
  for (char **at = environ; *at != NULL; at++) {
    char name[64];
    size_t length = strcspn(*at, "=");
    if (strncmp(*at, "OURO_", 5) != 0 || length >= sizeof name) continue;
    snprintf(name, sizeof name, "%.*s", (int)length, *at);
    if (!known(name)) name_unknown(name);
  }
}
