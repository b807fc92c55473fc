/* SPDX-License-Identifier: MIT */
#include "sqlheap.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "print_heap.h"
#include "snapshot/literal.h"

/* Of an edge's target with more referrers than this the whole file is read once instead. */
#define REFERRERS_MOST 500

/* How a query finds its rows. */
typedef enum plan { PLAN_ALL, PLAN_FIRST_KEY, PLAN_SECOND_KEY } plan;

typedef struct place place;

/* One of the tables. */
typedef struct shape {
  const char *declaration;
  int keys[2];    /* columns that a plan looks up, -1: none */
  double cost[2]; /* rows that it then expects; of more than the square root of all it is a scan */
  uint64_t (*rows)(const sqlheap *heap);
  /* Goes to the first row at or after `p->row`; false: there is none. */
  bool (*seek)(place *p);
  void (*begin)(place *p, plan how, sqlite3_value *key); /* NULL: all rows, in turn */
  void (*column)(const place *p, sqlite3_context *to, int column);
} shape;

typedef struct table {
  sqlite3_vtab base;
  sqlheap *heap;
  const shape *of;
} table;

struct place {
  sqlite3_vtab_cursor base;
  sqlheap *heap;
  const shape *of;
  uint64_t row, rows;
  bool done, damaged;
  uint8_t *wanted; /* of objects: their types */
  /* Of edges. */
  graph_node target_wanted;
  graph_node *referrers; /* to look at, up to their count */
  size_t referrer, referrer_count;
  snapshot_edge *edges; /* of one object */
  size_t edge, edge_count, edge_room;
  uint64_t source, target, label;
  snapshot_label_kind kind;
  snapshot_cursor cursor;
  size_t block;
  bool in_block;
};

static const graph *graph_of(const place *p) { return &p->heap->file->graph; }

static void give_address(sqlite3_context *to, const graph *g, graph_node n) {
  if (n != GRAPH_NONE) sqlite3_result_int64(to, (sqlite3_int64)graph_address(g, n));
}

static void give_text(sqlite3_context *to, snapshot_text text) {
  char clean[HEAP_TEXT];
  sqlite3_result_text(to, heap_clean(text, clean), -1, SQLITE_TRANSIENT);
}

static void give_word(sqlite3_context *to, const char *word) {
  sqlite3_result_text(to, word, -1, SQLITE_STATIC);
}

static void give_whole(sqlite3_context *to, uint64_t value) {
  sqlite3_result_int64(to, value <= INT64_MAX ? (sqlite3_int64)value : INT64_MAX);
}

/* Rows in turn: all of them are there. */
static bool seek_any(place *p) { return p->row < p->rows; }

/* --- object --- */

enum {
  OBJECT_ADDRESS,
  OBJECT_TYPE,
  OBJECT_SIZE,
  OBJECT_COUNT,
  OBJECT_GENERATION,
  OBJECT_TRACKED,
  OBJECT_CLASS,
  OBJECT_RETAINED,
  OBJECT_DOMINATOR,
  OBJECT_VALUE
};

static uint64_t object_rows(const sqlheap *heap) { return heap->file->graph.nodes; }

static void mark_types(place *p, const char *name) {
  const snapshot *from = p->heap->file->from;
  char clean[HEAP_TEXT];
  uint64_t types = snapshot_count(from).types;
  p->wanted = sqlite3_malloc64(types + 1);
  if (p->wanted == NULL) cli_die(CLI_FAILED, "out of memory");
  for (uint64_t i = 0; i < types; i++)
    p->wanted[i] = strcmp(heap_clean(snapshot_type_of(from, (uint32_t)i).name, clean), name) == 0;
}

static void object_begin(place *p, plan how, sqlite3_value *key) {
  if (how == PLAN_FIRST_KEY) {
    bool whole = sqlite3_value_type(key) == SQLITE_INTEGER;
    graph_node n = whole ? graph_find(graph_of(p), (uint64_t)sqlite3_value_int64(key)) : GRAPH_NONE;
    p->row = n == GRAPH_NONE ? 0 : n;
    p->rows = n == GRAPH_NONE ? 0 : (uint64_t)n + 1;
  } else if (how == PLAN_SECOND_KEY) {
    const char *name = (const char *)sqlite3_value_text(key);
    mark_types(p, name != NULL ? name : "");
  }
}

static bool object_seek(place *p) {
  const uint32_t *type = graph_of(p)->type;
  if (p->wanted != NULL)
    while (p->row < p->rows && !p->wanted[type[p->row]]) p->row++;
  return p->row < p->rows;
}

static void object_worked_out(const place *p, sqlite3_context *to, graph_node n, int column) {
  heapfile *file = p->heap->file;
  heapfile_want(file, column == OBJECT_CLASS ? HEAPFILE_CLASSES : HEAPFILE_ALL);
  if (column == OBJECT_CLASS) give_word(to, heap_class(file->reach.class[n]));
  else if (column == OBJECT_RETAINED) give_whole(to, file->reach.retained[n]);
  else give_address(to, &file->graph, file->reach.idom[n]);
}

/* Numbers as numbers, but for inf and nan; a str as it is, all else as Python writes it. */
static void give_value(sqlite3_context *to, const snapshot *from, uint64_t address) {
  snapshot_content content;
  char text[HEAP_TEXT];
  if (!snapshot_content_of(from, address, &content)) return;
  snapshot_text said = content.text;
  bool number = content.form == SNAPSHOT_CONTENT_INT || content.form == SNAPSHOT_CONTENT_FLOAT;
  /* Unlike strtod this reads a point as a point in every locale. */
  json_t *read = number ? json_loadb(said.text, said.length, JSON_DECODE_ANY, NULL) : NULL;
  if (json_is_integer(read)) sqlite3_result_int64(to, json_integer_value(read));
  else if (json_is_real(read)) sqlite3_result_double(to, json_real_value(read));
  else if (content.form == SNAPSHOT_CONTENT_STR) give_text(to, said);
  else sqlite3_result_text(to, literal_write(&content, text, sizeof text), -1, SQLITE_TRANSIENT);
  json_decref(read);
}

static void object_column(const place *p, sqlite3_context *to, int column) {
  const graph *g = graph_of(p);
  graph_node n = (graph_node)p->row;
  char name[HEAP_TEXT];
  bool tracked = g->flags[n] & SNAPSHOT_TRACKED;
  switch (column) {
  case OBJECT_ADDRESS: give_address(to, g, n); break;
  case OBJECT_TYPE: sqlite3_result_text(to, heap_type(g, n, name), -1, SQLITE_TRANSIENT); break;
  case OBJECT_SIZE: give_whole(to, graph_size(g, n)); break;
  case OBJECT_COUNT:
    if (graph_counted(g, n)) give_whole(to, g->count[n]);
    break;
  case OBJECT_GENERATION:
    if (tracked) sqlite3_result_int(to, g->flags[n] & SNAPSHOT_GENERATION);
    break;
  case OBJECT_TRACKED: sqlite3_result_int(to, tracked); break;
  case OBJECT_VALUE: give_value(to, g->from, graph_address(g, n)); break;
  default: object_worked_out(p, to, n, column);
  }
}

/* --- edge --- */

enum { EDGE_SOURCE, EDGE_TARGET, EDGE_KIND, EDGE_NAME };

static uint64_t edge_rows(const sqlheap *heap) { return heap->file->graph.edges; }

static bool collect(void *to, const snapshot_edge *edge) {
  place *p = to;
  if (p->edge_count == p->edge_room) {
    p->edge_room = p->edge_room > 0 ? 2 * p->edge_room : 64;
    p->edges = sqlite3_realloc64(p->edges, p->edge_room * sizeof *p->edges);
    if (p->edges == NULL) cli_die(CLI_FAILED, "out of memory");
  }
  p->edges[p->edge_count++] = *edge;
  return true;
}

static int by_node(const void *a, const void *b) {
  graph_node x = *(const graph_node *)a, y = *(const graph_node *)b;
  return x < y ? -1 : x > y;
}

/* Parallel edges bring a referrer once: its edges are looked at one by one. */
static void gather_referrers(place *p, graph_node target) {
  const graph *g = graph_of(p);
  uint32_t degree = graph_in_degree(g, target);
  graph_node *all = sqlite3_malloc64((degree + 1) * sizeof *all);
  if (all == NULL) cli_die(CLI_FAILED, "out of memory");
  if (degree > 0) memcpy(all, g->in + g->first_in[target], degree * sizeof *all);
  qsort(all, degree, sizeof *all, by_node);
  for (uint32_t i = 0; i < degree; i++)
    if (i == 0 || all[i] != all[i - 1]) all[p->referrer_count++] = all[i];
  p->referrers = all;
}

static void edge_begin(place *p, plan how, sqlite3_value *key) {
  const graph *g = graph_of(p);
  p->target_wanted = GRAPH_NONE;
  p->referrer = p->referrer_count = p->edge = p->edge_count = p->block = 0;
  p->in_block = false;
  if (how == PLAN_ALL) return;
  bool whole = sqlite3_value_type(key) == SQLITE_INTEGER;
  graph_node n = whole ? graph_find(g, (uint64_t)sqlite3_value_int64(key)) : GRAPH_NONE;
  if (n == GRAPH_NONE) {
    p->rows = 0;
  } else if (how == PLAN_FIRST_KEY) {
    p->referrers = sqlite3_malloc64(sizeof *p->referrers);
    if (p->referrers == NULL) cli_die(CLI_FAILED, "out of memory");
    p->referrers[p->referrer_count++] = n;
  } else if (graph_in_degree(g, n) <= REFERRERS_MOST) {
    gather_referrers(p, n);
    p->target_wanted = n;
  }
}

static void take_edge(place *p, uint64_t source, const snapshot_edge *edge) {
  p->source = source;
  p->target = edge->target;
  p->kind = edge->kind;
  p->label = edge->label;
}

/* The next edge of the objects that were gathered. */
static bool next_gathered(place *p) {
  const graph *g = graph_of(p);
  for (;;) {
    while (p->edge < p->edge_count) {
      const snapshot_edge *edge = &p->edges[p->edge++];
      graph_node target = graph_find(g, edge->target);
      if (target == GRAPH_NONE) continue;
      if (p->target_wanted != GRAPH_NONE && target != p->target_wanted) continue;
      take_edge(p, graph_address(g, p->referrers[p->referrer - 1]), edge);
      return true;
    }
    if (p->referrer == p->referrer_count) return false;
    p->edge = p->edge_count = 0;
    graph_edges(g, p->referrers[p->referrer++], collect, p);
  }
}

static bool next_block(place *p) {
  const snapshot *from = p->heap->file->from;
  if (p->block == snapshot_object_blocks(from)) return false;
  if (!cursor_begin(&p->cursor, from, p->block++)) cli_die(CLI_FAILED, "out of memory");
  p->in_block = true;
  return true;
}

/* The next edge of the file. */
static bool next_of_file(place *p) {
  snapshot_edge edge;
  for (;;) {
    while (p->in_block && cursor_edge(&p->cursor, &edge)) {
      if (graph_find(graph_of(p), edge.target) == GRAPH_NONE) continue;
      take_edge(p, p->cursor.object.address, &edge);
      return true;
    }
    if (p->in_block && cursor_object(&p->cursor)) continue;
    if (p->in_block && p->cursor.damaged) p->damaged = true;
    if (p->damaged || !next_block(p)) return false;
  }
}

static bool edge_seek(place *p) {
  if (p->rows == 0) return false;
  return p->referrers != NULL ? next_gathered(p) : next_of_file(p);
}

static void edge_name(const place *p, sqlite3_context *to) {
  snapshot_text_kind kind;
  snapshot_text text;
  const snapshot *from = p->heap->file->from;
  if (snapshot_label_named(p->kind)) give_text(to, snapshot_name(from, p->label));
  else if (p->kind == SNAPSHOT_INDEX) give_whole(to, p->label);
  else if (p->kind == SNAPSHOT_VALUE && snapshot_text_of(from, p->label, &kind, &text))
    give_text(to, text);
}

static void edge_column(const place *p, sqlite3_context *to, int column) {
  switch (column) {
  case EDGE_SOURCE: give_whole(to, p->source); break;
  case EDGE_TARGET: give_whole(to, p->target); break;
  case EDGE_KIND: give_word(to, heap_label_kind(p->kind)); break;
  default: edge_name(p, to);
  }
}

/* --- type --- */

enum { TYPE_ID, TYPE_NAME, TYPE_KIND, TYPE_OBJECTS, TYPE_BYTES };

static uint64_t type_rows(const sqlheap *heap) { return snapshot_count(heap->file->from).types; }

static void type_begin(place *p, plan how, sqlite3_value *key) {
  if (how == PLAN_ALL) return;
  sqlite3_int64 id = sqlite3_value_type(key) == SQLITE_INTEGER ? sqlite3_value_int64(key) : -1;
  bool there = id >= 0 && (uint64_t)id < p->rows;
  p->row = there ? (uint64_t)id : 0;
  p->rows = there ? (uint64_t)id + 1 : 0;
}

static void count_types(sqlheap *heap) {
  const graph *g = &heap->file->graph;
  heap->of_type = calloc(2 * type_rows(heap) + 1, sizeof *heap->of_type);
  if (heap->of_type == NULL) cli_die(CLI_FAILED, "out of memory");
  for (graph_node n = 0; n < g->nodes; n++) {
    heap->of_type[2 * (size_t)g->type[n]]++;
    heap->of_type[2 * (size_t)g->type[n] + 1] += graph_size(g, n);
  }
}

static const char *type_kind(snapshot_type_kind kind) {
  static const char *const words[] = {
      "other",   "instance",  "dict",      "list",         "tuple",     "set",    "str",
      "bytes",   "number",    "type",      "module",       "function",  "method", "code",
      "cell",    "frame",     "traceback", "exception",    "generator", "task",   "context",
      "weakref", "lru_cache", "partial",   "thread_local", "capsule"};
  OURO_STATIC_ASSERT(sizeof words / sizeof *words == SNAPSHOT_TYPE_KINDS, "a word for each");
  return kind < SNAPSHOT_TYPE_KINDS ? words[kind] : "other";
}

static void type_column(const place *p, sqlite3_context *to, int column) {
  snapshot_type type = snapshot_type_of(p->heap->file->from, (uint32_t)p->row);
  if (column >= TYPE_OBJECTS && p->heap->of_type == NULL) count_types(p->heap);
  switch (column) {
  case TYPE_ID: give_whole(to, p->row); break;
  case TYPE_NAME: give_text(to, type.name); break;
  case TYPE_KIND: give_word(to, type_kind(type.kind)); break;
  default: give_whole(to, p->heap->of_type[2 * p->row + (column == TYPE_BYTES)]);
  }
}

/* --- root --- */

static uint64_t root_rows(const sqlheap *heap) { return snapshot_count(heap->file->from).roots; }

static void root_column(const place *p, sqlite3_context *to, int column) {
  snapshot_root root = snapshot_nth_root(p->heap->file->from, (size_t)p->row);
  if (column == 0) give_word(to, heap_root_kind(root.kind));
  else if (column == 1) give_text(to, root.text);
  else give_whole(to, root.target);
}

/* --- finding --- */

static void finding_begin(place *p, plan how, sqlite3_value *key) {
  sqlheap *heap = p->heap;
  (void)how, (void)key;
  if (!heap->judged) {
    heapfile_want(heap->file, HEAPFILE_ALL);
    const reach *only = &heap->file->reach;
    graph_progress progress = heapfile_progress_of(heap->file);
    heap->judged = verdict_find(&heap->verdict, &only, 1, &progress);
    heapfile_progress_end(heap->file);
    if (!heap->judged) cli_die(CLI_FAILED, "not enough memory for the verdict");
  }
  p->rows = heap->verdict.count;
}

static uint64_t finding_rows(const sqlheap *heap) {
  (void)heap;
  return 16; /* as a guess for the planner */
}

static void finding_column(const place *p, sqlite3_context *to, int column) {
  const finding *f = &p->heap->verdict.findings[p->row];
  switch (column) {
  case 0: give_word(to, verdict_class_name(f->class)); break;
  case 1: give_word(to, verdict_holder_name(f->holder)); break;
  case 2: give_whole(to, f->bytes); break;
  case 3: sqlite3_result_double(to, f->share); break;
  default: give_text(to, (snapshot_text){f->title, (uint32_t)strlen(f->title)});
  }
}

/* --- The tables --- */

static const shape shapes[] = {
    {"object(address INTEGER, type TEXT, size INTEGER, count INTEGER, generation INTEGER, "
     "tracked INTEGER, class TEXT, retained INTEGER, dominator INTEGER, value)",
     {OBJECT_ADDRESS, OBJECT_TYPE},
     {1, 1000},
     object_rows,
     object_seek,
     object_begin,
     object_column},
    {"edge(source INTEGER, target INTEGER, kind TEXT, name)",
     {EDGE_SOURCE, EDGE_TARGET},
     {10, 20},
     edge_rows,
     edge_seek,
     edge_begin,
     edge_column},
    {"type(id INTEGER, name TEXT, kind TEXT, objects INTEGER, bytes INTEGER)",
     {TYPE_ID, -1},
     {1, 0},
     type_rows,
     seek_any,
     type_begin,
     type_column},
    {"root(kind TEXT, name TEXT, target INTEGER)",
     {-1, -1},
     {0, 0},
     root_rows,
     seek_any,
     NULL,
     root_column},
    {"finding(class TEXT, holder TEXT, bytes INTEGER, share REAL, title TEXT)",
     {-1, -1},
     {0, 0},
     finding_rows,
     seek_any,
     finding_begin,
     finding_column},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

const char *sqlheap_table(size_t n) { return n < SHAPES ? shapes[n].declaration : NULL; }

static size_t name_length(const shape *of) { return strcspn(of->declaration, "("); }

static int vt_connect(sqlite3 *db, void *data, int argc, const char *const *argv,
                      sqlite3_vtab **out, char **error) {
  sqlheap *heap = data;
  const shape *of = NULL;
  (void)argc, (void)error;
  for (int i = 0; i < SHAPES; i++)
    if (strlen(argv[0]) == name_length(&shapes[i]) &&
        memcmp(argv[0], shapes[i].declaration, strlen(argv[0])) == 0)
      of = &shapes[i];
  char *sql = sqlite3_mprintf("CREATE TABLE %s", of->declaration);
  int status = sql != NULL ? sqlite3_declare_vtab(db, sql) : SQLITE_NOMEM;
  sqlite3_free(sql);
  if (status != SQLITE_OK) return status;
  table *made = sqlite3_malloc(sizeof *made);
  if (made == NULL) return SQLITE_NOMEM;
  *made = (table){.heap = heap, .of = of};
  *out = &made->base;
  return SQLITE_OK;
}

static int vt_disconnect(sqlite3_vtab *vtab) {
  sqlite3_free(vtab);
  return SQLITE_OK;
}

/* The constraint that says the column equals something, -1: none. */
static int equals(const sqlite3_index_info *info, int column) {
  for (int i = 0; i < info->nConstraint; i++)
    if (info->aConstraint[i].usable && info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
        info->aConstraint[i].iColumn == column)
      return i;
  return -1;
}

/* SQLite checks what was asked for once more, so that a plan may bring more rows. */
static int vt_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info) {
  const table *t = (table *)vtab;
  double all = (double)t->of->rows(t->heap) + 1;
  info->idxNum = PLAN_ALL;
  info->estimatedCost = all;
  info->estimatedRows = (sqlite3_int64)all;
  for (int k = 0; k < 2; k++) {
    int constraint = t->of->keys[k] >= 0 ? equals(info, t->of->keys[k]) : -1;
    if (constraint < 0) continue;
    info->aConstraintUsage[constraint].argvIndex = 1;
    info->idxNum = PLAN_FIRST_KEY + k;
    info->estimatedRows = (sqlite3_int64)t->of->cost[k];
    info->estimatedCost = t->of->cost[k] < 1000 ? t->of->cost[k] : all / 10;
    if (t->of->cost[k] == 1) info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    break;
  }
  return SQLITE_OK;
}

static int vt_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out) {
  const table *t = (table *)vtab;
  place *p = sqlite3_malloc(sizeof *p);
  if (p == NULL) return SQLITE_NOMEM;
  memset(p, 0, sizeof *p);
  p->heap = t->heap;
  p->of = t->of;
  *out = &p->base;
  return SQLITE_OK;
}

static void forget(place *p) {
  sqlite3_free(p->wanted);
  sqlite3_free(p->referrers);
  p->wanted = NULL;
  p->referrers = NULL;
}

static int vt_close(sqlite3_vtab_cursor *cursor) {
  place *p = (place *)cursor;
  forget(p);
  sqlite3_free(p->edges);
  cursor_finish(&p->cursor);
  sqlite3_free(p);
  return SQLITE_OK;
}

static int seek(place *p) {
  p->done = !p->of->seek(p);
  if (!p->damaged) return SQLITE_OK;
  sqlite3_free(p->base.pVtab->zErrMsg);
  p->base.pVtab->zErrMsg = sqlite3_mprintf("the file is damaged");
  return SQLITE_ERROR;
}

static int vt_filter(sqlite3_vtab_cursor *cursor, int how, const char *ignored, int argc,
                     sqlite3_value **argv) {
  place *p = (place *)cursor;
  (void)ignored;
  forget(p);
  p->row = 0;
  p->rows = p->of->rows(p->heap);
  if (p->of->begin != NULL) p->of->begin(p, (plan)how, argc > 0 ? argv[0] : NULL);
  return seek(p);
}

static int vt_next(sqlite3_vtab_cursor *cursor) {
  place *p = (place *)cursor;
  p->row++;
  return seek(p);
}

static int vt_eof(sqlite3_vtab_cursor *cursor) { return ((place *)cursor)->done; }

static int vt_column(sqlite3_vtab_cursor *cursor, sqlite3_context *to, int column) {
  const place *p = (place *)cursor;
  p->of->column(p, to, column);
  return SQLITE_OK;
}

static int vt_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
  *out = (sqlite3_int64)((place *)cursor)->row;
  return SQLITE_OK;
}

/* Without xCreate the tables are there by their own names, and can be neither made nor dropped. */
static const sqlite3_module module = {.iVersion = 1,
                                      .xConnect = vt_connect,
                                      .xBestIndex = vt_best_index,
                                      .xDisconnect = vt_disconnect,
                                      .xOpen = vt_open,
                                      .xClose = vt_close,
                                      .xFilter = vt_filter,
                                      .xNext = vt_next,
                                      .xEof = vt_eof,
                                      .xColumn = vt_column,
                                      .xRowid = vt_rowid};

int sqlheap_attach(sqlite3 *db, sqlheap *heap) {
  int status = SQLITE_OK;
  for (int i = 0; i < SHAPES && status == SQLITE_OK; i++) {
    char name[16] = "";
    memcpy(name, shapes[i].declaration, name_length(&shapes[i]));
    status = sqlite3_create_module(db, name, &module, heap);
  }
  /* Connects them: declaring a table would be more than a query, later. */
  const char *all = "SELECT 1 FROM object, edge, type, root, finding LIMIT 0";
  return status == SQLITE_OK ? sqlite3_exec(db, all, NULL, NULL, NULL) : status;
}

void sqlheap_finish(sqlheap *heap) {
  free(heap->of_type);
  if (heap->judged) verdict_finish(&heap->verdict);
}
