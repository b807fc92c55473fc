/* SPDX-License-Identifier: MIT */
/* The settings of Ouro that a program is run with: as options, and as environment variables for
 * what the command line does not say. python/ouro/_options.py reads the same variables in the
 * interpreter, for programs that call ouro.install(). */
#ifndef OURO_CLI_SETTING_H
#define OURO_CLI_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#define SETTING_VALUE 24

typedef struct setting {
  const char *option;   /* "--pause" */
  const char *variable; /* "OURO_PAUSE" */
  const char *key; /* in OURO_RUN: "pause_us"; NULL: the variable itself tells the interpreter */
  /* What OURO_RUN says for `text`. NULL, or what is wrong with it and how to write it. */
  const char *(*read)(const char *text, char value[SETTING_VALUE]);
} setting;

typedef enum setting_name {
  SETTING_LIMIT,
  SETTING_KEEP,
  SETTING_DECAY,
  SETTING_HUGE,
  SETTING_HARDENED,
  SETTING_PAUSE,
  SETTING_GARBAGE_LIMIT,
  SETTING_ON_LIMIT,
  SETTING_ON_MEMORY_ERROR,
  SETTING_SNAPSHOT_SIGNAL,
  SETTING_SNAPSHOT_TRIGGER,
  SETTING_SNAPSHOT_DIR,
  SETTING_SNAPSHOT_REDACT,
  SETTING_SNAPSHOT_VALUES,
  SETTING_WHY,
  SETTING_COUNT
} setting_name;

extern const setting settings[SETTING_COUNT];

/* Ends the process with one line where both are set, of which one undoes the other. */
void setting_check_snapshots(void);

/* Names on stderr, one line each, what is set in the environment, begins with OURO_ and means
 * nothing to Ouro: misspelt settings, as a rule. */
void setting_name_unknown(void);

#endif
