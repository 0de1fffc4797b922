/* replay.c - runs a harness over the files named, without libFuzzer: for any compiler, and to look at a crash.
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file) {
    perror(name);
    return 1;
  }
  static uint8_t bytes[1 << 20];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  uint8_t *exact = malloc(size ? size : 1); /* so that reading beyond it is noticed */
  for (size_t i = 0; i < size; i++) exact[i] = bytes[i];
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  return 0;
}

int main(int count, char **names) {
  int failed = 0;
  for (int i = 1; i < count; i++) failed |= replay(names[i]);
  if (!failed) printf("%s: %d files\n", names[0], count - 1);
  return failed;
}
