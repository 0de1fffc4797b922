/* dispatch.c - finds kernels of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#include "kernels/dispatch.h"
#include "base/cpu.h"
#include "types/type.h"

#define KERNELS(isa)                                                                                                   \
  {                                                                                                                    \
    arithmetic_kernel_##isa, compare_kernel_##isa, logic_kernel_##isa, cast_kernel_##isa, in_kernel_##isa,             \
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

static kernel_function find_cast(const kernel_set *set, int type, int type2, int mode) {
  bool moment = type == MM_TIMESTAMP || type == MM_DURATION || type == MM_DATE;
  bool moment2 = type2 == MM_TIMESTAMP || type2 == MM_DURATION || type2 == MM_DATE;
  if (moment && type == type2 && type != MM_DATE) return time_unit_kernel(type, mode);
  if (moment && moment2 && type != type2) return NULL;
  return set->cast(type_storage(type), type_storage(type2), mode);
}

kernel_function kernel_of_shape(int op, int type, int type2, int mode, int shape) {
  const kernel_set *set = kernels();
  if (op == MM_OP_CAST) return find_cast(set, type, type2, mode);
  type = type_storage(type), type2 = type_storage(type2);
  if (op >= MM_OP_EQ && op <= MM_OP_GE)
    return type == type2 ? set->compare(op, type, shape) : compare_mixed_kernel(op, type, type2, shape);
  if (op == MM_OP_IS_NAN || op == MM_OP_IS_FINITE) return set->compare(op, type, shape);
  if (op == MM_OP_IN) return set->member(type);
  if (op == MM_OP_IS_DISTINCT) return is_distinct_kernel();
  kernel_function kernel = set->arithmetic(op, type, shape);
  if (!kernel) kernel = set->logic(op, type);
  return kernel ? kernel : math_kernel(op, type);
}
