/* SPDX-License-Identifier: MIT */
/* ouro refs: reference counts that nothing in the heap explains, by type. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/array.h"
#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "table.h"

#define LIMIT 20
/* Characters of the example's. */
#define NAME_ROOM 40
#define VALUE_ROOM 24

static const struct argp_option options[] = {CLI_HELP_OPTION,
                                             HEAPARGS_JSON_OPTION,
                                             HEAPARGS_LIMIT_OPTION("at most N types (default 20)"),
                                             {0}};

const struct argp argp_refs = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE [LATER-FILE]",
    .doc = "Compares each object's reference count with the references that were found. What is "
           "left over is held by C code, or was never released. Of two snapshots of one program "
           "shows what changed: a decref that is forgotten k times shows as k."
           "\vExample:  ouro refs before.snap after.snap"};

/* The object of a type that has most. */
typedef struct refs_example {
  char address[HEAP_ADDRESS];
  char name[HEAP_TEXT];  /* what it is called */
  char value[HEAP_TEXT]; /* what it holds; "" */
} refs_example;

/* One type, in one or both files. */
typedef struct refs_row {
  char type[HEAP_TEXT];
  audit_row was, is;
  refs_example example;
} refs_row;

/* An object of the earlier file, with references that nothing shows. */
typedef struct refs_object {
  uint64_t address;
  uint32_t references;
} refs_object;

typedef struct refs {
  refs_row *rows;
  size_t count, room;
  bool two;
  refs_object *known; /* by address */
  size_t known_count, known_room;
} refs;

static int64_t change(const refs_row *row) {
  return (int64_t)(row->is.references - row->was.references);
}

static refs_row *new_row(refs *r) {
  r->rows = array_widen(r->rows, &r->room, r->count, sizeof *r->rows);
  if (r->rows == NULL) cli_die(CLI_FAILED, "out of memory");
  refs_row *row = &r->rows[r->count++];
  memset(row, 0, sizeof *row);
  return row;
}

/* --- Examples of what changed --- */

static void remember(refs *r, const graph *g) {
  for (graph_node n = 0; n < g->nodes; n++) {
    uint32_t references = reach_unexplained(g, n);
    if (references == 0) continue;
    r->known = array_widen(r->known, &r->known_room, r->known_count, sizeof *r->known);
    if (r->known == NULL) cli_die(CLI_FAILED, "out of memory");
    r->known[r->known_count++] = (refs_object){graph_address(g, n), references};
  }
}

static int by_address(const void *a, const void *b) {
  const refs_object *x = a, *y = b;
  return x->address < y->address ? -1 : x->address > y->address;
}

/* References that nothing showed in the earlier file, of what lay there. */
static uint32_t known(const refs *r, uint64_t address) {
  refs_object key = {.address = address};
  const refs_object *found =
      r->known_count == 0 ? NULL
                          : bsearch(&key, r->known, r->known_count, sizeof *r->known, by_address);
  return found != NULL ? found->references : 0;
}

/* Of each type the object that has most more than what lay there before. That may have been another
 * one, and then this is one example less: no count depends on it. */
static void choose_examples(const refs *r, const graph *g, audit_row *rows, size_t count) {
  audit_row **of = calloc((size_t)g->types + 1, sizeof *of);
  if (of == NULL) cli_die(CLI_FAILED, "out of memory");
  for (size_t i = 0; i < count; i++) {
    of[rows[i].type] = &rows[i];
    rows[i].most = 0;
  }
  for (graph_node n = 0; n < g->nodes; n++) {
    uint32_t is = reach_unexplained(g, n), was = is > 0 ? known(r, graph_address(g, n)) : 0;
    audit_row *row = of[g->type[n]];
    if (row == NULL || is <= was || is - was <= row->most) continue;
    row->most = is - was;
    row->example = n;
  }
  free(of);
}

/* --- Rows --- */

static void add(audit_row *to, const audit_row *from) {
  to->objects += from->objects;
  to->references += from->references;
  to->bytes += from->bytes;
  to->overexplained += from->overexplained;
}

static void add_file(refs *r, const heapfile *h, bool later) {
  audit_row *rows;
  size_t count;
  if (!audit_types(&h->graph, &rows, &count)) cli_die(CLI_FAILED, "out of memory");
  if (!later) remember(r, &h->graph);
  else if (r->two) choose_examples(r, &h->graph, rows, count);
  for (size_t i = 0; i < count; i++) {
    refs_row *row = new_row(r);
    heap_clean(snapshot_type_of(h->from, rows[i].type).name, row->type);
    *(later ? &row->is : &row->was) = rows[i];
    if (rows[i].example >= h->graph.nodes) continue;
    heap_address(&h->graph, rows[i].example, row->example.address);
    heap_name(&h->graph, rows[i].example, row->example.name);
    heap_value(&h->graph, rows[i].example, row->example.value);
  }
  free(rows);
}

static int by_type(const void *a, const void *b) {
  return strcmp(((const refs_row *)a)->type, ((const refs_row *)b)->type);
}

/* Types of one name become one row: of two files nothing else is common. */
static void merge(refs *r) {
  size_t kept = 0;
  if (r->count > 0) qsort(r->rows, r->count, sizeof *r->rows, by_type);
  for (size_t i = 0; i < r->count; i++) {
    if (kept == 0 || by_type(&r->rows[kept - 1], &r->rows[i]) != 0) {
      r->rows[kept++] = r->rows[i];
      continue;
    }
    add(&r->rows[kept - 1].was, &r->rows[i].was);
    add(&r->rows[kept - 1].is, &r->rows[i].is);
    if (r->rows[i].is.references > 0) r->rows[kept - 1].example = r->rows[i].example;
  }
  r->count = kept;
}

static uint64_t distance(int64_t value) { return value < 0 ? -(uint64_t)value : (uint64_t)value; }

/* Most references first; of two files, what grew most and then what shrank. */
static int by_references(const void *a, const void *b) {
  const refs_row *x = a, *y = b;
  int64_t of_x = change(x), of_y = change(y);
  if (of_x != of_y) return of_x < of_y ? 1 : -1;
  return strcmp(x->type, y->type);
}

/* A single file stands as the later one of nothing. Rows without a change go. */
static void leave_out(refs *r) {
  size_t kept = 0;
  for (size_t i = 0; i < r->count; i++) {
    const refs_row *row = &r->rows[i];
    bool over = row->is.overexplained != row->was.overexplained;
    if (change(row) != 0 || over) r->rows[kept++] = *row;
  }
  r->count = kept;
  if (r->count > 0) qsort(r->rows, r->count, sizeof *r->rows, by_references);
}

/* --- Table --- */

static void set_count(struct libscols_line *line, size_t column, int64_t value, bool sign) {
  char count[DURATION_TEXT], text[DURATION_TEXT + 2];
  duration_format_count(distance(value), count);
  snprintf(text, sizeof text, "%s%s", value < 0 ? "-" : sign && value > 0 ? "+" : "", count);
  scols_line_set_data(line, column, text);
}

/* "0x7f3412000460", and behind that what code calls it: a class, a function, a module; or what it
 * holds. */
static void set_example(struct libscols_line *line, size_t column, const refs_example *one) {
  char name[HEAP_TEXT], text[HEAP_ADDRESS + HEAP_TEXT + 1]; /* two blanks, one end less */
  bool titled = one->name[0] && !strstr(one->name, one->address);
  strcpy(name, titled ? one->name : one->value);
  heap_shorten(name, titled ? NAME_ROOM : VALUE_ROOM);
  snprintf(text, sizeof text, "%s%s%s", one->address, name[0] ? "  " : "", name);
  scols_line_set_data(line, column, text);
}

static void add_row(struct libscols_table *table, const refs *r, const refs_row *row) {
  char type[HEAP_TEXT];
  struct libscols_line *line = table_line(table, NULL);
  strcpy(type, row->type);
  scols_line_set_data(line, 0, heap_shorten(type, 32));
  set_count(line, 1, (int64_t)(row->is.objects - row->was.objects), r->two);
  set_count(line, 2, change(row), r->two);
  set_count(line, 3, (int64_t)(row->is.overexplained - row->was.overexplained), r->two);
  set_example(line, 4, &row->example);
}

static void print_rows(const refs *r, size_t limit) {
  struct libscols_table *table = table_new();
  scols_table_new_column(table, "TYPE", 0, SCOLS_FL_TRUNC);
  scols_table_new_column(table, "OBJECTS", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "UNSEEN", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "TOO MANY", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "EXAMPLE", 0, 0);
  for (size_t i = 0; i < r->count && i < limit; i++) add_row(table, r, &r->rows[i]);
  table_print(table);
  if (r->count > limit)
    printf("and %zu more types; to see them: --limit %zu\n", r->count - limit, r->count);
}

static void print_totals(const refs *r) {
  char references[HEAP_COUNT], over[HEAP_COUNT];
  int64_t unseen = 0, beyond = 0;
  for (size_t i = 0; i < r->count; i++) {
    unseen += change(&r->rows[i]);
    beyond += (int64_t)(r->rows[i].is.overexplained - r->rows[i].was.overexplained);
  }
  heap_count(distance(unseen), "reference", references);
  heap_count(distance(beyond), "reference", over);
  const char *sign = !r->two ? "" : unseen < 0 ? "-" : "+";
  printf("\n%s%s that nothing shows%s\n", sign, references,
         r->two ? ": C code holds them, or they were never released" : "");
  if (beyond > 0) printf("%s more than counted: the snapshot or a count is wrong\n", over);
}

/* --- JSON --- */

static json_t *json_side(const audit_row *row) {
  return json_pack("{s:o, s:o, s:o, s:o}", "objects", heap_json_whole(row->objects), "unexplained",
                   heap_json_whole(row->references), "overexplained",
                   heap_json_whole(row->overexplained), "bytes", heap_json_whole(row->bytes));
}

static json_t *json_row(const refs *r, const refs_row *row) {
  json_t *object = json_pack("{s:s, s:s, s:s}", "type", row->type, "example", row->example.address,
                             "name", row->example.name);
  const char *value = row->example.value;
  if (value[0] != '\0') json_object_set_new(object, "value", json_string(value));
  if (!r->two) {
    json_object_update_new(object, json_side(&row->is));
    return object;
  }
  json_object_set_new(object, "before", json_side(&row->was));
  json_object_set_new(object, "after", json_side(&row->is));
  json_object_set_new(object, "change", json_integer(change(row)));
  return object;
}

static void print_json(const refs *r) {
  json_t *list = json_array();
  int64_t unseen = 0;
  for (size_t i = 0; i < r->count; i++) {
    json_array_append_new(list, json_row(r, &r->rows[i]));
    unseen += change(&r->rows[i]);
  }
  heap_json_print(json_pack("{s:I, s:o}", r->two ? "change" : "unexplained", (json_int_t)unseen,
                            "types", list));
}

static void next(const refs *r, const heapargs *what) {
  const char *file = what->word[what->words - 1];
  if (r->count == 0 || r->rows[0].is.references == 0) print_next("what grew", "ouro why %s", file);
  else print_next("who holds one of them", "ouro path %s %s", file, r->rows[0].example.address);
}

int cmd_refs(int argc, char **argv) {
  heapargs what = {.least = 1, .most = 2, .missing = "which file? to write one: ouro snap PID"};
  cli_parse(&argp_refs, argc, argv, &what);
  refs r = {.two = what.words == 2};
  for (size_t i = 0; i < what.words; i++) {
    heapfile h;
    heapfile_open(&h, what.word[i], HEAPFILE_GRAPH);
    add_file(&r, &h, i + 1 == what.words);
    heapfile_close(&h);
  }
  merge(&r);
  leave_out(&r);
  if (what.json) {
    print_json(&r);
  } else {
    if (r.count > 0) print_rows(&r, what.limit > 0 ? what.limit : LIMIT);
    print_totals(&r);
    next(&r, &what);
  }
  free(r.rows);
  free(r.known);
  return CLI_DONE;
}
