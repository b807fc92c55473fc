/* SPDX-License-Identifier: MIT */
#include "print.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "size.h"
#include "table.h"

/* --- The ledger --- */

enum { COLUMN_ROW, COLUMN_SIZE, COLUMN_SHARE, COLUMN_CHANGE };

/* The row that stands for what could not be told apart is never left out, not even at nothing. */
static bool is_shown(const reply_row *row) {
  return row->bytes != 0 || row->parent < 0 || strcmp(row->key, "unknown") == 0;
}

static void set_share(struct libscols_line *line, uint64_t bytes, uint64_t whole) {
  char text[16];
  if (whole == 0) return;
  snprintf(text, sizeof text, "%.1f %%", 100.0 * (double)bytes / (double)whole);
  scols_line_set_data(line, COLUMN_SHARE, text);
}

static void set_change(struct libscols_line *line, const reply_row *row, const reply *before) {
  char text[SIZE_TEXT];
  for (size_t i = 0; i < before->rows; i++) {
    uint64_t then = before->row[i].bytes;
    if (strcmp(before->row[i].key, row->key) != 0 || then == row->bytes) continue;
    bool less = row->bytes < then;
    scols_line_set_data(line, COLUMN_CHANGE,
                        size_format(less ? then - row->bytes : row->bytes - then, less, text));
    scols_cell_set_color(scols_line_get_cell(line, COLUMN_CHANGE), less ? "green" : "red");
  }
}

static void add_rows(struct libscols_table *table, const reply *now, const reply *before) {
  struct libscols_line *line_of[REPLY_ROWS_MAX] = {NULL};
  char text[SIZE_TEXT];
  for (size_t i = 0; i < now->rows; i++) {
    const reply_row *row = &now->row[i];
    if (!is_shown(row)) continue;
    struct libscols_line *line = table_line(table, row->parent < 0 ? NULL : line_of[row->parent]);
    line_of[i] = line;
    scols_line_set_data(line, COLUMN_ROW, row->label);
    scols_line_set_data(line, COLUMN_SIZE, size_format(row->bytes, false, text));
    set_share(line, row->bytes, now->row[0].bytes);
    if (before != NULL) set_change(line, row, before);
    if (row->parent < 0) scols_line_set_color(line, "bold");
  }
}

static void print_memos(const reply *from) {
  struct libscols_table *table = table_new();
  char text[SIZE_TEXT];
  scols_table_new_column(table, "BESIDE IT", 0, 0);
  scols_table_new_column(table, "", 0, SCOLS_FL_RIGHT);
  for (size_t i = 0; i < from->memos; i++) {
    const reply_memo *memo = &from->memo[i];
    if (memo->value == 0) continue;
    struct libscols_line *line = table_line(table, NULL);
    scols_line_set_data(line, 0, memo->label);
    if (strcmp(memo->unit, "bytes") == 0) size_format(memo->value, false, text);
    else snprintf(text, sizeof text, "%llu", (unsigned long long)memo->value);
    scols_line_set_data(line, 1, text);
  }
  putchar('\n');
  table_print(table);
}

void print_ledger(const reply *now, const reply *before) {
  struct libscols_table *table = table_new();
  scols_table_new_column(table, "MEMORY", 0, SCOLS_FL_TREE);
  scols_table_new_column(table, "SIZE", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "SHARE", 0, SCOLS_FL_RIGHT);
  if (before != NULL) scols_table_new_column(table, "CHANGE", 0, SCOLS_FL_RIGHT);
  add_rows(table, now, before);
  table_print(table);
  if (now->memos > 0) print_memos(now);
}

void print_clock(void) {
  char text[16];
  time_t seconds = time(NULL);
  strftime(text, sizeof text, "%H:%M:%S", localtime(&seconds));
  fputs(text, stdout);
}

void print_ledger_line(const reply *now) {
  char text[SIZE_TEXT];
  print_clock();
  for (size_t i = 0; i < now->rows; i++) {
    const reply_row *row = &now->row[i];
    bool top = row->parent < 0 || now->row[row->parent].parent < 0;
    if (top && is_shown(row)) printf("  %s %s", row->key, size_format(row->bytes, false, text));
  }
  putchar('\n');
}

/* --- JSON --- */

/* Sizes beyond 2^63 do not exist; jansson's integers are signed. */
static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *row_object(const reply *from, const reply_row *row) {
  json_t *object = json_object();
  json_object_set_new(object, "key", json_string(row->key));
  json_object_set_new(object, "parent",
                      row->parent < 0 ? json_null() : json_string(from->row[row->parent].key));
  json_object_set_new(object, "bytes", whole(row->bytes));
  json_object_set_new(object, "label", json_string(row->label));
  return object;
}

static json_t *memo_object(const reply_memo *memo) {
  json_t *object = json_object();
  json_object_set_new(object, "key", json_string(memo->key));
  json_object_set_new(object, "unit", json_string(memo->unit));
  json_object_set_new(object, "value", whole(memo->value));
  json_object_set_new(object, "label", json_string(memo->label));
  return object;
}

void print_ledger_json(pid_t pid, const reply *now, bool pretty) {
  json_t *object = json_object(), *rows = json_array(), *memos = json_array();
  for (size_t i = 0; i < now->rows; i++) json_array_append_new(rows, row_object(now, &now->row[i]));
  for (size_t i = 0; i < now->memos; i++) json_array_append_new(memos, memo_object(&now->memo[i]));
  json_object_set_new(object, "pid", json_integer(pid));
  json_object_set_new(object, "time", json_integer(time(NULL)));
  for (size_t i = 0; i < now->pairs; i++)
    json_object_set_new(object, now->pair[i].key, json_string(now->pair[i].value));
  json_object_set_new(object, "rows", rows);
  json_object_set_new(object, "memos", memos);
  json_dumpf(object, stdout, pretty ? JSON_INDENT(2) : JSON_COMPACT);
  putchar('\n');
  json_decref(object);
}

/* --- Programs --- */

void print_programs(const print_program *programs, size_t count) {
  struct libscols_table *table = table_new();
  scols_table_new_column(table, "PID", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "RESIDENT", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "PYTHON", 0, 0);
  scols_table_new_column(table, "COMMAND", 0, SCOLS_FL_TRUNC);
  for (size_t i = 0; i < count; i++) {
    struct libscols_line *line = table_line(table, NULL);
    char pid[24];
    snprintf(pid, sizeof pid, "%ld", (long)programs[i].pid);
    scols_line_set_data(line, 0, pid);
    scols_line_set_data(line, 1, programs[i].resident);
    scols_line_set_data(line, 2, programs[i].python);
    scols_line_set_data(line, 3, programs[i].command);
  }
  table_print(table);
}

void print_next(const char *what_for, const char *command, ...) {
  va_list arguments;
  fputs("\nnext:  ", stdout);
  va_start(arguments, command);
  vprintf(command, arguments);
  va_end(arguments);
  printf("   %s\n", what_for);
}
