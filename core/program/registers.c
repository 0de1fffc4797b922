/* registers.c - where registers are: constants in vectors of the program, others in slots of a frame, which registers
 * with disjoint lives share.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "program/program.h"
#include "types/type.h"
#include <string.h>

int64_t register_bytes(int type, int64_t lanes) {
  if (type == MM_BOOL) return bit_words(lanes) * 8;
  if (type_is_text(type)) return lanes * (int64_t)sizeof(text_view);
  return lanes * mm_type_width((mm_type){.id = (uint8_t)type});
}

/* ---- Constants ---- */

static const uint64_t all_null[VECTOR_WORDS];

static void fill_number(void *data, int type, const mm_value *value, int32_t lanes) {
  switch (type_storage(type)) {
#define FILL(E, s, ctype, format)                                                                                      \
  case MM_##E: {                                                                                                       \
    ctype x = type_is_float(MM_##E) ? (ctype)value->f : type_is_unsigned(MM_##E) ? (ctype)value->u : (ctype)value->i;  \
    for (int i = 0; i < lanes; i++) ((ctype *)data)[i] = x;                                                            \
    break;                                                                                                             \
  }
    TYPE_INTEGERS(FILL)
#undef FILL
  case MM_F32:
    for (int i = 0; i < lanes; i++) ((float *)data)[i] = (float)value->f;
    break;
  case MM_F64:
    for (int i = 0; i < lanes; i++) ((double *)data)[i] = value->f;
    break;
  case MM_BOOL: memset(data, value->i ? 0xFF : 0, (size_t)lanes / 8); break;
  case MM_UTF8:
    for (int i = 0; i < lanes; i++) ((text_view *)data)[i] = (text_view){(const uint8_t *)value->text, value->size};
    break;
  default: break;
  }
}

int program_fill_constants(mm_program *program, mm_error *error) {
  for (int32_t i = 0; i < program->register_count; i++) {
    program_register *reg = &program->registers[i];
    if (!reg->constant) continue;
    const mm_value *value = &program->constants[reg->home];
    int64_t size = register_bytes(program->types[i].id, program->lanes);
    reg->home = -1;
    reg->vector.data = memory_allocate_zero(size > 0 ? size : 1);
    if (!reg->vector.data) return error_fail_memory(error, size);
    if (value->null) reg->vector.valid = (uint64_t *)(uintptr_t)all_null; /* kernels never write operands */
    else fill_number(reg->vector.data, program->types[i].id, value, program->lanes);
  }
  return 0;
}

/* ---- Slots ---- */

enum { SLOT_CLASSES = 9 }; /* data of 0, 128, 1 Ki, 2 Ki, 4 Ki, 8 Ki, 16 Ki, 32 Ki, 64 Ki bytes */

static int slot_class(int64_t bytes) {
  int class = 0;
  for (int64_t size = 128; class < SLOT_CLASSES - 1 && bytes > 0; size = size == 128 ? 1024 : size * 2) {
    class ++;
    if (bytes <= size) break;
  }
  return class;
}

/* Free slots: a stack of offsets for each class. */
typedef struct slots {
  int64_t *free_offsets; /* capacity places a class */
  int32_t count[SLOT_CLASSES];
  int32_t capacity;
} slots;

static void give_slot(mm_program *program, slots *free, int32_t r) {
  program_register *reg = &program->registers[r];
  int64_t bytes = register_bytes(program->types[r].id, program->lanes);
  int class = slot_class(bytes);
  reg->room = bytes;
  if (free->count[class] > 0) {
    reg->home = free->free_offsets[class * free->capacity + --free->count[class]];
  } else {
    reg->home = program->frame_size;
    program->frame_size += bytes + RED_ZONE + VECTOR_WORDS * 8 + RED_ZONE; /* data, then validity */
  }
}

static void take_back(mm_program *program, slots *free, int32_t r) {
  int class = slot_class(program->registers[r].room);
  free->free_offsets[class * free->capacity + free->count[class]++] = program->registers[r].home;
}

/* Give back the slots of the registers that step `at` is the last one to use: only its own can be. */
static void take_back_last(mm_program *program, slots *free, int32_t at) {
  const program_step *step = &program->steps[at];
  const mm_instr *instr = &step->instr;
  bool writes = operation_table[instr->op].result != OPERAND_NONE;
  const int32_t used[] = {step->reads[0] ? instr->a : -1, step->reads[1] ? instr->b : -1,
                          step->reads[2] ? instr->c : -1, instr->guard, writes ? instr->dst : -1};
  int count = (int)(sizeof used / sizeof *used);
  for (int i = 0; i < count; i++) {
    bool again = false; /* a register may stand in several places */
    for (int k = 0; k < i; k++) again |= used[k] == used[i];
    if (used[i] < 0 || again || program->registers[used[i]].last != at) continue;
    if (program->registers[used[i]].home >= 0) take_back(program, free, used[i]);
  }
}

int program_assign_registers(mm_program *program, mm_error *error) {
  slots free = {.capacity = program->register_count + 1};
  int64_t size = free.capacity * SLOT_CLASSES * (int64_t)sizeof *free.free_offsets;
  free.free_offsets = memory_allocate(size);
  if (!free.free_offsets) return error_fail_memory(error, size);
  for (int32_t i = 0; i < program->step_count; i++) {
    const mm_instr *instr = &program->steps[i].instr;
    if (operation_table[instr->op].result) give_slot(program, &free, instr->dst);
    take_back_last(program, &free, i);
  }
  memory_release(free.free_offsets, size);
  return 0;
}
