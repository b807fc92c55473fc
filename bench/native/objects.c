/* SPDX-License-Identifier: MIT */
/*
 * objects pair COUNT: ns of CPU time for making a node of 24 bytes beside the header and dropping
 *     it, while another one lives (an allocator that returns a page with its last block would pay
 *     for that each time)
 * objects bytes COUNT: resident bytes per node beyond its 2 references and PAD further words, after
 *     a full collection and at the peak before it
 */
#ifndef PAD
#define PAD 1
#endif
#define NODE_EXTRA long pad[PAD]; /* may be none: an extension of GNU C */
#include SYSTEM_H

enum { PAYLOAD = (2 + PAD) * sizeof(void *), WARM_UP = 20000 };

static void pairs(world *w, long count) {
  for (long i = 0; i < count; i++) {
    node *n = node_new(w, NULL, NULL);
    for (int k = 0; k < PAD; k++) n->pad[k] = i;
    escape(n);
    node_drop(w, n);
  }
}

static double pair_ns(world *w, long count) {
  node *other = node_new(w, NULL, NULL);
  pairs(w, WARM_UP);
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  pairs(w, count);
  double time = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
  escape(other);
  return time / (double)count;
}

static node *chain_new(world *w, node *chain, long length) {
  for (long i = 0; i < length; i++) {
    chain = node_new(w, chain, NULL);
    for (int k = 0; k < PAD; k++) chain->pad[k] = i;
  }
  return chain;
}

/* The first objects pay for what a process has once. */
static void print_extra_bytes(world *w, long count) {
  node *chain = chain_new(w, NULL, WARM_UP);
  double before = resident_bytes();
  chain = chain_new(w, chain, count);
  double most = (peak_bytes() - before) / (double)count;
  world_collect(w);
  double each = (resident_bytes() - before) / (double)count;
  escape(chain);
  printf("extra %.4f\nmost %.4f\n", each - PAYLOAD, most - PAYLOAD);
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: objects pair|bytes COUNT");
  world w = world_open();
  long count = atol(argv[2]);
  if (strcmp(argv[1], "pair") == 0) printf("ns %.4f\n", pair_ns(&w, count));
  else print_extra_bytes(&w, count);
  end();
}
