/* csv_scan.c - the scanner of the instruction set in use.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_scan.h"
#include "base/cpu.h"

extern const csv_scanner csv_scanner_base;
#ifdef __x86_64__
extern const csv_scanner csv_scanner_avx2, csv_scanner_avx512;
#endif

const csv_scanner *csv_scanner_get(void) {
  static const csv_scanner *const scanners[] = CPU_EACH(&csv_scanner);
  return scanners[cpu_isa()];
}
