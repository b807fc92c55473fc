/* SPDX-License-Identifier: MIT */
/*
 * forked OBJECTS: private bytes that a forked child has dirtied after a full collection of a live
 * graph, and by how much its resident size rose meanwhile: for tables that were gone at the end.
 */
#define NODE_EXTRA
#include "graph.h"

#include <sys/wait.h>
#include <unistd.h>

/* The peak of the resident size is the present one from now on. */
static void peak_reset(void) {
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0) fail("cannot reset the peak");
}

static double private_dirty(void) { return status_bytes("smaps_rollup", "Private_Dirty: %lu kB"); }

static void child(world *w) {
  world_forked(w);
  peak_reset();
  double resident = peak_bytes(), before = private_dirty();
  if (world_collect(w) != 0) fail("the collection found something");
  printf("tables %.0f\n", peak_bytes() - resident);
  printf("dirtied %.0f\n", private_dirty() - before);
  end();
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: forked OBJECTS");
  world w = world_open();
  world_enable(&w, false);
  size_t count = strtoul(argv[1], NULL, 10);
  node *root = graph_build(&w, count, false);
  world_root(&w, root);
  world_collect(&w);
  pid_t pid = fork();
  if (pid == 0) child(&w);
  int status = 1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) fail("the child failed");
  graph_check(root, count);
  return 0;
}
