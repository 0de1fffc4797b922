/* text_lookup.c - finds the kernel of an operation on text, dates and timestamps, or of a hash.
 * SPDX-License-Identifier: MIT */
#include "kernels/hash.h"
#include "kernels/text/text_kernel.h"
#include "kernels/time/date_part.h"
#include "types/type.h"

static kernel_function cast(int type, int type2, int mode) {
  if (mode != MM_CAST_CHECK && mode != MM_CAST_TRY) return NULL;
  kernel_function kernel = date_cast_kernel(type, type2);
  return kernel ? kernel : text_cast_kernel(type, type2);
}

kernel_function text_kernel(int op, int type, int type2, int mode) {
  if (op == MM_OP_CAST) return cast(type, type2, mode);
  if (op == MM_OP_HASH) return type == MM_U64 ? hash_kernel(type2) : NULL;
  if (op >= MM_OP_YEAR && op <= MM_OP_WEEK) return date_part_kernel(op, type);
  if (!type_is_text(type)) return NULL;
  switch (op) {
  case MM_OP_EQ:
  case MM_OP_NE:
  case MM_OP_LT:
  case MM_OP_LE:
  case MM_OP_GT:
  case MM_OP_GE: return type_is_text(type2) ? text_compare_kernel(op) : NULL;
  case MM_OP_IN: return text_in_set_kernel(op);
  case MM_OP_LEN:
  case MM_OP_BYTES:
  case MM_OP_SUB_TEXT:
  case MM_OP_REVERSE: return text_length_sub_kernel(op, type);
  case MM_OP_STARTS_WITH:
  case MM_OP_ENDS_WITH:
  case MM_OP_CONTAINS:
  case MM_OP_FIND: return text_search_kernel(op, type);
  case MM_OP_CONCAT:
  case MM_OP_REPLACE:
  case MM_OP_REPEAT: return text_concat_replace_kernel(op);
  case MM_OP_LOWER:
  case MM_OP_UPPER: return type == MM_UTF8 ? text_case_kernel(op) : NULL;
  case MM_OP_TRIM:
  case MM_OP_LTRIM:
  case MM_OP_RTRIM: return type == MM_UTF8 ? text_trim_kernel(op) : NULL;
  default: return NULL;
  }
}
