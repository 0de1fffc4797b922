/* cpu.c - chooses an instruction set, once: the best that the processor has all features of, or what MM_ISA says.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "base/error.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

extern const uint32_t cpu_features_base;
#ifdef __x86_64__
extern const uint32_t cpu_features_avx2, cpu_features_avx512;
#endif
static const char *const names[] = {"base",
#ifdef __x86_64__
                                    "avx2", "avx512"
#endif
};

/* What the processor has, and the system saves. */
static uint32_t features_here(void) {
  uint32_t found = 0;
#ifdef __x86_64__
  unsigned a, b, c, d;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c >> 5 & 1)) found |= UINT32_C(1) << FEATURE_LZCNT;
  __builtin_cpu_init();
#define ASK(NAME, name)                                                                                                \
  if (__builtin_cpu_supports(#name)) found |= UINT32_C(1) << FEATURE_##NAME;
  CPU_FEATURES(ASK)
#undef ASK
#endif
  return found;
}

/* Sets are in an order in which each has the features of those before. */
static int best_set(void) {
  static const uint32_t *const features[] = CPU_EACH(&cpu_features);
  uint32_t missing = ~features_here();
  int best = 0;
  for (int i = 0; i < CPU_ISAS; i++)
    if ((*features[i] & missing) == 0) best = i;
  return best;
}

/* The set that MM_ISA names: -1 when it says nothing, CPU_ISAS when there is no such set. */
static int wanted_set(void) {
  const char *name = getenv("MM_ISA");
  if (!name || !*name) return -1;
  int found = 0;
  while (found < CPU_ISAS && strcmp(name, names[found]) != 0) found++;
  return found;
}

typedef struct choice {
  int8_t known, best, wanted, reserved; /* numbers as above */
} choice;

static _Atomic(choice) kept;
_Atomic(int8_t) cpu_chosen;

/* Asked once, since that is slow: every thread that comes first finds the same. */
static choice make_choice(void) {
  choice c = atomic_load_explicit(&kept, memory_order_acquire);
  if (!c.known) {
    c = (choice){.known = 1, .best = (int8_t)best_set(), .wanted = (int8_t)wanted_set()};
    atomic_store_explicit(&kept, c, memory_order_release);
  }
  return c;
}

int cpu_choose(void) {
  choice c = make_choice();
  int isa = c.wanted >= 0 && c.wanted < c.best ? c.wanted : c.best;
  atomic_store_explicit(&cpu_chosen, (int8_t)(isa + 1), memory_order_release);
  return isa;
}

const char *cpu_use_isa(int number) {
  choice c = make_choice();
  if (number > c.best) return NULL;
  c.wanted = (int8_t)number;
  atomic_store_explicit(&kept, c, memory_order_release);
  cpu_choose();
  return names[number];
}

const char *mm_isa_name(void) { return names[cpu_isa()]; }

int mm_isa_check(mm_error *error) {
  choice c = make_choice();
  if (c.wanted <= c.best) return 0;
  char list[64] = "", name[64];
  for (int i = 0, used = 0; i < CPU_ISAS && i <= c.best; i++) {
    const char *before = i == 0 ? "" : i < c.best ? ", " : " or ";
    used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", before, names[i]);
  }
  const char *given = getenv("MM_ISA");
  error_copy_text(name, sizeof name, given ? given : "", given ? (int64_t)strlen(given) : 0);
  error_fail(error, MM_EUSAGE, "bad-isa", "MM_ISA is \"%s\"%s, expected %s", name,
             c.wanted < CPU_ISAS ? ", which this processor lacks" : "", list);
  if (error) snprintf(error->hint, sizeof error->hint, "leave it out, and the best one is used: %s", names[c.best]);
  return MM_EUSAGE;
}
