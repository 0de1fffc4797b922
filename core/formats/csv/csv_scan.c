/* csv_scan.c - the scanner of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_scan.h"
#include "base/cpu.h"

extern const mm_scanner mm_scanner_base;
#ifdef __x86_64__
extern const mm_scanner mm_scanner_avx2, mm_scanner_avx512;
#endif

const mm_scanner *mm_scanner_get(void) {
  static const mm_scanner *const scanners[] = CPU_EACH(&mm_scanner);
  return scanners[cpu_isa()];
}
