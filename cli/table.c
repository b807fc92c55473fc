/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static bool colours(void) {
  const char *no = getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}

bool table_is_ascii(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") != 0; }

struct libscols_table *table_new(void) {
  scols_init_debug(0);
  struct libscols_table *table = scols_new_table();
  if (table == NULL) cli_die(CLI_FAILED, "out of memory");
  scols_table_enable_colors(table, colours());
  scols_table_enable_ascii(table, table_is_ascii());
  return table;
}

struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent) {
  struct libscols_line *line = scols_table_new_line(table, parent);
  if (line == NULL) cli_die(CLI_FAILED, "out of memory");
  return line;
}

/* The library would have a backslash before an x escaped, so that its own escapes can be told. Here
 * such a text is somebody's escape already. */
static void keep_backslashes(struct libscols_table *table) {
  for (size_t i = 0; i < scols_table_get_ncols(table); i++)
    scols_column_set_safechars(scols_table_get_column(table, i), "\\");
}

void table_print(struct libscols_table *table) {
  keep_backslashes(table);
  scols_print_table(table);
  scols_unref_table(table);
}
