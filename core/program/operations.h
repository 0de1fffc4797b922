/* operations.h - the operations: one table.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* What an operand is: nothing (or a number), a register of instr.type, of type2, of bool, of i64. */
enum mm_operand { OPERAND_NONE, OPERAND_T, OPERAND_S, OPERAND_BOOL, OPERAND_I64 };

typedef struct mm_operation {
  const char *name;
  uint8_t operands[3]; /* enum mm_operand */
  uint8_t result;      /* enum mm_operand */
  bool strict;         /* null where an operand is null */
  bool fails;          /* may fail for some types or modes */
} mm_operation;
extern const mm_operation mm_operations[MM_OP_COUNT];
