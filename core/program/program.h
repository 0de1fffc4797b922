/* program.h - a built program.
 *
 * DESIGN: mm_program_new turns the compiler's instructions into steps: constants become full vectors once, each load
 * moves to its first use (so a column that only a filtered part of the rows needs is read for that part), and an output
 * that is a plain input column needs no step at all. Registers that live at different times share a slot of the frame.
 *
 *   vector of 2048 rows    lanes: the rows, or after packing only those that passed the filters so far
 *   selection              bitmap of the lanes still wanted; NULL: all. A filter narrows it; when few lanes are left
 *                          the registers still needed are packed, `index` tells the row of each lane, and work goes
 *                          on densely
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/compiler.h"
#include "kernels/operations.h"
#include <stdatomic.h>

enum { VECTOR_WORDS = MM_VECTOR / 64 };
enum {
  RED_ZONE = ASAN_BUILD ? 64 : 0
}; /* bytes behind the data and behind the validity of a slot that nothing may touch */

typedef struct program_step {
  mm_instr instr; /* LOAD, FILTER or an operation with a kernel */
  kernel_function kernel;
  kernel_function inner; /* of is_distinct: ~= */
  void *state;           /* the set of IN; owned */
  int64_t width;         /* of a value that is loaded; 0: a bit */
  bool strict, reads[3]; /* as its operation says */
} program_step;

typedef struct program_register {
  int32_t defined, last; /* first and last step it lives in; last = step_count: until the end */
  int32_t column;        /* of a load, else -1 */
  int32_t constant;      /* 1: `vector` holds it in all lanes */
  int64_t home;          /* offset of its slot in a frame, -1: none */
  int64_t room;          /* bytes of data in the slot; after a red zone, validity follows */
  lane_vector vector;    /* of a constant */
} program_register;

struct mm_program {
  program_step *steps;
  mm_type *types; /* of registers */
  program_register *registers;
  mm_value *constants; /* with their text */
  int32_t *outputs;
  int32_t step_count, step_capacity, register_count, constant_count, output_count, columns;
  int64_t frame_size; /* bytes of slots */
  int32_t lanes;      /* of a vector of a plain run: narrow types have more of them in the same bytes. Else MM_VECTOR */
  bool can_fail, filters;
  /* Cannot fail, knows only values of fixed width, and filters at most last: see frame_run_plain. */
  bool plain;
  int32_t *filter_last; /* another order of the steps, the filter last, see filter_last.c; NULL: none */
  int32_t condition;    /* the register that this filter reads, and nothing else */
  atomic_int_least32_t references;
  struct program_frame *folding; /* of mm_program_eval */
};

mm_program *program_share(mm_program *program);  /* one more user; mm_program_free takes one away */
int64_t register_bytes(int type, int64_t lanes); /* bytes of so many lanes of a register */
void program_forget(mm_program *program);        /* frees what mm_program_eval keeps */
/* Rewrite code with fewer instructions; returns how many there are now, or a negative status. */
int32_t program_fuse(mm_instr *code, int32_t length, const int32_t *outputs, int32_t output_count, int32_t registers,
                     mm_error *error);
int program_order_filter_last(mm_program *program, mm_error *error); /* fills in filter-last, before the layout */
int program_assign_registers(mm_program *program, mm_error *error);  /* slots: fills in home and frame_size */
int program_fill_constants(mm_program *program, mm_error *error);    /* vectors of constant registers */
