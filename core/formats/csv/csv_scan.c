/* csv_scan.c - the scanners, by instruction set.
 * SPDX-License-Identifier: MIT */
#include "formats/formats.h"

extern const mm_scanner mm_scanner_base;
#ifdef __x86_64__
extern const mm_scanner mm_scanner_avx2, mm_scanner_avx512;
#endif

const mm_scanner *mm_scanner_get(void) {
#ifdef __x86_64__
  const char *isa = mm_isa_name();
  if (strcmp(isa, "avx512") == 0) return &mm_scanner_avx512;
  if (strcmp(isa, "avx2") == 0) return &mm_scanner_avx2;
#endif
  return &mm_scanner_base;
}
