/* SPDX-License-Identifier: MIT */
#include "heapfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "print_heap.h"

/* --- Progress --- */

#define PATIENCE_SECONDS 2.0

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void show(void *to, const char *what, double done) {
  heapfile_progress *line = to;
  if (now() - line->began < PATIENCE_SECONDS || !isatty(STDERR_FILENO)) return;
  fprintf(stderr, "\r\033[K%s ... %.0f %%", what, 100 * done);
  fflush(stderr);
  line->shown = true;
}

graph_progress heapfile_progress_of(heapfile *h) {
  return (graph_progress){.show = show, .to = &h->progress};
}

void heapfile_progress_end(heapfile *h) {
  if (h->progress.shown) fputs("\r\033[K", stderr);
  h->progress.shown = false;
}

/* --- Files --- */

static _Noreturn void could_not(heapfile *h, const char *why) {
  heapfile_progress_end(h);
  cli_die(CLI_FAILED, "%s: %s", h->path, why);
}

void heapfile_want(heapfile *h, heapfile_need need) {
  const char *lacking = "not enough memory to work out what holds what";
  if (need <= h->has) return;
  graph_progress progress = heapfile_progress_of(h);
  if (need == HEAPFILE_ALL) {
    if (h->has == HEAPFILE_CLASSES) reach_finish(&h->reach);
    if (!reach_build(&h->reach, &h->graph, &progress)) could_not(h, lacking);
  } else if (!reach_classify(&h->reach, &h->graph)) {
    could_not(h, lacking);
  }
  h->has = need;
  heapfile_progress_end(h);
}

void heapfile_open(heapfile *h, const char *path, heapfile_need need) {
  char why[SNAPSHOT_WHY];
  *h = (heapfile){.path = path, .has = HEAPFILE_GRAPH, .progress.began = now()};
  graph_progress progress = heapfile_progress_of(h);
  h->from = snapshot_open(path, why);
  if (h->from == NULL) could_not(h, why);
  if (!snapshot_complete(h->from))
    cli_say(0, "%s: its writer did not finish; what follows is of the part that is there", path);
  if (!graph_build(&h->graph, h->from, &progress, why)) could_not(h, why);
  heapfile_progress_end(h);
  heapfile_want(h, need);
}

void heapfile_close(heapfile *h) {
  if (h->has != HEAPFILE_GRAPH) reach_finish(&h->reach);
  graph_finish(&h->graph);
  snapshot_close(h->from);
}

uint64_t heapfile_bytes(const heapfile *h) {
  uint64_t bytes = 0;
  for (graph_node n = 0; n < h->graph.nodes; n++) bytes += graph_size(&h->graph, n);
  return bytes;
}

/* --- Targets --- */

#define NEAREST 3

static bool equal(snapshot_text a, const char *text) {
  return strlen(text) == a.length && memcmp(a.text, text, a.length) == 0;
}

static snapshot_text last_part(snapshot_text name) {
  for (uint32_t i = name.length; i > 0; i--)
    if (name.text[i - 1] == '.') return (snapshot_text){name.text + i, name.length - i};
  return name;
}

static void find_address(heaptarget *t, const heapfile *h, const char *text) {
  char *end;
  unsigned long long address = strtoull(text, &end, 16);
  if (*end != '\0') cli_die(CLI_USAGE, "'%s' is not an address, as 0x7f5c3a1b2c30", text);
  t->node = graph_find(&h->graph, address);
  if (t->node == GRAPH_NONE)
    cli_die(CLI_FAILED, "%s has no object at %s; to see what it has: ouro dom %s", h->path, text,
            h->path);
  t->objects = 1;
  t->bytes = graph_size(&h->graph, t->node);
}

/* Marks the types of that name; returns how many. */
static size_t mark_whole(heaptarget *t, const snapshot *s, const char *name) {
  uint64_t types = snapshot_count(s).types;
  size_t marked = 0;
  for (uint64_t i = 0; i < types; i++)
    if (equal(snapshot_type_of(s, (uint32_t)i).name, name)) t->wanted[i] = 1, marked++;
  return marked;
}

static bool same(snapshot_text a, snapshot_text b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* Marks the types whose last part it is; two different names end the process. */
static size_t mark_last(heaptarget *t, const heapfile *h, const char *part) {
  char a[HEAP_TEXT], b[HEAP_TEXT];
  uint64_t types = snapshot_count(h->from).types;
  snapshot_text first = {NULL, 0};
  size_t marked = 0;
  for (uint64_t i = 0; i < types; i++) {
    snapshot_text name = snapshot_type_of(h->from, (uint32_t)i).name;
    if (!equal(last_part(name), part)) continue;
    if (marked > 0 && !same(first, name))
      cli_die(CLI_FAILED, "'%s' is the name of several types: %s, %s; which one?", part,
              heap_clean(first, a), heap_clean(name, b));
    first = name;
    t->wanted[i] = 1, marked++;
  }
  return marked;
}

typedef struct near_type {
  int distance;
  uint32_t type;
} near_type;

/* Keeps the nearest ones, nearest first. */
static void offer(near_type nearest[NEAREST], near_type one) {
  for (int i = 0; i < NEAREST; i++) {
    if (one.distance >= nearest[i].distance) continue;
    near_type pushed = nearest[i];
    nearest[i] = one;
    one = pushed;
  }
}

static int distance_of(const char *text, snapshot_text name) {
  char whole[HEAP_TEXT], part[HEAP_TEXT];
  int a = cli_distance(text, heap_clean(name, whole));
  int b = cli_distance(text, heap_clean(last_part(name), part));
  return a < b ? a : b;
}

static _Noreturn void no_such_type(const heapfile *h, const char *text) {
  near_type nearest[NEAREST];
  char list[NEAREST * (HEAP_TEXT + 2)] = "", name[HEAP_TEXT];
  uint64_t types = snapshot_count(h->from).types;
  for (int i = 0; i < NEAREST; i++) nearest[i] = (near_type){(int)strlen(text) / 2 + 2, 0};
  int beyond = nearest[0].distance;
  for (uint64_t i = 0; i < types; i++) {
    snapshot_type type = snapshot_type_of(h->from, (uint32_t)i);
    offer(nearest, (near_type){distance_of(text, type.name), (uint32_t)i});
  }
  for (int i = 0; i < NEAREST && nearest[i].distance < beyond; i++) {
    if (i > 0) strcat(list, ", ");
    strcat(list, heap_clean(snapshot_type_of(h->from, nearest[i].type).name, name));
  }
  if (list[0] != '\0')
    cli_die(CLI_FAILED, "%s has no type '%s'; did you mean: %s", h->path, text, list);
  cli_die(CLI_FAILED, "%s has no type '%s'; to see its types: ouro sql %s 'SELECT * FROM type'",
          h->path, text, h->path);
}

void heaptarget_find(heaptarget *t, const heapfile *h, const char *text) {
  *t = (heaptarget){.node = GRAPH_NONE};
  if (strncasecmp(text, "0x", 2) == 0) {
    find_address(t, h, text);
    return;
  }
  t->wanted = calloc(snapshot_count(h->from).types + 1, 1);
  if (t->wanted == NULL) cli_die(CLI_FAILED, "out of memory");
  if (mark_whole(t, h->from, text) == 0 && mark_last(t, h, text) == 0) no_such_type(h, text);
  for (graph_node n = 0; n < h->graph.nodes; n++)
    if (t->wanted[h->graph.type[n]]) t->objects++, t->bytes += graph_size(&h->graph, n);
  if (t->objects == 0)
    cli_die(CLI_FAILED, "%s has the type '%s', but no object of it", h->path, text);
}

void heaptarget_free(heaptarget *t) { free(t->wanted); }
