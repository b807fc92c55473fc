/* SPDX-License-Identifier: MIT */
/* pairs KERNEL PAIRS REPEATS: prints nanoseconds of CPU time per allocation and free. */
#include "kernels.h"

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: pairs KERNEL PAIRS REPEATS");
  printf("ns %.4f\n", kernel_time(argv[1], strtoul(argv[2], NULL, 10), atoi(argv[3])));
  return 0;
}
