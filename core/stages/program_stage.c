/* program_stage.c - the stage that runs a vector program over each batch: fused where, derive, select, cast, fill_null.
 *
 * DESIGN: the rows of a batch that pass are noted in one bitmap. Outputs that a step computes are filled vector by
 * vector; those that are plain input columns are picked with that bitmap at the end, or shared when all rows passed. A
 * next stage that takes selections spares all packing: it gets every row, and the bitmap.
 *
 * SPDX-License-Identifier: MIT */
#include "engine/job_state.h"
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "program/frame.h"
#include "program/output.h"
#include "types/gather.h"
#include "types/type.h"
#include <string.h>

typedef struct program_stage {
  mm_stage stage;
  mm_program *program;
} program_stage;

typedef struct program_local {
  program_frame *frame;
  program_output *outputs;
  uint64_t *kept;     /* rows of the batch that passed */
  int64_t kept_words; /* allocated */
  mm_block *origin;
  bool selects; /* hands out all rows and which of them passed */
} program_local;

/* ---- Bind, open, close ---- */

static int check_column(const mm_program *program, const program_step *step, const mm_schema *in, mm_error *error) {
  const mm_field *field = &in->fields[step->instr.a];
  mm_type type = program->types[step->instr.dst];
  if (type_storage(field->type.id) == type_storage(type.id)) return 0;
  char given[64], wanted[64];
  return error_fail(error, MM_EBUG, "bad-program", "column %s is %s, the program loads %s", field->name,
                    mm_type_name(field->type, given, sizeof given), mm_type_name(type, wanted, sizeof wanted));
}

static int check_output(const mm_program *program, int32_t column, const mm_schema *in, mm_error *error) {
  if (column < 0 || in->fields[column].type.id != MM_OPAQUE || !program->filters) return 0;
  error_fail(error, MM_EUSAGE, "opaque-column", "column %s has a type that can only pass where all rows are kept",
             in->fields[column].name);
  const char *name = in->fields[column].name;
  if (error) error_copy_text(error->field, sizeof error->field, name, (int64_t)strlen(name));
  return MM_EUSAGE;
}

static int bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  const mm_program *program = ((program_stage *)stage)->program;
  if (in->count != program->columns)
    return error_fail(error, MM_EBUG, "bad-program", "the program reads %d columns, there are %d", program->columns,
                      in->count);
  for (int32_t i = 0; i < program->step_count; i++)
    if (program->steps[i].instr.op == OP_LOAD) TRY(check_column(program, &program->steps[i], in, error));
  for (int32_t i = 0; i < program->output_count; i++)
    TRY(check_output(program, program->registers[program->outputs[i]].column, in, error));
  return 0;
}

static void program_close(mm_stage *stage, void *self) {
  const mm_program *program = ((program_stage *)stage)->program;
  program_local *local = self;
  if (!local) return;
  frame_free(local->frame);
  for (int32_t i = 0; local->outputs && i < program->output_count; i++) output_free(&local->outputs[i]);
  memory_release(local->outputs, (program->output_count + 1) * (int64_t)sizeof(program_output));
  memory_release(local->kept, local->kept_words * 8);
  mm_block_release(local->origin);
  memory_release(local, (int64_t)sizeof *local);
}

/* Are all that is computed values of fixed width, which have places of their own? */
static bool can_select(const mm_stage *stage, const program_local *local) {
  const mm_program *program = ((const program_stage *)stage)->program;
  bool can = stage->may_select && program->filters && !stage->track_rows;
  for (int32_t i = 0; i < program->output_count && can; i++)
    can = local->outputs[i].column >= 0 || mm_type_width(local->outputs[i].type) > 0;
  return can;
}

static int program_open(mm_stage *stage, mm_job *job, void **self, mm_error *error) {
  (void)job;
  const mm_program *program = ((program_stage *)stage)->program;
  program_local *local = memory_allocate_zero((int64_t)sizeof *local);
  if (!local) return error_fail_memory(error, (int64_t)sizeof *local);
  local->frame = frame_new(program, error);
  local->outputs = memory_allocate_zero((program->output_count + 1) * (int64_t)sizeof(program_output));
  if (!local->frame || !local->outputs) {
    program_close(stage, local);
    return error_fail_memory(error, program->frame_size);
  }
  for (int32_t i = 0; i < program->output_count; i++) {
    int32_t r = program->outputs[i];
    program_output *output = &local->outputs[i];
    *output = (program_output){.reg = r,
                               .column = program->registers[r].column,
                               .type = i < stage->out.count ? stage->out.fields[i].type : program->types[r]};
    const mm_column *to = stage->to && i < stage->to_count ? &stage->to[i] : NULL;
    int64_t width = mm_type_width(output->type);
    if (!to || !to->data || width == 0 || output->column >= 0) continue;
    output->to = mm_block_foreign(to->data, to->length * width, NULL, NULL, error);
    if (output->to) continue;
    program_close(stage, local);
    return MM_ENOMEM;
  }
  local->selects = can_select(stage, local);
  *self = local;
  return 0;
}

/* ---- Run ---- */

/* For a batch of `rows` rows whose first one is row `first` of the job. */
static int make_room(program_local *local, const mm_program *program, int64_t first, int64_t rows, mm_error *error) {
  int64_t words = bit_words(rows) + VECTOR_WORDS; /* the last vector may begin at any word */
  if (words > local->kept_words) {
    uint64_t *kept = memory_resize(local->kept, local->kept_words * 8, words * 8);
    if (!kept) return error_fail_memory(error, words * 8);
    local->kept = kept;
    local->kept_words = words;
  }
  for (int32_t i = 0; i < program->output_count; i++) {
    local->outputs[i].base = first;
    if (local->outputs[i].column < 0) TRY(output_begin(&local->outputs[i], rows, error));
  }
  return 0;
}

/* Where row i of the input is row i of the result, outputs are computed where they belong. Kernels write whole
 * words of lanes: memory that is not ours gets an incomplete word by copying. */
static void aim_outputs(const mm_program *program, program_local *local, int64_t start, int32_t n) {
  if (program->filters && !local->selects) return;
  for (int32_t i = 0; i < program->output_count; i++) {
    const program_output *output = &local->outputs[i];
    if (output->column >= 0) continue;
    local->frame->direct[output->reg] = output->to && n % 64 ? NULL : output_place(output, start);
  }
}

/* Kernels leave anything in lanes that are null: here it is made zero, before it can leave. Text has no bytes there. */
static void blank_output(const mm_program *program, const program_frame *frame, const program_output *output) {
  const lane_vector *vector = &frame->vectors[output->reg];
  if (!vector->valid || type_is_text(output->type.id) || output->type.id == MM_NULL) return;
  if (program->registers[output->reg].constant) return; /* null, and zero already */
  zero_nulls(vector->data, vector->valid, bit_words(frame->n), output->width);
}

static int append_outputs(const mm_program *program, program_local *local, int64_t at, int32_t count, mm_error *error) {
  const program_frame *frame = local->frame;
  for (int32_t i = 0; i < program->output_count; i++) {
    program_output *output = &local->outputs[i];
    const lane_vector *vector = &frame->vectors[output->reg];
    if (output->column >= 0) continue;
    blank_output(program, frame, output);
    TRY(output_append(output, at, vector, frame->selection, frame->n, count, error));
  }
  return 0;
}

static int place_outputs(const mm_program *program, program_local *local, int64_t start, int32_t n, mm_error *error) {
  const program_frame *frame = local->frame;
  for (int32_t i = 0; i < program->output_count; i++) {
    program_output *output = &local->outputs[i];
    if (output->column >= 0) continue;
    const uint16_t *index = frame->packed ? frame->index : NULL;
    blank_output(program, frame, output);
    TRY(output_place_lanes(output, start, &frame->vectors[output->reg], index, frame->n, n, error));
  }
  return 0;
}

/* The whole words of rows of a batch that a plain program runs over; *kept of them passed. A filter's condition is
 * computed right into the bits of the rows that passed. */
static int run_plain(const mm_program *program, program_local *local, const mm_batch *in, int64_t whole, int64_t *kept,
                     mm_error *error) {
  program_frame *frame = local->frame;
  for (int64_t start = 0; start < whole; start += program->lanes) {
    int32_t n = whole - start < program->lanes ? (int32_t)(whole - start) : program->lanes;
    aim_outputs(program, local, start, n);
    if (program->filters) frame->direct[program->condition] = local->kept + start / 64;
    TRY(frame_run_plain(frame, in, start, n, error));
    TRY(program->filters ? place_outputs(program, local, start, n, error)
                         : append_outputs(program, local, start, n, error));
  }
  *kept = whole;
  if (!program->filters) return 0;
  *kept = bits_count(local->kept, whole);
  frame_note_passed(frame, *kept, whole);
  frame->direct[program->condition] = NULL;
  return 0;
}

/* The vectors of the batch from row `start` on; *kept rows passed by then. Stops after the vector of the first
 * failure. Without filters the rows that passed are the first ones, and nobody asks for their bits. */
static int run_vectors(const mm_program *program, program_local *local, const mm_batch *in, int64_t start,
                       int64_t *kept, mm_error *error) {
  program_frame *frame = local->frame;
  for (; start < in->length; start += MM_VECTOR) {
    uint64_t *rows = local->kept + start / 64;
    int32_t n = in->length - start < MM_VECTOR ? (int32_t)(in->length - start) : MM_VECTOR;
    aim_outputs(program, local, start, n);
    TRY(frame_run(frame, in, start, n, error));
    int32_t count = frame_passed(frame);
    if (program->filters || count < n) frame_rows(frame, rows);
    if (!local->selects) TRY(append_outputs(program, local, *kept, count, error));
    else if (count > 0) TRY(place_outputs(program, local, start, n, error));
    *kept += count;
    if (frame->failed_row >= 0) {
      if (!program->filters) memset(local->kept, 0xFF, (size_t)start / 8);
      for (int64_t w = start / 64 + VECTOR_WORDS; w < bit_words(in->length); w++) local->kept[w] = 0;
      if (error) *error = frame->failure;
      if (error) error->row = mm_batch_row(in, start + frame->failed_row);
      return frame->failure.code;
    }
  }
  return 0;
}

static int fill_outputs(const mm_program *program, program_local *local, const mm_batch *in, int64_t kept,
                        mm_batch *out, mm_error *error) {
  for (int32_t i = 0; i < program->output_count; i++) {
    program_output *output = &local->outputs[i];
    if (output->column >= 0 && kept == in->length) {
      out->columns[i] = in->columns[output->column];
      mm_column_retain(&out->columns[i]);
      out->columns[i].type = output->type;
      continue;
    }
    if (output->column >= 0) TRY(output_pick(output, &in->columns[output->column], local->kept, kept, error));
    TRY(output_take(output, kept, &out->columns[i], error));
  }
  return 0;
}

/* Row numbers: those of the input when all rows passed, else of the rows that did. */
static int fill_origin(program_local *local, const mm_batch *in, int64_t kept, mm_batch *out, mm_error *error) {
  out->row = in->row;
  if (kept == in->length) {
    out->origin = in->origin;
    out->origin_block = in->origin_block;
    mm_block_retain(out->origin_block);
    return 0;
  }
  if (!local->origin || !mm_block_sole(local->origin) || mm_block_size(local->origin) < in->length * 4) {
    mm_block_release(local->origin);
    local->origin = mm_block_new(in->length * 4, error);
    if (!local->origin) return MM_ENOMEM;
  }
  int32_t *origins = (int32_t *)(void *)mm_block_data(local->origin);
  batch_origins(in, local->kept, origins);
  out->origin = origins;
  out->origin_block = local->origin;
  mm_block_retain(local->origin);
  return 0;
}

static int program_run(mm_stage *stage, void *self, const mm_batch *in, mm_batch *out, mm_error *error) {
  const mm_program *program = ((program_stage *)stage)->program;
  program_local *local = self;
  TRY(mm_batch_resize(out, program->output_count, error));
  TRY(make_room(local, program, in->row, in->length, error));
  int64_t kept = 0, whole = in->length & ~INT64_C(63);
  bool plain = frame_is_plain(local->frame, in) && (!program->filters || local->selects);
  if (plain) TRY(run_plain(program, local, in, whole, &kept, error));
  int status = run_vectors(program, local, in, plain ? whole : 0, &kept, error);
  if (status < 0 && local->frame->failed_row < 0) return status;
  bool selects = local->selects && kept < in->length;
  int64_t rows = selects ? in->length : kept;
  TRY(fill_outputs(program, local, in, rows, out, error));
  out->length = rows;
  if (selects) out->selected = local->kept, out->passed = kept;
  if (stage->track_rows) TRY(fill_origin(local, in, kept, out, error));
  return status;
}

/* ---- The stage ---- */

static void free_stage(mm_stage *stage) {
  mm_program_free(((program_stage *)stage)->program);
  mm_schema_free(&stage->out);
  memory_release(stage, (int64_t)sizeof(program_stage));
}

static mm_stage *program_copy(const mm_stage *stage, mm_error *error) {
  return mm_stage_program(program_share(((const program_stage *)stage)->program), &stage->out, error);
}

static int32_t shares(const mm_stage *stage, int32_t column) {
  const mm_program *program = ((const program_stage *)stage)->program;
  return program->registers[program->outputs[column]].column;
}

static const mm_stage_class program_class = {.name = "program",
                                             .bind = bind,
                                             .open = program_open,
                                             .close = program_close,
                                             .run = program_run,
                                             .free = free_stage,
                                             .copy = program_copy,
                                             .shares = shares};

mm_stage *mm_stage_program(mm_program *take, const mm_schema *out, mm_error *error) {
  program_stage *self = memory_allocate_zero((int64_t)sizeof *self);
  if (!self) {
    error_fail_memory(error, (int64_t)sizeof *self);
    mm_program_free(take);
    return NULL;
  }
  self->program = take;
  self->stage.vtable = &program_class;
  self->stage.index = -1;
  if (take->lanes > MM_VECTOR) self->stage.batch_rows = 16 * take->lanes; /* the bytes of other batches, in more rows */
  if (take->can_fail) self->stage.flags |= MM_STAGE_CAN_FAIL;
  if (!take->filters) self->stage.flags |= MM_STAGE_KEEPS_ROWS;
  int status = out->count == take->output_count
                   ? mm_schema_copy(&self->stage.out, out, error)
                   : error_fail(error, MM_EBUG, "bad-program", "the program has %d outputs, the schema %d columns",
                                take->output_count, out->count);
  if (status < 0) {
    free_stage(&self->stage);
    return NULL;
  }
  return &self->stage;
}
