/* dispatch.c - chooses the kernels of one instruction set, once: the best that the processor has, or what MM_ISA says
 * when that is less.
 * SPDX-License-Identifier: MIT */
#include "kernels.h"
#include <stdatomic.h>
#include <stdlib.h>

#define KERNELS(isa)                                                                                                   \
  {                                                                                                                    \
#isa, mm_arithmetic_##isa, mm_compare_##isa, mm_logic_##isa, mm_cast_##isa, mm_member_##isa,                       \
        mm_blank_nulls_##isa, mm_compress_##isa, mm_compress_bits_##isa, mm_bits_count_##isa, mm_texts_size_##isa,     \
        mm_texts_view_##isa, mm_bytes_ascii_##isa, mm_adder_##isa, mm_bounder_##isa, mm_measurer_##isa, mm_sifter_##isa \
  }

/* From the plainest to the best. */
static const mm_kernel_set sets[] = {
    KERNELS(base),
#ifdef __x86_64__
    KERNELS(avx2),
    KERNELS(avx512),
#endif
};

static int best_set(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2")
      || !__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("pclmul"))
    return 0;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq")
      || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512vbmi2"))
    return 1;
  return 2;
#else
  return 0;
#endif
}

static const mm_kernel_set *choose(void) {
  int best = best_set();
  const char *limit = getenv("MM_ISA");
  for (int i = 0; limit && i < best; i++)
    if (strcmp(limit, sets[i].name) == 0) best = i;
  return &sets[best];
}

/* Every thread that comes first makes the same choice. */
static const mm_kernel_set *kernels(void) {
  static _Atomic(const mm_kernel_set *) chosen;
  const mm_kernel_set *set = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!set) {
    set = choose();
    atomic_store_explicit(&chosen, set, memory_order_release);
  }
  return set;
}

const char *mm_isa_name(void) { return kernels()->name; }

int64_t mm_compress(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width) {
  return kernels()->compress(to, from, selected, n, width);
}

int64_t mm_compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n) {
  return kernels()->compress_bits(to, at, from, selected, n);
}

void mm_blank_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width) {
  kernels()->blank_nulls(values, valid, words, width);
}

int64_t mm_bits_count(const uint64_t *bits, int64_t n) { return kernels()->bits_count(bits, n); }

void mm_texts_view(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n) {
  kernels()->texts_view(to, bytes, offsets, n);
}
bool mm_bytes_ascii(const uint8_t *bytes, int64_t n) { return kernels()->bytes_ascii(bytes, n); }
int32_t mm_texts_size(const int32_t *offsets, int64_t n) { return kernels()->texts_size(offsets, n); }

mm_adder mm_adder_of(int type) { return kernels()->adder(mm_storage(type)); }
mm_bounder mm_bounder_of(int type) { return kernels()->bounder(mm_storage(type)); }
mm_measurer mm_measurer_of(int type) { return kernels()->measurer(mm_storage(type)); }
mm_sifter mm_sifter_of(int type) { return kernels()->sifter(mm_storage(type)); }

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

mm_kernel mm_number_kernel(int op, int type, int type2, int mode) {
  return mm_shaped_kernel(op, type, type2, mode, SHAPE_VV);
}
