/* SPDX-License-Identifier: MIT */
/* forked OBJECTS: private bytes that a forked child dirties by a full collection of a live graph. */
#define NODE_EXTRA
#include "graph.h"

#include <sys/wait.h>
#include <unistd.h>

static double private_dirty(void) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  char line[256];
  unsigned long kib = 0;
  bool seen = false;
  while (file != NULL && !seen && fgets(line, sizeof line, file) != NULL)
    seen = sscanf(line, "Private_Dirty: %lu kB", &kib) == 1;
  if (!seen) fail("cannot read /proc/self/smaps_rollup");
  fclose(file);
  return (double)kib * 1024;
}

static void child(world *w) {
  world_forked(w);
  double before = private_dirty();
  if (world_collect(w) != 0) fail("the collection found something");
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
