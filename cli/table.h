/* SPDX-License-Identifier: MIT */
/* Tables that line up. A failure of memory ends the process with one line. */
#ifndef OURO_CLI_TABLE_H
#define OURO_CLI_TABLE_H

#include <libsmartcols.h>
#include <stdbool.h>

/* Empty, with colours and line drawing as the terminal and the locale have them. */
struct libscols_table *table_new(void);

/* `parent`: NULL, or a line of the same table's tree. */
struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent);

/* Prints the table and frees it. */
void table_print(struct libscols_table *table);

/* Whether only ASCII may be printed. */
bool table_is_ascii(void);

#endif
