/* SPDX-License-Identifier: MIT */
/* chain LENGTH: ns of CPU time per link for dropping a chain. Run where the stack is small. */
#define NODE_EXTRA
#include SYSTEM_H

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: chain LENGTH");
  world w = world_open();
  long length = atol(argv[1]);
  node *chain = NULL;
  for (long i = 0; i < length; i++) chain = node_new(&w, chain, NULL);
  escape(chain);
  double start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  chain_drop(&w, chain);
  printf("ns %.4f\n", (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)length);
  end();
}
