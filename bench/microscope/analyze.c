/* SPDX-License-Identifier: MIT */
/* What each part of the analysis takes: analyze FILE [FILE]. Prints lines `name number`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/cycles.h"
#include "analyze/diff.h"
#include "analyze/path.h"
#include "analyze/waste.h"
#include "os/os.h"

enum { PATHS = 101 }; /* so many objects are asked for */

typedef struct heap {
  snapshot *file;
  graph graph;
  reach reach;
} heap;

static void fail(const char *why) {
  fprintf(stderr, "analyze: %s\n", why);
  exit(1);
}

static double seconds(void) { return (double)os_clock_ns() / 1e9; }

/* Prints what has passed since `began` and returns the time that it is now. */
static double lap(const char *name, double began) {
  double now = seconds();
  printf("%s %.6f\n", name, now - began);
  return now;
}

/* VmHWM, in bytes. */
static double peak(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  double kib = 0;
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, "VmHWM:", 6)) kib = strtod(line + 6, NULL);
  if (file) fclose(file);
  return kib * 1024;
}

static void load(heap *h, const char *path, bool told) {
  char why[SNAPSHOT_WHY];
  double began = seconds(), at = began;
  h->file = snapshot_open(path, why);
  if (!h->file) fail(why);
  if (told) at = lap("open", at);
  if (!graph_build(&h->graph, h->file, NULL, why)) fail(why);
  if (told) at = lap("graph", at);
  if (!reach_build(&h->reach, &h->graph, NULL)) fail("out of memory");
  if (told) lap("reach", at);
}

static void audit(const heap *h) {
  audit_row *rows;
  size_t count;
  double began = seconds();
  if (!audit_types(&h->graph, &rows, &count)) fail("out of memory");
  lap("audit", began);
  uint64_t over = 0;
  for (size_t i = 0; i < count; i++) over += rows[i].overexplained;
  printf("overexplained %" PRIu64 "\n", over);
  free(rows);
}

/* Garbage and cycles, waste, and who holds most: what suspects are made of. */
static void suspects(const heap *h) {
  double began = seconds();
  cycle_group *groups;
  waste_row *rows;
  size_t count;
  graph_node largest[20];
  if (!cycles_find(&h->reach, 1u << REACH_GARBAGE, &groups, &count)) fail("out of memory");
  free(groups);
  if (!waste_find(&h->graph, &rows, &count)) fail("out of memory");
  free(rows);
  reach_largest(&h->reach, GRAPH_NONE, largest, 20);
  lap("suspects", began);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The median and the most that one object's paths take, of objects all over the heap. */
static void paths(const heap *h) {
  double took[PATHS];
  path_finder *finder = path_finder_make(&h->graph);
  if (!finder) fail("out of memory");
  for (uint64_t i = 0; i < PATHS; i++) {
    path found[3];
    double began = seconds();
    graph_node target = (graph_node)((h->graph.nodes - 1) * i / (PATHS - 1));
    size_t count = path_find(finder, target, found, 3);
    if (count == 0) fail("out of memory");
    took[i] = seconds() - began;
    for (size_t k = 0; k < count; k++) path_free(&found[k]);
  }
  path_finder_free(finder);
  qsort(took, PATHS, sizeof *took, by_size);
  printf("path %.6f\nlongest_path %.6f\n", took[PATHS / 2], took[PATHS - 1]);
}

static void sizes(const heap *h) {
  double nodes = h->graph.nodes, edges = (double)h->graph.edges;
  double file = (double)snapshot_file_bytes(h->file);
  printf("objects %.0f\nedges %.0f\nfile %.0f\nfile_per_object %.3f\n", nodes, edges, file,
         file / nodes);
  printf("analysis_peak %.0f\nbeyond_edges %.3f\n", peak(), (peak() - file - 8 * edges) / nodes);
}

static void growth(const heap *before, const char *path) {
  heap after = {0};
  diff_row *rows;
  size_t count;
  load(&after, path, false);
  double began = seconds(), used = (double)clock() / CLOCKS_PER_SEC;
  if (!diff_types(&before->graph, &after.graph, &rows, &count)) fail("out of memory");
  free(rows);
  if (!diff_holders(&before->reach, &after.reach, &rows, &count)) fail("out of memory");
  free(rows);
  lap("diff", began);
  printf("diff_cpu %.6f\n", (double)clock() / CLOCKS_PER_SEC - used);
}

int main(int argc, char **argv) {
  heap h = {0};
  if (argc < 2) fail("usage: analyze FILE [FILE]");
  double began = seconds();
  load(&h, argv[1], true);
  suspects(&h);
  lap("whole", began);
  printf("whole_cpu %.6f\n", (double)clock() / CLOCKS_PER_SEC);
  sizes(&h);
  audit(&h);
  paths(&h);
  if (argc > 2) growth(&h, argv[2]);
  return 0;
}
