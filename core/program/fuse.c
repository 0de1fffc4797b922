/* fuse.c - pairs of instructions that one kernel does in one pass over the lanes: a product of floats and the sum or
 * the difference that nothing else but it goes into. Both results are rounded as before, and floats cannot fail, so the
 * result is identical.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "program/program.h"
#include "types/type.h"

/* Of each register: the instruction that writes it, or -1, and how many read it. */
typedef struct usage {
  int32_t writer, readers;
} usage;

static void read_by(usage *usages, int32_t count, int32_t r) {
  if (r >= 0 && r < count) usages[r].readers++;
}

/* The code is not checked yet: registers may be anything. */
static void find_usages(const mm_instr *code, int32_t length, usage *usages, int32_t count) {
  for (int32_t r = 0; r < count; r++) usages[r] = (usage){.writer = -1};
  for (int32_t i = 0; i < length; i++) {
    const mm_instr *instr = &code[i];
    if (instr->op >= OP_COUNT) continue;
    const operation_info *operation = &operation_table[instr->op];
    const int32_t registers[3] = {instr->a, instr->b, instr->c};
    for (int k = 0; k < 3; k++)
      if (operation->operands[k]) read_by(usages, count, registers[k]);
    read_by(usages, count, instr->guard);
    if (operation->result && instr->dst >= 0 && instr->dst < count) usages[instr->dst].writer = i;
  }
}

/* The multiplication whose product is register r and goes nowhere else, or NULL. */
static mm_instr *product(mm_instr *code, const usage *usages, int32_t count, int32_t r, const mm_instr *reader) {
  if (r < 0 || r >= count || usages[r].readers != 1 || usages[r].writer < 0) return NULL;
  mm_instr *writer = &code[usages[r].writer];
  bool fits = writer < reader && writer->op == OP_MUL && writer->type == reader->type;
  return fits && writer->type2 == reader->type2 ? writer : NULL;
}

static bool is_constant(const mm_instr *code, const usage *usages, int32_t count, int32_t r) {
  return r >= 0 && r < count && usages[r].writer >= 0 && code[usages[r].writer].op == OP_CONST;
}

static void fuse(mm_instr *code, const usage *usages, int32_t count, mm_instr *instr) {
  if ((instr->op != OP_ADD && instr->op != OP_SUB) || !type_is_float(instr->type)) return;
  bool adds = instr->op == OP_ADD;
  mm_instr *left = product(code, usages, count, instr->a, instr);
  mm_instr *right = left ? NULL : product(code, usages, count, instr->b, instr), *factors = left ? left : right;
  if (!factors) return;
  bool constant = is_constant(code, usages, count, factors->a); /* kernels expect it second */
  instr->c = left ? instr->b : instr->a;
  instr->a = constant ? factors->b : factors->a;
  instr->b = constant ? factors->a : factors->b;
  instr->op = adds ? OP_MUL_ADD : left ? OP_MUL_SUB : OP_SUB_MUL;
  factors->op = OP_COUNT;
}

int32_t program_fuse(mm_instr *code, int32_t length, const int32_t *outputs, int32_t output_count, int32_t registers,
                     mm_error *error) {
  int64_t size = (registers + 1) * (int64_t)sizeof(usage);
  usage *usages = memory_allocate(size);
  if (!usages) return error_fail_memory(error, size);
  find_usages(code, length, usages, registers);
  for (int32_t i = 0; i < output_count; i++) read_by(usages, registers, outputs[i]);
  int32_t kept = 0, unknown = 0;
  for (int32_t i = 0; i < length; i++) unknown += code[i].op >= OP_COUNT; /* to be refused, not dropped */
  for (int32_t i = 0; i < length && !unknown; i++) fuse(code, usages, registers, &code[i]);
  for (int32_t i = 0; i < length; i++)
    if (unknown || code[i].op != OP_COUNT) code[kept++] = code[i];
  memory_release(usages, size);
  return kept;
}
