/* file_access.c - core/io/spill/random_access.h and spill_file.h for spec/core/io/, which links this file with
 * objects of the core: what they declare is not exported.
 * SPDX-License-Identifier: MIT */
#include "io/spill/random_access.h"
#include "io/spill/spill_file.h"

int spec_open(random_access *file, const char *path, const mm_block *block, mm_error *error);
int spec_open(random_access *file, const char *path, const mm_block *block, mm_error *error) {
  return random_access_open(file, path, block, error);
}
int spec_read(const random_access *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
int spec_read(const random_access *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error) {
  return random_access_read(file, offset, bytes, size, error);
}
void spec_close(random_access *file);
void spec_close(random_access *file) { random_access_close(file); }

int spec_spill_open(spill_file *file, mm_error *error);
int spec_spill_open(spill_file *file, mm_error *error) { return spill_file_open(file, error); }
int spec_spill_append(spill_file *file, const uint8_t *bytes, int64_t size, int64_t *offset, mm_error *error);
int spec_spill_append(spill_file *file, const uint8_t *bytes, int64_t size, int64_t *offset, mm_error *error) {
  return spill_file_append(file, bytes, size, offset, error);
}
int spec_spill_read(const spill_file *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
int spec_spill_read(const spill_file *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error) {
  return spill_file_read(file, offset, bytes, size, error);
}
void spec_spill_free(spill_file *file);
void spec_spill_free(spill_file *file) { spill_file_free(file); }
int64_t spec_spill_bytes(void);
int64_t spec_spill_bytes(void) { return spill_files_bytes(); }
