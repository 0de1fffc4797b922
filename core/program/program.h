/* program.h - a built program, the frame a worker runs it in, and its outputs.
 *
 * DESIGN: mm_program_new turns the compiler's instructions into steps: constants become full vectors once, each load moves
 * to its first use (so a column that only a filtered part of the rows needs is read for that part), and an output that
 * is a plain input column needs no step at all. Registers that live at different times share a slot of the frame.
 *
 *   vector of 2048 rows    lanes: the rows, or after packing only those that passed the filters so far
 *   selection              bitmap of the lanes still wanted; NULL: all. A filter narrows it; when few lanes are left the
 *                          registers still needed are packed, `index` tells the row of each lane, and work goes on densely
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"
#include <stdatomic.h>

enum { VECTOR_WORDS = MM_VECTOR / 64 };
enum {
  RED_ZONE = MM_ASAN ? 64 : 0
}; /* bytes behind the data and behind the validity of a slot that nothing may touch */

/* ---- Operations: one table ---- */

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

/* ---- Programs ---- */

typedef struct mm_step {
  mm_instr instr; /* LOAD, FILTER or an operation with a kernel */
  mm_kernel kernel;
  mm_kernel inner;       /* of is_distinct: ~= */
  void *state;           /* the set of IN; owned */
  int64_t width;         /* of a value that is loaded; 0: a bit */
  bool strict, reads[3]; /* as its operation says */
} mm_step;

typedef struct mm_register {
  int32_t defined, last; /* first and last step it lives in; last = step_count: until the end */
  int32_t column;        /* of a load, else -1 */
  int32_t constant;      /* 1: `vector` holds it in all lanes */
  int64_t home;          /* offset of its slot in a frame, -1: none */
  int64_t room;          /* bytes of data in the slot; after a red zone, validity follows */
  mm_vector vector;      /* of a constant */
} mm_register;

struct mm_program {
  mm_step *steps;
  mm_type *types; /* of registers */
  mm_register *registers;
  mm_value *constants; /* with their text */
  int32_t *outputs;
  int32_t step_count, step_capacity, register_count, constant_count, output_count, columns;
  int64_t frame_size; /* bytes of slots */
  int32_t lanes;      /* of a vector of a plain run: narrow types have more of them in the same bytes. Else MM_VECTOR */
  bool can_fail, filters;
  bool
      plain; /* cannot fail, knows only values of fixed width, and filters at most in its eager order: see mm_frame_run_plain */
  int32_t *eager;    /* another order of the steps, the filter last, see filter_last.c; NULL: none */
  int32_t condition; /* the register that this filter reads, and nothing else */
  atomic_int_least32_t references;
  struct mm_frame *folding; /* of mm_program_eval */
};

mm_program *mm_program_share(mm_program *program); /* one more user; mm_program_free takes one away */
int64_t mm_lane_bytes(int type, int64_t lanes);    /* bytes of so many lanes of a register */
/* Rewrite code with fewer instructions; returns how many there are now, or a negative status. */
int32_t mm_program_fuse(mm_instr *code, int32_t length, const int32_t *outputs, int32_t output_count, int32_t registers,
                        mm_error *error);
int mm_program_eager(mm_program *program, mm_error *error);     /* fills in eager, before the layout */
int mm_program_layout(mm_program *program, mm_error *error);    /* slots: fills in home and frame_size */
int mm_program_constants(mm_program *program, mm_error *error); /* vectors of constant registers */

/* ---- Frames ---- */

typedef struct mm_frame {
  const mm_program *program;
  mm_vector *vectors; /* what each register is now */
  uint8_t *slots;
  void **direct;             /* where a register's data goes instead of its slot; NULL: to its slot */
  mm_arena arena;            /* text made during one vector */
  int32_t n;                 /* lanes */
  bool packed;               /* lanes are not rows: see index */
  const uint64_t *selection; /* NULL: all n lanes; else `selected` */
  int32_t passed;            /* lanes in it */
  uint64_t *selected;        /* VECTOR_WORDS words */
  uint64_t *bad;             /* as many; zero between two kernels */
  uint16_t *index;           /* MM_VECTOR rows */
  bool most_pass;            /* the filter in the last vector: go on in the program's eager order */
  int32_t failed_row;        /* within the vector; -1: none */
  mm_error failure;
} mm_frame;

mm_frame *mm_frame_new(const mm_program *program, mm_error *error);
void mm_frame_free(mm_frame *frame);
/* Run rows start .. start + n - 1 of a batch (start a multiple of 64, n at most MM_VECTOR). Afterwards the frame tells the lanes that
 * passed; a row that failed is in failed_row and failure, and only lanes of earlier rows pass. Negative: out of memory. */
int mm_frame_run(mm_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error);
/* Remember for the next vector whether most lanes passed a filter. */
void mm_frame_note_passed(mm_frame *frame, int64_t passed, int64_t lanes);
int32_t mm_frame_passed(const mm_frame *frame);            /* lanes that passed */
void mm_frame_rows(const mm_frame *frame, uint64_t *rows); /* the rows that passed, a bit each, VECTOR_WORDS words */
/* Is the program plain, did most lanes pass its filter last time, and are the columns it loads from this batch without nulls and aligned? */
bool mm_frame_is_plain(const mm_frame *frame, const mm_batch *batch);
/* The same as mm_frame_run where that is so, with nothing to ask about any row. n is a multiple of 64, at most program->lanes. A filter only
 * leaves its condition in its register, for the caller to count. */
int mm_frame_run_plain(mm_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error);
/* Bind a register to the rows of its column (run.c uses it for loads). */
void mm_frame_load(mm_frame *frame, const mm_step *step, const mm_column *column, int64_t start);
/* Point a register at its own slot, with room for validity; returns it. */
mm_vector *mm_frame_home(mm_frame *frame, int32_t r);
void mm_frame_pack(mm_frame *frame, int32_t step, int32_t count); /* go on with the selected lanes only */

/* Describe why `lane` failed in step: id, message, value, place. */
void mm_describe_failure(const mm_frame *frame, const mm_step *step, int32_t lane, mm_error *error);

/* ---- Outputs ---- */

/* A column under construction. Its blocks are used again when whoever took the column has let go of them. */
typedef struct mm_output {
  int32_t reg;
  int32_t column; /* input column it is, or -1 */
  mm_type type;
  mm_block *data, *valid, *offsets;
  int64_t rows;  /* there is room for */
  int64_t bytes; /* of text so far */
  mm_block *to;  /* where the column of the whole job is computed, if it is; row `base` of it is row 0 here */
  int64_t base;
  int64_t width; /* of a value; 0: not fixed */
  uint8_t *at;   /* row 0, when the width is fixed */
  bool nulls;    /* valid is in use */
  bool kept;     /* blocks were still in use last time: hand out tight copies */
} mm_output;

/* Where rows from `at` on may be computed in place; NULL: they must be appended. */
static inline void *mm_output_place(const mm_output *output, int64_t at) {
  return output->at ? output->at + at * output->width : NULL;
}
int mm_output_begin(mm_output *output, int64_t rows, mm_error *error); /* room for at most so many rows */
/* The selected lanes of a vector become rows at .. at + count - 1. */
int mm_output_append(mm_output *output, int64_t at, const mm_vector *vector, const uint64_t *selected, int32_t n,
                     int32_t count, mm_error *error);
/* The lanes of a vector become rows of the n from `at` on, a multiple of 64: lane i row at + i, or at + index[i] where there is an index, which
 * ascends. Other rows hold anything. For values of fixed width. */
int mm_output_place_lanes(mm_output *output, int64_t at, const mm_vector *vector, const uint16_t *index, int32_t lanes,
                          int32_t n, mm_error *error);
/* The kept rows of a column become the output's `count` rows. */
int mm_output_pick(mm_output *output, const mm_column *from, const uint64_t *kept, int64_t count, mm_error *error);
int mm_output_take(mm_output *output, int64_t rows, mm_column *to, mm_error *error);
void mm_output_free(mm_output *output);
