/* operations.h - the operations: one table.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* What an operand is: nothing (or a number), a register of instr.type, of type2, of bool, of i64. */
enum operand_kind { OPERAND_NONE, OPERAND_T, OPERAND_S, OPERAND_BOOL, OPERAND_I64 };

typedef struct operation_info {
  const char *name;
  uint8_t operands[3]; /* enum operand_kind */
  uint8_t result;      /* enum operand_kind */
  bool strict;         /* null where an operand is null */
  bool fails;          /* may fail for some types or modes */
} operation_info;
extern const operation_info operation_table[MM_OP_COUNT];
