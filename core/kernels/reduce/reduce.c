/* reduce.c - finds the kernels that make one value of a column.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce/reduce.h"
#include "base/cpu.h"
#include "types/type.h"

sum_kernel sum_kernel_base(int type), sum_kernel_avx2(int type), sum_kernel_avx512(int type);
min_max_kernel min_max_kernel_base(int type), min_max_kernel_avx2(int type), min_max_kernel_avx512(int type);
variance_kernel variance_kernel_base(int type), variance_kernel_avx2(int type), variance_kernel_avx512(int type);
range_filter range_filter_base(int type), range_filter_avx2(int type), range_filter_avx512(int type);

sum_kernel sum_kernel_of(int type) {
  static sum_kernel (*const finders[])(int) = CPU_EACH(sum_kernel);
  return finders[cpu_isa()](type_storage(type));
}

min_max_kernel min_max_kernel_of(int type) {
  static min_max_kernel (*const finders[])(int) = CPU_EACH(min_max_kernel);
  return finders[cpu_isa()](type_storage(type));
}

variance_kernel variance_kernel_of(int type) {
  static variance_kernel (*const finders[])(int) = CPU_EACH(variance_kernel);
  return finders[cpu_isa()](type_storage(type));
}

range_filter range_filter_of(int type) {
  static range_filter (*const finders[])(int) = CPU_EACH(range_filter);
  return finders[cpu_isa()](type_storage(type));
}
