/* program.c - builds a program: checks every instruction, binds it to a kernel, moves loads to their first use.
 * SPDX-License-Identifier: MIT */
#include "program/program.h"
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "kernels/in/in_set.h"
#include "kernels/in/text_in_set.h"
#include "types/type.h"
#include <stdatomic.h>
#include <string.h>

static int wrong(mm_error *error, int32_t at, const mm_instr *instr, const char *what) {
  return error_fail(error, MM_EBUG, "bad-program", "instruction %d (%s): %s", at, mm_op_name(instr->op), what);
}

/* ---- Copies of the arguments ---- */

static void *copy_array(const void *from, int64_t size) {
  void *to = memory_allocate(size > 0 ? size : 1);
  if (to && size > 0) memcpy(to, from, (size_t)size);
  return to;
}
static void release_array(void *memory, int64_t size) { memory_release(memory, size > 0 ? size : 1); }

static int copy_constants(mm_program *program, const mm_value *constants, int32_t count) {
  program->constants = memory_allocate_zero(count > 0 ? count * (int64_t)sizeof *constants : 1);
  if (!program->constants) return MM_ENOMEM;
  program->constant_count = count;
  for (int32_t i = 0; i < count; i++) {
    program->constants[i] = constants[i];
    program->constants[i].text = NULL;
    if (!constants[i].text) continue;
    program->constants[i].text = copy_array(constants[i].text, constants[i].size);
    if (!program->constants[i].text) return MM_ENOMEM;
  }
  return 0;
}

/* ---- Checks ---- */

static bool same_storage(int a, int b) { return type_storage(a) == type_storage(b); }

static bool is_register(const mm_program *program, int32_t r) { return r >= 0 && r < program->register_count; }

/* A register that an earlier instruction wrote. */
static bool is_written(const mm_program *program, int32_t r) {
  return is_register(program, r) && program->registers[r].defined >= 0;
}

static int operand_type(const mm_instr *instr, int kind) {
  return kind == OPERAND_T ? instr->type : kind == OPERAND_S ? instr->type2 : kind == OPERAND_BOOL ? MM_BOOL : MM_I64;
}

static int check_operand(const mm_program *program, int32_t at, const mm_instr *instr, int kind, int32_t r,
                         mm_error *error) {
  if (kind == OPERAND_NONE) return 0;
  if (!is_written(program, r)) return wrong(error, at, instr, "reads a register that nothing has written");
  if (!same_storage(program->types[r].id, operand_type(instr, kind)))
    return wrong(error, at, instr, "an operand has another type");
  return 0;
}

static int check_result(const mm_program *program, int32_t at, const mm_instr *instr, mm_error *error) {
  int kind = operation_table[instr->op].result;
  if (kind == OPERAND_NONE) return 0;
  if (!is_register(program, instr->dst)) return wrong(error, at, instr, "no such register to write");
  if (program->registers[instr->dst].defined >= 0) return wrong(error, at, instr, "writes a register again");
  if (!same_storage(program->types[instr->dst].id, operand_type(instr, kind)))
    return wrong(error, at, instr, "the result has another type");
  return 0;
}

static int check_numbers(const mm_program *program, int32_t at, const mm_instr *instr, mm_error *error) {
  switch (instr->op) {
  case OP_LOAD:
    if (instr->a < 0 || instr->a >= program->columns) return wrong(error, at, instr, "no such column");
    break;
  case OP_CONST:
    if (instr->a < 0 || instr->a >= program->constant_count) return wrong(error, at, instr, "no such constant");
    if (!program->constants[instr->a].null && !same_storage(program->constants[instr->a].type.id, instr->type))
      return wrong(error, at, instr, "the constant has another type");
    break;
  case OP_IN:
    if (instr->b < 0 || instr->c < 0 || instr->c > program->constant_count - instr->b)
      return wrong(error, at, instr, "no such constants");
    break;
  default: break;
  }
  return 0;
}

static int check(const mm_program *program, int32_t at, const mm_instr *instr, mm_error *error) {
  if (instr->op >= OP_COUNT) return error_fail(error, MM_EBUG, "bad-program", "instruction %d: no such operation", at);
  if (instr->type >= MM_TYPE_COUNT || instr->type2 >= MM_TYPE_COUNT) return wrong(error, at, instr, "no such type");
  const uint8_t *kinds = operation_table[instr->op].operands;
  TRY(check_operand(program, at, instr, kinds[0], instr->a, error));
  TRY(check_operand(program, at, instr, kinds[1], instr->b, error));
  TRY(check_operand(program, at, instr, kinds[2], instr->c, error));
  if (instr->guard >= 0) TRY(check_operand(program, at, instr, OPERAND_BOOL, instr->guard, error));
  TRY(check_numbers(program, at, instr, error));
  return check_result(program, at, instr, error);
}

/* ---- Binding ---- */

static kernel_function find_kernel(const mm_program *program, const mm_instr *instr, int op) {
  const uint8_t *kinds = operation_table[op].operands;
  bool constant_a = kinds[0] && program->registers[instr->a].constant;
  bool constant_b = kinds[1] && program->registers[instr->b].constant;
  bool constant_c = kinds[2] && program->registers[instr->c].constant;
  int shape = (constant_b ? SHAPE_VS : constant_a ? SHAPE_SV : SHAPE_VV) | (constant_c ? SHAPE_C : 0);
  int mode = op == OP_CAST ? instr->b : 0;
  return operation_kernel(&(kernel_key){op, instr->type, instr->type2, mode, shape});
}

/* Whole numbers fit into every float, and into wider whole numbers of their sign or of both. All but a checked cast
 * to another unit finds a value for a time. */
static bool cast_may_fail(int to, int from, int mode) {
  bool into_number = to >= MM_I8 && to <= MM_F64, whole = from == MM_BOOL || (from >= MM_I8 && from <= MM_U64);
  if (mode == MM_CAST_TRY) return false;
  if (to == from) return mode == MM_CAST_CHECK && (to == MM_TIMESTAMP || to == MM_DURATION); /* to another unit */
  if (!into_number) return true;
  if (type_is_float(to)) return !whole && !(from == MM_F32 && to == MM_F64);
  if (!whole || mode != MM_CAST_CHECK) return !whole;
  if (from == MM_BOOL) return false;
  int64_t width = mm_type_width((mm_type){.id = (uint8_t)to}), old = mm_type_width((mm_type){.id = (uint8_t)from});
  return width <= old || (type_is_unsigned(to) && !type_is_unsigned(from));
}

static bool may_fail(const mm_instr *instr) {
  if (!operation_has(instr->op, OPERATION_CAN_FAIL)) return false;
  if (instr->op == OP_CAST) return cast_may_fail(instr->type, instr->type2, instr->b);
  if (operation_has(instr->op, OPERATION_MODULAR) && mm_type_width((mm_type){.id = instr->type}) < 8) return false;
  return !type_is_float(instr->type);
}

static int prepare_set(mm_program *program, program_step *step, mm_error *error) {
  const mm_value *values = program->constants + step->instr.b;
  if (type_is_text(step->instr.type)) {
    step->state = (void *)(uintptr_t)text_in_set_new(values, step->instr.c);
    return step->state ? 0 : error_fail_memory(error, step->instr.c * (int64_t)sizeof *values);
  }
  step->state = in_set_new(values, step->instr.c, type_storage(step->instr.type), error);
  return step->state ? 0 : MM_ENOMEM;
}

static int add_step(mm_program *program, int32_t at, const mm_instr *instr, mm_error *error) {
  program_step *step = &program->steps[program->step_count];
  const operation_info *operation = &operation_table[instr->op];
  *step = (program_step){.instr = *instr,
                         .strict = operation_has(instr->op, OPERATION_STRICT),
                         .width = mm_type_width((mm_type){.id = instr->type})};
  for (int k = 0; k < 3; k++) step->reads[k] = operation->operands[k] != OPERAND_NONE;
  if (instr->op != OP_LOAD && instr->op != OP_FILTER) {
    step->kernel = find_kernel(program, instr, instr->op);
    if (!step->kernel) return wrong(error, at, instr, "no kernel for these types");
  }
  if (instr->op == OP_IS_DISTINCT) step->inner = find_kernel(program, instr, OP_NE);
  program->step_count++;
  if (instr->op == OP_IN) TRY(prepare_set(program, step, error));
  program->can_fail |= may_fail(instr);
  program->filters |= instr->op == OP_FILTER;
  return 0;
}

/* A register is read by the next step: it lives until there; a load becomes a step at its first use. */
static int use_register(mm_program *program, int32_t r, mm_error *error) {
  program_register *reg = &program->registers[r];
  if (reg->column >= 0 && reg->last < 0) {
    mm_instr load = {.op = OP_LOAD,
                     .type = program->types[r].id,
                     .type2 = program->types[r].id,
                     .dst = r,
                     .a = reg->column,
                     .b = -1,
                     .c = -1,
                     .guard = -1,
                     .place = -1};
    reg->defined = program->step_count;
    TRY(add_step(program, -1, &load, error));
  }
  reg->last = program->step_count;
  return 0;
}

static int add_instruction(mm_program *program, int32_t at, const mm_instr *instr, mm_error *error) {
  TRY(check(program, at, instr, error));
  bool writes = operation_table[instr->op].result != OPERAND_NONE;
  program_register *dst = &program->registers[writes ? instr->dst : 0]; /* there is always one more than are used */
  if (writes) dst->defined = program->step_count;
  if (writes && instr->op == OP_LOAD) {
    dst->column = instr->a;
    return 0;
  }
  if (writes && instr->op == OP_CONST) {
    dst->constant = 1;
    dst->home = instr->a; /* until program_fill_constants has filled it in */
    return 0;
  }
  const uint8_t *kinds = operation_table[instr->op].operands;
  if (kinds[0]) TRY(use_register(program, instr->a, error));
  if (kinds[1]) TRY(use_register(program, instr->b, error));
  if (kinds[2]) TRY(use_register(program, instr->c, error));
  if (instr->guard >= 0) TRY(use_register(program, instr->guard, error));
  /* Loads may have been added since: all operands live until this very step. */
  if (kinds[0]) program->registers[instr->a].last = program->step_count;
  if (kinds[1]) program->registers[instr->b].last = program->step_count;
  if (kinds[2]) program->registers[instr->c].last = program->step_count;
  if (writes) dst->defined = dst->last = program->step_count;
  return add_step(program, at, instr, error);
}

static int check_outputs(mm_program *program, mm_error *error) {
  for (int32_t i = 0; i < program->output_count; i++) {
    int32_t r = program->outputs[i];
    if (!is_written(program, r))
      return error_fail(error, MM_EBUG, "bad-program", "output %d is a register that nothing writes", i);
    if (program->registers[r].column < 0) program->registers[r].last = program->step_count;
  }
  return 0;
}

static bool takes_any_length(const mm_instr *instr) {
  if (instr->op == OP_CAST) return instr->type != MM_BOOL && instr->type2 != MM_BOOL;
  return operation_has(instr->op, OPERATION_ANY_LENGTH);
}

static bool is_plain_step(const mm_instr *instr) {
  if (instr->op == OP_CAST) return instr->b != MM_CAST_TRY && !type_is_text(instr->type) && !type_is_text(instr->type2);
  return operation_has(instr->op, OPERATION_PLAIN_RUN);
}

/* How long vectors may be: as many lanes of the widest type as fill the bytes of MM_VECTOR lanes of 8 bytes. */
static void choose_lanes(mm_program *program) {
  bool plain = !program->can_fail, any_length = true;
  int64_t widest = 1;
  for (int32_t i = 0; i < program->register_count; i++) {
    int64_t width = mm_type_width(program->types[i]);
    const program_register *reg = &program->registers[i];
    plain &= width > 0 || program->types[i].id == MM_BOOL || (reg->column >= 0 && reg->last < 0);
    plain &= !reg->constant || !program->constants[reg->home].null;
    if (width > widest) widest = width;
  }
  int32_t kernels = 0;
  for (int32_t i = 0; i < program->step_count; i++) {
    plain &= is_plain_step(&program->steps[i].instr);
    any_length &= takes_any_length(&program->steps[i].instr);
    kernels += program->steps[i].kernel != NULL;
  }
  enum {
    ALONE = 4
  }; /* vectors at a time, when nobody but one kernel reads and writes them, so that they need not stay in L1 */
  program->plain = plain;
  program->lanes = plain && any_length ? (int32_t)(MM_VECTOR * 8 / widest) * (kernels == 1 ? ALONE : 1) : MM_VECTOR;
}

static int add_instructions(mm_program *program, const mm_instr *code, int32_t length, mm_error *error) {
  int64_t size = length * (int64_t)sizeof *code;
  mm_instr *fused = copy_array(code, size);
  if (!fused) return error_fail_memory(error, size);
  int32_t count = program_fuse(fused, length, program->outputs, program->output_count, program->register_count, error);
  int status = count < 0 ? count : 0;
  for (int32_t i = 0; i < count && status >= 0; i++) status = add_instruction(program, i, &fused[i], error);
  release_array(fused, size);
  return status;
}

static int build_program(mm_program *program, const mm_instr *code, int32_t length, mm_error *error) {
  for (int32_t i = 0; i < program->register_count; i++) {
    if (program->types[i].id >= MM_TYPE_COUNT)
      return error_fail(error, MM_EBUG, "bad-program", "register %d has no type", i);
    program->registers[i] = (program_register){.defined = -1, .last = -1, .column = -1, .home = -1};
  }
  TRY(add_instructions(program, code, length, error));
  TRY(check_outputs(program, error));
  choose_lanes(program);
  TRY(program_fill_constants(program, error));
  TRY(program_order_filter_last(program, error));
  program->plain &= !program->filters || program->filter_last;
  return program_assign_registers(program, error);
}

int mm_program_new(const mm_instr *code, int32_t length, const mm_type *registers, int32_t register_count,
                   const mm_value *constants, int32_t constant_count, const int32_t *outputs, int32_t output_count,
                   int32_t columns, mm_program **out, mm_error *error) {
  TRY(mm_isa_check(error));
  mm_program *program = memory_allocate_zero((int64_t)sizeof *program);
  if (!program) return error_fail_memory(error, (int64_t)sizeof *program);
  atomic_init(&program->references, 1);
  program->register_count = register_count;
  program->output_count = output_count;
  program->columns = columns;
  program->step_capacity = length + register_count + 1; /* at most one load a register */
  program->types = copy_array(registers, register_count * (int64_t)sizeof *registers);
  program->outputs = copy_array(outputs, output_count * (int64_t)sizeof *outputs);
  program->registers = memory_allocate_zero((register_count + 1) * (int64_t)sizeof *program->registers);
  program->steps = memory_allocate_zero(program->step_capacity * (int64_t)sizeof *program->steps);
  int status = copy_constants(program, constants, constant_count);
  if (status < 0 || !program->types || !program->outputs || !program->registers || !program->steps)
    status = error_fail_memory(error, program->step_capacity * (int64_t)sizeof *program->steps);
  else status = build_program(program, code, length, error);
  if (status < 0) {
    mm_program_free(program);
    return status;
  }
  *out = program;
  return 0;
}

static void free_step(program_step *step) {
  if (step->instr.op != OP_IN) return;
  if (type_is_text(step->instr.type)) text_in_set_free(step->state);
  else in_set_free(step->state);
}

mm_program *program_share(mm_program *program) {
  atomic_fetch_add_explicit(&program->references, 1, memory_order_relaxed);
  return program;
}

void mm_program_free(mm_program *program) {
  if (!program || atomic_fetch_sub_explicit(&program->references, 1, memory_order_acq_rel) > 1) return;
  program_forget(program);
  for (int32_t i = 0; i < program->step_count; i++) free_step(&program->steps[i]);
  for (int32_t i = 0; program->registers && i < program->register_count; i++)
    if (program->registers[i].constant && program->registers[i].vector.data)
      release_array(program->registers[i].vector.data, register_bytes(program->types[i].id, program->lanes));
  for (int32_t i = 0; i < program->constant_count; i++)
    if (program->constants[i].text)
      release_array((void *)(uintptr_t)program->constants[i].text, program->constants[i].size);
  memory_release(program->filter_last, program->step_count * (int64_t)sizeof *program->filter_last);
  release_array(program->constants, program->constant_count * (int64_t)sizeof *program->constants);
  release_array(program->types, program->register_count * (int64_t)sizeof *program->types);
  release_array(program->outputs, program->output_count * (int64_t)sizeof *program->outputs);
  memory_release(program->registers, (program->register_count + 1) * (int64_t)sizeof *program->registers);
  memory_release(program->steps, program->step_capacity * (int64_t)sizeof *program->steps);
  memory_release(program, (int64_t)sizeof *program);
}
