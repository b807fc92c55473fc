/* SPDX-License-Identifier: MIT */
/* ouro sql: questions of one's own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heapargs.h"
#include "print.h"
#include "print_heap.h"
#include "sqlheap.h"
#include "table.h"

#define ROWS_MOST 1000 /* in a table, unless --limit says otherwise */
#define CELL_ROOM 50

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    {"json", HEAPARGS_JSON, NULL, 0, "as JSON, one object per line and row", 0},
    HEAPARGS_LIMIT_OPTION("print at most N rows (default 1000; with --json all)"),
    {0}};

const struct argp argp_sql = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE [QUERY]",
    .doc = "Answers a query in SQL over the snapshot's tables; without one names them."
           "\vExample:  ouro sql app.snap \"SELECT * FROM type ORDER BY bytes DESC LIMIT 10\""};

/* Queries read; nothing else can be asked for. */
static int only_queries(void *data, int action, const char *a, const char *b, const char *c,
                        const char *d) {
  (void)data, (void)a, (void)b, (void)c, (void)d;
  bool reads = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION ||
               action == SQLITE_RECURSIVE;
  return reads ? SQLITE_OK : SQLITE_DENY;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *query) {
  sqlite3_stmt *made;
  const char *rest;
  int status = sqlite3_prepare_v2(db, query, -1, &made, &rest);
  if (status == SQLITE_AUTH) cli_die(CLI_USAGE, "a snapshot can only be read: SELECT ... FROM ...");
  if (status != SQLITE_OK) cli_die(CLI_USAGE, "%s", sqlite3_errmsg(db));
  if (made == NULL) cli_die(CLI_USAGE, "the query is empty");
  if (rest[strspn(rest, " \t\r\n;")] != '\0') cli_die(CLI_USAGE, "one query at a time");
  return made;
}

/* --- Table --- */

static bool is_address(const char *column) {
  static const char *const names[] = {"address", "source", "target", "dominator"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(column, names[i]) == 0) return true;
  return false;
}

static const char *text_of(sqlite3_stmt *row, int column, char out[HEAP_TEXT]) {
  const char *text = (const char *)sqlite3_column_text(row, column);
  return heap_clean_string(text != NULL ? text : "", out);
}

static void add_row(struct libscols_table *table, sqlite3_stmt *row, int columns) {
  struct libscols_line *line = table_line(table, NULL);
  char cell[HEAP_TEXT];
  for (int i = 0; i < columns; i++) {
    bool whole = sqlite3_column_type(row, i) == SQLITE_INTEGER;
    if (whole && is_address(sqlite3_column_name(row, i)))
      snprintf(cell, sizeof cell, "0x%" PRIx64, (uint64_t)sqlite3_column_int64(row, i));
    else text_of(row, i, cell);
    scols_line_set_data(line, (size_t)i, columns > 1 ? heap_shorten(cell, CELL_ROOM) : cell);
  }
}

/* Numbers stand on the right: what the first row has in a column, the others have too. */
static struct libscols_table *new_table(sqlite3_stmt *row, int columns, bool any) {
  struct libscols_table *table = table_new();
  char name[HEAP_TEXT];
  for (int i = 0; i < columns; i++) {
    int type = any ? sqlite3_column_type(row, i) : SQLITE_TEXT;
    bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    heap_clean_string(sqlite3_column_name(row, i), name);
    scols_table_new_column(table, name, 0, number ? SCOLS_FL_RIGHT : SCOLS_FL_TRUNC);
  }
  return table;
}

static int print_table(sqlite3_stmt *query, uint64_t limit) {
  int columns = sqlite3_column_count(query), status = sqlite3_step(query);
  struct libscols_table *table = new_table(query, columns, status == SQLITE_ROW);
  uint64_t rows = 0;
  for (; status == SQLITE_ROW && rows < limit; status = sqlite3_step(query), rows++)
    add_row(table, query, columns);
  bool more = status == SQLITE_ROW;
  if (rows > 0) table_print(table);
  else scols_unref_table(table);
  if (rows == 0 && status == SQLITE_DONE) puts("no rows");
  if (more) printf("and more rows; to see them: --limit %" PRIu64 ", or --json\n", 10 * limit);
  return more ? SQLITE_DONE : status;
}

/* --- JSON --- */

static json_t *json_cell(sqlite3_stmt *row, int column) {
  char text[HEAP_TEXT];
  switch (sqlite3_column_type(row, column)) {
  case SQLITE_INTEGER: return json_integer(sqlite3_column_int64(row, column));
  case SQLITE_FLOAT: return json_real(sqlite3_column_double(row, column));
  case SQLITE_NULL: return json_null();
  default: return json_string(text_of(row, column, text));
  }
}

static int print_json(sqlite3_stmt *query, uint64_t limit) {
  int columns = sqlite3_column_count(query), status = sqlite3_step(query);
  char name[HEAP_TEXT];
  for (; status == SQLITE_ROW && limit > 0 && !ferror(stdout); status = sqlite3_step(query)) {
    json_t *row = json_object();
    for (int i = 0; i < columns; i++)
      json_object_set_new(row, heap_clean_string(sqlite3_column_name(query, i), name),
                          json_cell(query, i));
    json_dumpf(row, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(row);
    limit--;
  }
  return status == SQLITE_ROW ? SQLITE_DONE : status;
}

/* --- All --- */

static int answer(heapfile *file, const heapargs *what) {
  sqlheap heap = {.file = file};
  sqlite3 *db;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK || sqlheap_attach(db, &heap) != SQLITE_OK)
    cli_die(CLI_FAILED, "SQLite does not start: %s", sqlite3_errmsg(db));
  sqlite3_set_authorizer(db, only_queries, NULL);
  sqlite3_stmt *query = prepare(db, what->word[1]);
  int status = what->json ? print_json(query, what->limit > 0 ? what->limit : UINT64_MAX)
                          : print_table(query, what->limit > 0 ? what->limit : ROWS_MOST);
  if (status != SQLITE_DONE) cli_say(CLI_FAILED, "%s: %s", what->word[0], sqlite3_errmsg(db));
  sqlite3_finalize(query);
  sqlite3_close(db);
  sqlheap_finish(&heap);
  return status == SQLITE_DONE ? CLI_DONE : CLI_FAILED;
}

static void print_tables(const char *file, bool values) {
  puts(values ? "tables; object.value has values of the program:\n" : "tables:\n");
  for (size_t i = 0; sqlheap_table(i) != NULL; i++) {
    const char *at = sqlheap_table(i);
    int column = printf("  %.*s(", (int)strcspn(at, "("), at);
    at += strcspn(at, "(") + 1;
    /* Names without their types, as many on a line as fit. */
    for (const char *comma = ""; *at != '\0'; comma = ", ") {
      int length = (int)strcspn(at, " ,)");
      if (column + length + 3 > 79)
        printf("%s\n", comma[0] != '\0' ? "," : ""), column = printf("    "), comma = "";
      column += printf("%s%.*s", comma, length, at);
      at += strcspn(at, ",)");
      at += strspn(at, ",) ");
    }
    puts(")");
  }
  puts("\nobject.type is type.name; source, target and dominator are addresses. An address\n"
       "is looked up at once, all objects of a type in one pass.");
  print_next("largest types", "ouro sql %s 'SELECT * FROM type ORDER BY bytes DESC LIMIT 9'", file);
}

int cmd_sql(int argc, char **argv) {
  heapargs what = {.least = 1, .most = 2, .missing = "which file? to write one: ouro snap PID"};
  heapfile file;
  cli_parse(&argp_sql, argc, argv, &what);
  heapfile_open(&file, what.word[0], HEAPFILE_GRAPH);
  int status = CLI_DONE;
  if (what.words == 2) status = answer(&file, &what);
  else print_tables(what.word[0], snapshot_holds_contents(file.from));
  heapfile_close(&file);
  return status;
}
