/* operations.h - the operations of vector programs: what operations.def says of each, and the search for a kernel.
 *
 * DESIGN. operations.def is the one place that lists the operations; the enum, the names, the properties and the tables
 * in which an operation's kernels are looked up are made of its lines. A file of kernels ends with a table of them
 * (operation, types, kernel), so a new operation is its line and a kernel with an entry in the table of its file. No
 * code may depend on the order of the lines.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

enum operation {
#define X(NAME, name, a, b, c, result, properties, kernels, more_kernels) OP_##NAME,
#include "kernels/operations.def"
#undef X
  OP_COUNT
};

/* What an operand is: nothing (or a number), a register of instr.type, of type2, of bool, of i64. */
enum operand_kind { OPERAND_NONE, OPERAND_T, OPERAND_S, OPERAND_BOOL, OPERAND_I64 };

enum operation_property {
  OPERATION_NO_PROPERTY = 0,
  OPERATION_STRICT = 1,      /* null where an operand is null */
  OPERATION_CAN_FAIL = 2,    /* at a lane, for some types or modes */
  OPERATION_MODULAR = 4,     /* of integers narrower than 64 bits: modulo 2^width, so that it cannot fail */
  OPERATION_CHEAP = 8,       /* of floats: cheaper than reading its operands a second time */
  OPERATION_ANY_LENGTH = 16, /* of values of fixed width: its kernels take vectors of any length */
  OPERATION_PLAIN_RUN = 32   /* of values of fixed width: its kernels need nothing of the frame (see frame_run_plain) */
};

/* What is asked of a table of kernels. */
typedef struct kernel_key {
  int op, type, type2; /* as in the instruction */
  int mode;            /* of a cast: MM_CAST_* */
  int shape;           /* SHAPE_* */
} kernel_key;
typedef kernel_function kernel_lookup(const kernel_key *key); /* NULL: no such kernel */

/* text_trim_kernels and the like: each in the file of its kernels, those of an instruction set in dispatch.c. */
#define X(NAME, name, a, b, c, result, properties, kernels, more_kernels)                                              \
  kernel_lookup kernels##_kernels, more_kernels##_kernels;
#include "kernels/operations.def"
#undef X

typedef struct operation_info {
  const char *name;
  uint8_t operands[3]; /* enum operand_kind */
  uint8_t result;      /* enum operand_kind */
  uint8_t properties;  /* enum operation_property */
  kernel_lookup *kernels[2];
} operation_info;
extern const operation_info operation_table[OP_COUNT];

static inline bool operation_has(int op, enum operation_property property) {
  return operation_table[op].properties & property;
}
kernel_function operation_kernel(const kernel_key *key); /* NULL: none for these types */

/* ---- Tables of kernels ---- */

/* An entry: an operation on operands of a type, with one kernel for all shapes or one for each. */
typedef struct kernel_entry {
  uint8_t op, type;
  uint8_t type2; /* MM_NULL: not looked at */
  kernel_function kernel;
  const kernel_function *shaped; /* by shape; NULL: `kernel` */
} kernel_entry;
typedef struct kernel_table {
  const kernel_entry *entries;
  int32_t count;
} kernel_table;
#define KERNEL_TABLE(entries) ((kernel_table){entries, sizeof(entries) / sizeof *(entries)})

kernel_function kernel_table_find(kernel_table table, const kernel_key *key);
/* The same by the types' storage: what holds for i64 holds for timestamps, what holds for utf8 holds for binary. */
kernel_function kernel_table_find_storage(kernel_table table, const kernel_key *key);
