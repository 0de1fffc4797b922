/* reduce.c - finds the kernels that make one value of a column.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce/reduce.h"
#include "base/cpu.h"
#include "types/type.h"

mm_adder mm_adder_base(int type), mm_adder_avx2(int type), mm_adder_avx512(int type);
mm_bounder mm_bounder_base(int type), mm_bounder_avx2(int type), mm_bounder_avx512(int type);
mm_measurer mm_measurer_base(int type), mm_measurer_avx2(int type), mm_measurer_avx512(int type);
mm_sifter mm_sifter_base(int type), mm_sifter_avx2(int type), mm_sifter_avx512(int type);

mm_adder mm_adder_of(int type) {
  static mm_adder (*const finders[])(int) = CPU_EACH(mm_adder);
  return finders[cpu_isa()](mm_storage(type));
}

mm_bounder mm_bounder_of(int type) {
  static mm_bounder (*const finders[])(int) = CPU_EACH(mm_bounder);
  return finders[cpu_isa()](mm_storage(type));
}

mm_measurer mm_measurer_of(int type) {
  static mm_measurer (*const finders[])(int) = CPU_EACH(mm_measurer);
  return finders[cpu_isa()](mm_storage(type));
}

mm_sifter mm_sifter_of(int type) {
  static mm_sifter (*const finders[])(int) = CPU_EACH(mm_sifter);
  return finders[cpu_isa()](mm_storage(type));
}
