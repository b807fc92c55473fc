/* SPDX-License-Identifier: MIT */
/*
 * churn CYCLES LIVE: makes CYCLES rings of two nodes beside a chain of LIVE nodes; the last 16 are
 * held. Prints the longest gap, in ms of CPU time, between two looks at the clock. Looking at
 * every iteration would cost more than the iteration.
 */
#define NODE_EXTRA
#include SYSTEM_H

enum { HELD = 16, LOOK = 500 };

static node *chain_new(world *w, long length) {
  node *chain = NULL;
  for (long i = 0; i < length; i++) chain = node_new(w, chain, NULL);
  return chain;
}

static node *ring_new(world *w) {
  node *a = node_new(w, NULL, NULL);
  a->left = node_new(w, node_ref(a), NULL);
  return a;
}

static double churn(world *w, long cycles, node *held[HELD]) {
  double last = clock_ns(CLOCK_PROCESS_CPUTIME_ID), longest = 0;
  for (long i = 0; i < cycles; i++) {
    node *old = held[i % HELD];
    held[i % HELD] = ring_new(w);
    node_cut(w, old);
    if (i % LOOK != 0) continue;
    double now = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (now - last > longest) longest = now - last;
    last = now;
  }
  return longest;
}

static long chain_length(const node *n) {
  long length = 0;
  for (; n != NULL; n = n->left) length++;
  return length;
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: churn CYCLES LIVE");
  world w = world_open();
  long live = atol(argv[2]);
  node *chain = chain_new(&w, live), *held[HELD] = {NULL};
  printf("gap %.4f\n", churn(&w, atol(argv[1]), held) / 1e6);
  if (chain_length(chain) != live) fail("the chain has changed");
  for (int i = 0; i < HELD; i++)
    if (held[i] != NULL && held[i]->left->left != held[i]) fail("a ring has changed");
  end();
}
