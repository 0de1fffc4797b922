/* run.c - runs a program over one vector: step by step, narrowing the selection at filters and at failures.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "program/lane_error.h"
#include <assert.h>
#include <string.h>

static uint64_t lanes_mask(int32_t n, int32_t w) {
  int32_t left = n - 64 * w;
  return left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
}

static uint64_t selected_word(const program_frame *frame, int32_t w) {
  return frame->selection ? frame->selection[w] : lanes_mask(frame->n, w);
}

int32_t frame_passed(const program_frame *frame) { return frame->selection ? frame->passed : frame->n; }

void frame_rows(const program_frame *frame, uint64_t *rows) {
  memset(rows, 0, VECTOR_WORDS * 8);
  int32_t words = (int32_t)bit_words(frame->n);
  if (!frame->packed && frame->selection) {
    memcpy(rows, frame->selection, (size_t)words * 8);
    return;
  }
  for (int32_t w = 0; w < words; w++) {
    uint64_t bits = selected_word(frame, w);
    if (!frame->packed) rows[w] = bits;
    else
      for (; bits; bits &= bits - 1) bit_set(rows, frame->index[64 * w + __builtin_ctzll(bits)]);
  }
}

/* ---- Selection ---- */

void frame_note_passed(program_frame *frame, int64_t passed, int64_t lanes) {
  enum { PACK_RATIO = 4 }; /* when at most 1 in so many lanes is still selected and steps follow, packing pays */
  frame->most_pass = passed * PACK_RATIO > lanes;
}

/* Only lanes before `end` stay selected. */
static void cut_lanes(program_frame *frame, int32_t end) {
  for (int32_t w = 0; w < bit_words(frame->n); w++) {
    uint64_t keep = end <= 64 * w ? 0 : lanes_mask(end, w);
    frame->selected[w] = selected_word(frame, w) & keep;
  }
  frame->selection = frame->selected;
  frame->passed = (int32_t)bits_count(frame->selected, frame->n);
}

static void filter(program_frame *frame, int32_t at, bool last) {
  const lane_vector *v = &frame->vectors[frame->program->steps[at].instr.a];
  const uint64_t *bits = v->data;
  assert(frame->selected); /* the analyzer takes it for null where frame->selection is */
  if (!frame->selection && !v->valid && frame->n % 64 == 0) memcpy(frame->selected, bits, (size_t)frame->n / 8);
  else
    for (int32_t w = 0; w < bit_words(frame->n); w++)
      frame->selected[w] = bits[w] & selected_word(frame, w) & (v->valid ? v->valid[w] : ~UINT64_C(0));
  int32_t count = (int32_t)bits_count(frame->selected, frame->n);
  frame_note_passed(frame, count, frame->n);
  if (count == frame->n) return;
  frame->selection = frame->selected;
  frame->passed = count;
  if (count > 0 && !frame->most_pass && !last) frame_pack(frame, at, count);
  else if (count == 0) frame->n = 0;
}

/* ---- Failures ---- */

/* Lanes of `bad` that really failed: selected, not null, on the taken side. False: none. */
static bool real_failures(program_frame *frame, const program_step *step) {
  const lane_vector *dst = &frame->vectors[step->instr.dst];
  const lane_vector *guard = step->instr.guard >= 0 ? &frame->vectors[step->instr.guard] : NULL;
  uint64_t any = 0;
  for (int32_t w = 0; w < bit_words(frame->n); w++) {
    uint64_t bad = frame->bad[w] & selected_word(frame, w);
    if (dst->valid) bad &= dst->valid[w];
    if (guard) bad &= ((const uint64_t *)guard->data)[w];
    if (guard && guard->valid) bad &= guard->valid[w];
    frame->bad[w] = bad;
    any |= bad;
  }
  return any != 0;
}

/* Keep the failure of the lowest row, and of its lowest place. The row itself stays selected: a later step may fail
 * there with a lower place. */
static void note_failure(program_frame *frame, const program_step *step) {
  int32_t lane = 0;
  while (!bit_get(frame->bad, lane)) lane++;
  int32_t row = frame->packed ? frame->index[lane] : lane;
  bool first = frame->failed_row < 0 || row < frame->failed_row
               || (row == frame->failed_row && step->instr.place < frame->failure.place);
  if (!first) return;
  frame->failed_row = row;
  describe_lane_error(frame, step, lane, &frame->failure);
  cut_lanes(frame, lane + 1);
}

static void clear_validity(program_frame *frame, const program_step *step) {
  lane_vector *dst = &frame->vectors[step->instr.dst];
  if (!dst->valid) {
    dst = frame_home(frame, step->instr.dst);
    memset(dst->valid, 0xFF, VECTOR_WORDS * 8);
  }
  for (int32_t w = 0; w < bit_words(frame->n); w++) dst->valid[w] &= ~frame->bad[w];
}

static void lanes_failed(program_frame *frame, const program_step *step) {
  if (step->instr.op == OP_CAST && step->instr.b == MM_CAST_TRY) clear_validity(frame, step);
  else if (real_failures(frame, step)) note_failure(frame, step);
  memset(frame->bad, 0, VECTOR_WORDS * 8);
}

/* ---- Steps ---- */

/* dst->valid: where all operands are valid; NULL when none has nulls. */
static void join_validity(const program_frame *frame, lane_vector *dst, const lane_vector *const operands[3]) {
  bool any = false;
  for (int k = 0; k < 3; k++) {
    if (!operands[k] || !operands[k]->valid) continue;
    const uint64_t *valid = operands[k]->valid;
    if (!any) memcpy(dst->valid, valid, (size_t)bit_words(frame->n) * 8);
    else
      for (int32_t w = 0; w < bit_words(frame->n); w++) dst->valid[w] &= valid[w];
    any = true;
  }
  if (!any) dst->valid = NULL;
}

static int run_kernel(program_frame *frame, const program_step *step, kernel_lanes *lanes) {
  const mm_instr *instr = &step->instr;
  const int32_t registers[3] = {instr->a, instr->b, instr->c};
  const lane_vector *operands[3] = {0};
  for (int k = 0; k < 3; k++)
    if (step->reads[k]) operands[k] = &frame->vectors[registers[k]];
  lane_vector *dst = frame_home(frame, instr->dst);
  if (step->strict) join_validity(frame, dst, operands);
  lanes->n = frame->n;
  lanes->instr = instr;
  lanes->state = instr->op == OP_IS_DISTINCT ? (const void *)&step->inner : step->state;
  lanes->selected = frame->selection;
  int status = step->kernel(lanes, dst, operands[0], operands[1], operands[2]);
  if (status > 0) lanes_failed(frame, step);
  return status < 0 ? status : 0;
}

/* The most frequent load: values without nulls that may be read where they lie. */
static bool load_in_place(program_frame *frame, const program_step *step, const mm_column *column, int64_t start) {
  if (step->width == 0 || frame->packed || frame->n % 64 != 0 || column->valid) return false;
  const uint8_t *data = (const uint8_t *)column->data + start * step->width;
  if ((uintptr_t)data & (uintptr_t)(step->width - 1)) return false;
  frame->vectors[step->instr.dst] = (lane_vector){(void *)(uintptr_t)data, NULL};
  return true;
}

static void load_column(program_frame *frame, const program_step *step, const mm_batch *batch, int64_t start) {
  const mm_column *column = &batch->columns[step->instr.a];
  if (!load_in_place(frame, step, column, start)) frame_load(frame, step, column, start);
}

static int kernel_error(int status, const program_step *step, mm_error *error) {
  if (status == MM_ENOMEM) return error_fail_memory(error, MM_VECTOR);
  return error_fail(error, status, "too-large", "%s: the result is too large", mm_op_name(step->instr.op));
}

bool frame_is_plain(const program_frame *frame, const mm_batch *batch) {
  const mm_program *program = frame->program;
  bool plain = program->plain && (!program->filters || frame->most_pass);
  for (int32_t i = 0; i < program->step_count && plain; i++) {
    const program_step *step = &program->steps[i];
    if (step->instr.op != OP_LOAD) continue;
    const mm_column *column = &batch->columns[step->instr.a];
    int64_t width = mm_type_width(column->type);
    plain = !column->valid && column->type.id != MM_NULL
            && ((uintptr_t)column->data & (uintptr_t)((width ? width : 8) - 1)) == 0;
  }
  return plain;
}

int frame_run_plain(program_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error) {
  const mm_program *program = frame->program;
  frame->n = n;
  frame->packed = false;
  frame->selection = NULL;
  frame->failed_row = -1;
  kernel_lanes lanes = {.n = n, .constants = program->constants, .types = program->types};
  const int32_t *order = program->filter_last;
  int32_t count = program->step_count - (order ? 1 : 0); /* the filter is last */
  for (int32_t i = 0; i < count; i++) {
    const program_step *step = &program->steps[order ? order[i] : i];
    const mm_instr *instr = &step->instr;
    if (instr->op == OP_LOAD) {
      const mm_column *column = &batch->columns[instr->a];
      const uint8_t *data = column->data;
      int64_t width = step->width;
      frame->vectors[instr->dst] = (lane_vector){(void *)(uintptr_t)(data + (width ? start * width : start / 8)), NULL};
      continue;
    }
    lane_vector *dst = frame_home(frame, instr->dst);
    if (step->strict) dst->valid = NULL;
    lanes.instr = instr;
    int status = step->kernel(&lanes, dst, step->reads[0] ? &frame->vectors[instr->a] : NULL,
                              step->reads[1] ? &frame->vectors[instr->b] : NULL,
                              step->reads[2] ? &frame->vectors[instr->c] : NULL);
    if (status < 0) return kernel_error(status, step, error);
    assert(status == 0);
  }
  return 0;
}

int frame_run(program_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error) {
  const mm_program *program = frame->program;
  frame->n = n;
  frame->packed = false;
  frame->selection = NULL;
  frame->failed_row = -1;
  arena_reset(&frame->arena);
  const int32_t *order = frame->most_pass ? program->filter_last : NULL;
  kernel_lanes lanes = {
      .bad = frame->bad, .arena = &frame->arena, .constants = program->constants, .types = program->types};
  for (int32_t i = 0; i < program->step_count && frame->n > 0; i++) {
    int32_t at = order ? order[i] : i;
    const program_step *step = &program->steps[at];
    if (step->instr.op == OP_LOAD) load_column(frame, step, batch, start);
    else if (step->instr.op == OP_FILTER) filter(frame, at, i + 1 == program->step_count);
    else {
      int status = run_kernel(frame, step, &lanes);
      if (status < 0) return kernel_error(status, step, error);
    }
  }
  if (frame->failed_row < 0) return 0;
  int32_t end = 0;
  while (end < frame->n && (frame->packed ? frame->index[end] : end) < frame->failed_row) end++;
  cut_lanes(frame, end);
  return 0;
}
