/* SPDX-License-Identifier: MIT */
/* ouro path: what keeps an object alive, or the objects of a type, grouped by how they are held. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "table.h"

#define LIMIT 3
#define LIMIT_MOST 64
/* Of a type with more objects at most so many are looked at, evenly spread, for about so long. */
#define SAMPLE 256
#define SECONDS 1

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    HEAPARGS_JSON_OPTION,
    HEAPARGS_LIMIT_OPTION("at most N paths, or N ways of being held (default 3)"),
    {0}};

const struct argp argp_path = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "FILE TYPE|ADDRESS",
    .doc = "Shows the shortest paths of references from a root to an object: why it is alive. Of a "
           "type, its objects are grouped by how they are held."
           "\vExample:  ouro path app.snap Session\n          ouro path app.snap 0x7f5c3a1b2c30"};

/* Objects that are held alike. */
typedef struct way {
  uint64_t signature, seen, bytes;
  path example;
} way;

typedef struct ways {
  way *all; /* room for SAMPLE */
  size_t count;
  uint64_t seen;
} ways;

static void add_way(ways *w, const graph *g, graph_node n, path *p) {
  uint64_t signature = path_signature(g, p);
  size_t i = 0;
  while (i < w->count && w->all[i].signature != signature) i++;
  if (i == w->count) w->all[w->count++] = (way){.signature = signature, .example = *p};
  else path_free(p);
  w->all[i].seen++;
  w->all[i].bytes += graph_size(g, n);
  w->seen++;
}

static int by_count(const void *a, const void *b) {
  const way *x = a, *y = b;
  return x->seen < y->seen ? 1 : x->seen > y->seen ? -1 : 0;
}

/* Nodes of the target, evenly spread over all; returns how many. */
static size_t take_sample(const graph *g, const heaptarget *t, graph_node out[SAMPLE]) {
  uint64_t met = 0, wanted = t->objects < SAMPLE ? t->objects : SAMPLE;
  size_t taken = 0;
  for (graph_node n = 0; n < g->nodes && taken < wanted; n++) {
    if (!heaptarget_has(t, g, n)) continue;
    /* The k-th one is the first beyond k / wanted of them all. */
    if (met++ * wanted >= taken * t->objects) out[taken++] = n;
  }
  return taken;
}

/* In strides, so that those that the time was enough for are spread, too. */
static void find_ways(ways *w, path_finder *finder, const graph *g, const heaptarget *t) {
  graph_node sample[SAMPLE];
  size_t count = take_sample(g, t, sample), stride = count % 97 != 0 ? 97 : 89;
  time_t began = time(NULL);
  w->all = calloc(SAMPLE, sizeof *w->all);
  if (w->all == NULL) cli_die(CLI_FAILED, "out of memory");
  for (size_t i = 0; i < count && time(NULL) - began <= SECONDS; i++) {
    path p;
    graph_node n = sample[i * stride % count];
    if (path_find(finder, n, &p, 1) == 0) cli_die(CLI_FAILED, "out of memory");
    add_way(w, g, n, &p);
  }
  qsort(w->all, w->count, sizeof *w->all, by_count);
}

/* What was seen, as a part of all objects or bytes. */
static uint64_t scaled(const ways *w, const heaptarget *t, uint64_t seen) {
  double times = (double)t->objects / (double)w->seen;
  return w->seen == t->objects ? seen : (uint64_t)((double)seen * times);
}

static uint64_t bytes_of(const ways *w, const heaptarget *t, const way *one) {
  return one->seen == w->seen ? t->bytes : scaled(w, t, one->bytes);
}

static void print_way(const graph *g, const ways *w, const heaptarget *t, const way *one) {
  char note[HEAP_TEXT], count[DURATION_TEXT], bytes[SIZE_TEXT];
  bool all = w->seen == t->objects;
  snprintf(note, sizeof note, "%s %s%s, %s", table_is_ascii() ? "x" : "\u00d7", all ? "" : "about ",
           duration_format_count(scaled(w, t, one->seen), count),
           size_format(bytes_of(w, t, one), false, bytes));
  putchar('\n');
  print_heap_path(g, &one->example, 0, note);
}

static json_t *json_way(const graph *g, const ways *w, const heaptarget *t, const way *one) {
  json_t *object = heap_json_path(g, &one->example);
  json_object_set_new(object, "objects", heap_json_whole(scaled(w, t, one->seen)));
  json_object_set_new(object, "bytes", heap_json_whole(bytes_of(w, t, one)));
  return object;
}

static void print_ways(const heapfile *h, const ways *w, const heaptarget *t, size_t limit) {
  char count[HEAP_COUNT], bytes[SIZE_TEXT], number[HEAP_COUNT];
  size_t shown = w->count < limit ? w->count : limit;
  printf("%s, %s", heap_count(t->objects, "object", count), size_format(t->bytes, false, bytes));
  if (w->seen < t->objects) printf("; %" PRIu64 " of them were looked at", w->seen);
  printf("; held in %s\n", heap_count(w->count, "way", number));
  for (size_t i = 0; i < shown; i++) print_way(&h->graph, w, t, &w->all[i]);
  if (shown < w->count)
    printf("\n%zu other ways; to see them: --limit %zu\n", w->count - shown, w->count);
}

static json_t *json_ways(const heapfile *h, const ways *w, const heaptarget *t, size_t limit) {
  json_t *list = json_array();
  for (size_t i = 0; i < w->count && i < limit; i++)
    json_array_append_new(list, json_way(&h->graph, w, t, &w->all[i]));
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "objects", heap_json_whole(t->objects), "bytes",
                   heap_json_whole(t->bytes), "looked_at", heap_json_whole(w->seen), "ways",
                   heap_json_whole(w->count), "paths", list);
}

static void of_type(const heapfile *h, path_finder *finder, const heaptarget *t,
                    const heapargs *what) {
  ways w = {0};
  size_t limit = what->limit > 0 ? what->limit : LIMIT;
  find_ways(&w, finder, &h->graph, t);
  if (what->json) heap_json_print(json_ways(h, &w, t, limit));
  else print_ways(h, &w, t, limit);
  for (size_t i = 0; i < w.count; i++) path_free(&w.all[i].example);
  free(w.all);
}

static void of_object(const heapfile *h, path_finder *finder, const heaptarget *t,
                      const heapargs *what) {
  path paths[LIMIT_MOST];
  size_t room = what->limit == 0 ? LIMIT : what->limit < LIMIT_MOST ? what->limit : LIMIT_MOST;
  size_t count = path_find(finder, t->node, paths, room);
  json_t *list = json_array();
  if (count == 0) cli_die(CLI_FAILED, "out of memory");
  for (size_t i = 0; i < count; i++) {
    if (what->json) {
      json_array_append_new(list, heap_json_path(&h->graph, &paths[i]));
    } else {
      if (i > 0) putchar('\n');
      print_heap_path(&h->graph, &paths[i], 0, NULL);
    }
    path_free(&paths[i]);
  }
  json_t *whole =
      json_pack("{s:o, s:o}", "object", heap_json_node(&h->graph, t->node), "paths", list);
  if (what->json) heap_json_print(whole);
  else json_decref(whole);
}

int cmd_path(int argc, char **argv) {
  heapargs what = {.least = 2,
                   .most = 2,
                   .missing =
                       "which file, and which type or address? as: ouro path app.snap Session"};
  heapfile h;
  heaptarget t;
  cli_parse(&argp_path, argc, argv, &what);
  heapfile_open(&h, what.word[0], HEAPFILE_GRAPH);
  heaptarget_find(&t, &h, what.word[1]);
  path_finder *finder = path_finder_make(&h.graph);
  if (finder == NULL) cli_die(CLI_FAILED, "out of memory");
  if (t.wanted != NULL) of_type(&h, finder, &t, &what);
  else of_object(&h, finder, &t, &what);
  if (!what.json)
    print_next("what it alone keeps alive", "ouro dom %s %s", what.word[0], what.word[1]);
  path_finder_free(finder);
  heaptarget_free(&t);
  heapfile_close(&h);
  return CLI_DONE;
}
