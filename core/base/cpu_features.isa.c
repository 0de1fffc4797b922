/* cpu_features.isa.c - what the kernels of this instruction set were built with: a bit for each feature of
 * CPU_FEATURES.
 * SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "base/cpu.h"
#include <stdint.h>

const uint32_t PASTE(cpu_features, ISA) = 0
#ifdef __AVX2__
                                          | UINT32_C(1) << FEATURE_AVX2
#endif
#ifdef __BMI__
                                          | UINT32_C(1) << FEATURE_BMI
#endif
#ifdef __BMI2__
                                          | UINT32_C(1) << FEATURE_BMI2
#endif
#ifdef __LZCNT__
                                          | UINT32_C(1) << FEATURE_LZCNT
#endif
#ifdef __POPCNT__
                                          | UINT32_C(1) << FEATURE_POPCNT
#endif
#ifdef __PCLMUL__
                                          | UINT32_C(1) << FEATURE_PCLMUL
#endif
#ifdef __FMA__
                                          | UINT32_C(1) << FEATURE_FMA
#endif
#ifdef __AVX512F__
                                          | UINT32_C(1) << FEATURE_AVX512F
#endif
#ifdef __AVX512BW__
                                          | UINT32_C(1) << FEATURE_AVX512BW
#endif
#ifdef __AVX512DQ__
                                          | UINT32_C(1) << FEATURE_AVX512DQ
#endif
#ifdef __AVX512VL__
                                          | UINT32_C(1) << FEATURE_AVX512VL
#endif
#ifdef __AVX512VBMI2__
                                          | UINT32_C(1) << FEATURE_AVX512VBMI2
#endif
    ;
