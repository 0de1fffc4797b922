/* cpu.h - which instruction set is used: kernels and scanners are built once for each.
 *
 * DESIGN. Files named *.isa.c are compiled once per instruction set, with ISA defined as its name, and what they define
 * ends in that name. Who calls them keeps a table made by CPU_EACH and takes the entry cpu_isa(). The choice is made
 * once: the best set that the processor has all features of, or what MM_ISA says.
 *
 * SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* From the plainest to the best; each has the features of those before. */
#ifdef __x86_64__
enum { CPU_BASE, CPU_AVX2, CPU_AVX512, CPU_ISAS };
#define CPU_EACH(name)                                                                                                 \
  { name##_base, name##_avx2, name##_avx512 }
#else
enum { CPU_BASE, CPU_ISAS };
#define CPU_EACH(name)                                                                                                 \
  { name##_base }
#endif

/* What a set of kernels may be built with beyond the plain processor: X(NAME, name), and LZCNT, which not
 * every compiler can ask for by name. A set is used where the processor has all that it
 * was built with, so a flag of the Makefile must be here; a spec compares the two. */
#define CPU_FEATURES(X)                                                                                                \
  X(AVX2, avx2)                                                                                                        \
  X(BMI, bmi)                                                                                                          \
  X(BMI2, bmi2)                                                                                                        \
  X(POPCNT, popcnt)                                                                                                    \
  X(PCLMUL, pclmul)                                                                                                    \
  X(FMA, fma)                                                                                                          \
  X(AVX512F, avx512f)                                                                                                  \
  X(AVX512BW, avx512bw) X(AVX512DQ, avx512dq) X(AVX512VL, avx512vl) X(AVX512VBMI2, avx512vbmi2)
#define FEATURE(NAME, name) FEATURE_##NAME,
enum { CPU_FEATURES(FEATURE) FEATURE_LZCNT, FEATURE_COUNT };
#undef FEATURE

/* 1 + the instruction set in use; 0: not chosen yet. */
extern _Atomic(int8_t) cpu_chosen;
int cpu_choose(void);
static inline int cpu_isa(void) {
  int8_t chosen = atomic_load_explicit(&cpu_chosen, memory_order_acquire);
  return chosen ? chosen - 1 : cpu_choose();
}

/* For the fuzzers: from now on kernels of set 0, 1, ... are found; its name, or NULL where the processor has no such
 * set. */
const char *cpu_use_isa(int number);
