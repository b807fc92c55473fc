/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target without a fuzzer: over a folder of inputs and over random bytes. */
#include <dirent.h>

#include "test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_BYTES = 1 << 16, RANDOM_INPUTS = 300 };
static uint8_t bytes[MOST_BYTES];

static void run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) TEST_FAIL("cannot read %s", path);
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  CHECK_LT(0u, size);
  LLVMFuzzerTestOneInput(bytes, size);
}

/* CORPUS holds inputs that took long to find, by a fuzzer or by hand. */
TEST(every_file_of_the_corpus) {
  DIR *folder = opendir(CORPUS);
  struct dirent *entry;
  int files = 0;
  CHECK(folder);
  while ((entry = readdir(folder)) != NULL) {
    char path[1024];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", CORPUS, entry->d_name);
    run_file(path);
    files++;
  }
  closedir(folder);
  CHECK_LT(0, files);
}

TEST(random_inputs) {
  for (int i = 0; i < RANDOM_INPUTS; i++) {
    size_t size = 1 + test_random() % 1500;
    for (size_t k = 0; k < size; k++) bytes[k] = (uint8_t)test_random();
    LLVMFuzzerTestOneInput(bytes, size);
  }
}

TEST(no_input_at_all) {
  LLVMFuzzerTestOneInput(bytes, 0);
  LLVMFuzzerTestOneInput(bytes, 1);
}
