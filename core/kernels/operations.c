/* operations.c - the table of operations, made of operations.def, and the search for a kernel.
 * SPDX-License-Identifier: MIT */
#include "kernels/operations.h"
#include "types/type.h"
#include <string.h>

enum {
  NO_PROPERTY = OPERATION_NO_PROPERTY,
  STRICT = OPERATION_STRICT,
  CAN_FAIL = OPERATION_CAN_FAIL,
  MODULAR = OPERATION_MODULAR,
  CHEAP = OPERATION_CHEAP,
  ANY_LENGTH = OPERATION_ANY_LENGTH,
  PLAIN_RUN = OPERATION_PLAIN_RUN
};

const operation_info operation_table[OP_COUNT] = {
#define X(NAME, name, a, b, c, result, properties, kernels, more_kernels)                                              \
  [OP_##NAME] = {#name,                                                                                                \
                 {OPERAND_##a, OPERAND_##b, OPERAND_##c},                                                              \
                 OPERAND_##result,                                                                                     \
                 properties,                                                                                           \
                 {kernels##_kernels, more_kernels##_kernels}},
#include "kernels/operations.def"
#undef X
};

const char *mm_op_name(int op) { return op >= 0 && op < OP_COUNT ? operation_table[op].name : "unknown"; }

int mm_op_find(const char *name) {
  for (int op = 0; op < OP_COUNT; op++)
    if (strcmp(operation_table[op].name, name) == 0) return op;
  return -1;
}

kernel_function none_kernels(const kernel_key *key) { return (void)key, NULL; }

kernel_function operation_kernel(const kernel_key *key) {
  const operation_info *operation = &operation_table[key->op];
  kernel_function kernel = operation->kernels[0](key);
  return kernel ? kernel : operation->kernels[1](key);
}

kernel_function kernel_table_find(kernel_table table, const kernel_key *key) {
  for (int32_t i = 0; i < table.count; i++) {
    const kernel_entry *entry = &table.entries[i];
    if (entry->op != key->op || entry->type != key->type) continue;
    if (entry->type2 != MM_NULL && entry->type2 != key->type2) continue;
    return entry->shaped ? entry->shaped[key->shape] : entry->kernel;
  }
  return NULL;
}

kernel_function kernel_table_find_storage(kernel_table table, const kernel_key *key) {
  kernel_key stored = *key;
  stored.type = type_storage(key->type), stored.type2 = type_storage(key->type2);
  return kernel_table_find(table, &stored);
}
