/* dispatch.c - finds kernels of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#include "kernels/dispatch.h"
#include "base/cpu.h"
#include "types/type.h"

#define KERNELS(isa)                                                                                                   \
  {                                                                                                                    \
    &arithmetic_table_##isa, &compare_table_##isa, &logic_table_##isa, &in_table_##isa, cast_kernel_##isa,             \
        zero_nulls_##isa, compress_values_##isa, compress_bits_##isa                                                   \
  }

/* By instruction set. */
static const kernel_set sets[] = {
    KERNELS(base),
#ifdef __x86_64__
    KERNELS(avx2),
    KERNELS(avx512),
#endif
};

static const kernel_set *kernels(void) { return &sets[cpu_isa()]; }

int64_t compress_values(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width) {
  return kernels()->compress(to, from, selected, n, width);
}

int64_t compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n) {
  return kernels()->compress_bits(to, at, from, selected, n);
}

void zero_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width) {
  kernels()->blank_nulls(values, valid, words, width);
}

kernel_function arithmetic_kernels(const kernel_key *key) {
  return kernel_table_find_storage(*kernels()->arithmetic, key);
}

kernel_function logic_kernels(const kernel_key *key) { return kernel_table_find_storage(*kernels()->logic, key); }

kernel_function in_kernels(const kernel_key *key) { return kernel_table_find_storage(*kernels()->in, key); }

kernel_function compare_kernels(const kernel_key *key) {
  kernel_function kernel = kernel_table_find_storage(*kernels()->compare, key);
  return kernel ? kernel : compare_mixed_kernels(key);
}

kernel_function cast_kernels(const kernel_key *key) {
  int type = key->type, type2 = key->type2;
  bool moment = type == MM_TIMESTAMP || type == MM_DURATION || type == MM_DATE;
  bool moment2 = type2 == MM_TIMESTAMP || type2 == MM_DURATION || type2 == MM_DATE;
  if (moment && type == type2 && type != MM_DATE) return time_unit_kernels(key);
  if (moment && moment2 && type != type2) return NULL;
  return kernels()->cast(type_storage(type), type_storage(type2), key->mode);
}
