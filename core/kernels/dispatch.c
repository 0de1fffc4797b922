/* dispatch.c - chooses the kernels of one instruction set, once: the best that the processor has all features of, or what
 * MM_ISA says.
 * SPDX-License-Identifier: MIT */
#include "kernels/kernel.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#define KERNELS(isa)                                                                                                   \
  {                                                                                                                    \
#isa, &mm_features_##isa, mm_arithmetic_##isa, mm_compare_##isa, mm_logic_##isa, mm_cast_##isa, mm_member_##isa,   \
        mm_blank_nulls_##isa, mm_compress_##isa, mm_compress_bits_##isa, mm_bits_count_##isa, mm_texts_size_##isa,     \
        mm_texts_view_##isa, mm_bytes_ascii_##isa, mm_adder_##isa, mm_bounder_##isa, mm_measurer_##isa,                \
        mm_sifter_##isa                                                                                                \
  }

/* From the plainest to the best. */
static const mm_kernel_set sets[] = {
    KERNELS(base),
#ifdef __x86_64__
    KERNELS(avx2),
    KERNELS(avx512),
#endif
};

enum { SETS = sizeof sets / sizeof *sets };

/* What the processor has, and the system saves. */
static uint32_t features_here(void) {
  uint32_t found = 0;
#ifdef __x86_64__
  unsigned a, b, c, d;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c >> 5 & 1)) found |= UINT32_C(1) << FEATURE_LZCNT;
  __builtin_cpu_init();
#define ASK(NAME, name)                                                                                                \
  if (__builtin_cpu_supports(#name)) found |= UINT32_C(1) << FEATURE_##NAME;
  MM_FEATURES(ASK)
#undef ASK
#endif
  return found;
}

/* Sets are in an order in which each has the features of those before. */
static int best_set(void) {
  uint32_t missing = ~features_here();
  int best = 0;
  for (int i = 0; i < SETS; i++)
    if ((*sets[i].features & missing) == 0) best = i;
  return best;
}

/* The set that MM_ISA names: -1 when it says nothing, SETS when there is no such set. */
static int wanted_set(void) {
  const char *name = getenv("MM_ISA");
  if (!name || !*name) return -1;
  int found = 0;
  while (found < SETS && strcmp(name, sets[found].name) != 0) found++;
  return found;
}

typedef struct choice {
  int8_t known, best, wanted, reserved; /* numbers as above */
} choice;

static _Atomic(choice) kept;

/* Asked once, since that is slow: every thread that comes first finds the same. */
static choice chosen(void) {
  choice c = atomic_load_explicit(&kept, memory_order_acquire);
  if (!c.known) {
    c = (choice){.known = 1, .best = (int8_t)best_set(), .wanted = (int8_t)wanted_set()};
    atomic_store_explicit(&kept, c, memory_order_release);
  }
  return c;
}

const char *mm_isa_use(int number) {
  choice c = chosen();
  if (number > c.best) return NULL;
  c.wanted = (int8_t)number;
  atomic_store_explicit(&kept, c, memory_order_release);
  return sets[number].name;
}

int mm_isa_check(mm_error *error) {
  choice c = chosen();
  if (c.wanted <= c.best) return 0;
  char list[64] = "", name[64];
  for (int i = 0, used = 0; i <= c.best; i++) {
    const char *before = i == 0 ? "" : i < c.best ? ", " : " or ";
    used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", before, sets[i].name);
  }
  const char *given = getenv("MM_ISA");
  mm_error_text(name, sizeof name, given ? given : "", given ? (int64_t)strlen(given) : 0);
  mm_fail(error, MM_EUSAGE, "bad-isa", "MM_ISA is \"%s\"%s, expected %s", name,
          c.wanted < SETS ? ", which this processor lacks" : "", list);
  if (error) snprintf(error->hint, sizeof error->hint, "leave it out, and the best one is used: %s", sets[c.best].name);
  return MM_EUSAGE;
}

static const mm_kernel_set *kernels(void) {
  choice c = chosen();
  return &sets[c.wanted >= 0 && c.wanted < c.best ? c.wanted : c.best];
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
