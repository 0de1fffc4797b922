/* dispatch.c - finds kernels of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#include "kernels/dispatch.h"
#include "base/cpu.h"
#include "types/type.h"

#define KERNELS(isa)                                                                                                   \
  {                                                                                                                    \
    mm_arithmetic_##isa, mm_compare_##isa, mm_logic_##isa, mm_cast_##isa, mm_member_##isa, mm_blank_nulls_##isa,       \
        mm_compress_##isa, mm_compress_bits_##isa                                                                      \
  }

/* By instruction set. */
static const mm_kernel_set sets[] = {
    KERNELS(base),
#ifdef __x86_64__
    KERNELS(avx2),
    KERNELS(avx512),
#endif
};

static const mm_kernel_set *kernels(void) { return &sets[cpu_isa()]; }

int64_t mm_compress(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width) {
  return kernels()->compress(to, from, selected, n, width);
}

int64_t mm_compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n) {
  return kernels()->compress_bits(to, at, from, selected, n);
}

void mm_blank_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width) {
  kernels()->blank_nulls(values, valid, words, width);
}

static mm_kernel cast_kernel(const mm_kernel_set *set, int type, int type2, int mode) {
  bool moment = type == MM_TIMESTAMP || type == MM_DURATION || type == MM_DATE;
  bool moment2 = type2 == MM_TIMESTAMP || type2 == MM_DURATION || type2 == MM_DATE;
  if (moment && type == type2 && type != MM_DATE) return mm_unit_kernel(type, mode);
  if (moment && moment2 && type != type2) return NULL;
  return set->cast(mm_storage(type), mm_storage(type2), mode);
}

mm_kernel mm_shaped_kernel(int op, int type, int type2, int mode, int shape) {
  const mm_kernel_set *set = kernels();
  if (op == MM_OP_CAST) return cast_kernel(set, type, type2, mode);
  type = mm_storage(type), type2 = mm_storage(type2);
  if (op >= MM_OP_EQ && op <= MM_OP_GE)
    return type == type2 ? set->compare(op, type, shape) : mm_mixed_kernel(op, type, type2, shape);
  if (op == MM_OP_IS_NAN || op == MM_OP_IS_FINITE) return set->compare(op, type, shape);
  if (op == MM_OP_IN) return set->member(type);
  if (op == MM_OP_IS_DISTINCT) return mm_distinct_kernel();
  mm_kernel kernel = set->arithmetic(op, type, shape);
  if (!kernel) kernel = set->logic(op, type);
  return kernel ? kernel : mm_math_kernel(op, type);
}
