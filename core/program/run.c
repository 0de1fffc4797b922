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

static uint64_t selected_word(const mm_frame *frame, int32_t w) {
  return frame->selection ? frame->selection[w] : lanes_mask(frame->n, w);
}

int32_t mm_frame_passed(const mm_frame *frame) { return frame->selection ? frame->passed : frame->n; }

void mm_frame_rows(const mm_frame *frame, uint64_t *rows) {
  memset(rows, 0, VECTOR_WORDS * 8);
  int32_t words = (int32_t)mm_words(frame->n);
  if (!frame->packed && frame->selection) {
    memcpy(rows, frame->selection, (size_t)words * 8);
    return;
  }
  for (int32_t w = 0; w < words; w++) {
    uint64_t bits = selected_word(frame, w);
    if (!frame->packed) rows[w] = bits;
    else
      for (; bits; bits &= bits - 1) mm_bit_set(rows, frame->index[64 * w + __builtin_ctzll(bits)]);
  }
}

/* ---- Selection ---- */

void mm_frame_note_passed(mm_frame *frame, int64_t passed, int64_t lanes) {
  enum { PACK_RATIO = 4 }; /* when at most 1 in so many lanes is still selected and steps follow, packing pays */
  frame->most_pass = passed * PACK_RATIO > lanes;
}

/* Only lanes before `end` stay selected. */
static void cut(mm_frame *frame, int32_t end) {
  for (int32_t w = 0; w < mm_words(frame->n); w++) {
    uint64_t keep = end <= 64 * w ? 0 : lanes_mask(end, w);
    frame->selected[w] = selected_word(frame, w) & keep;
  }
  frame->selection = frame->selected;
  frame->passed = (int32_t)mm_bits_count(frame->selected, frame->n);
}

static void filter(mm_frame *frame, int32_t at, bool last) {
  const mm_vector *v = &frame->vectors[frame->program->steps[at].instr.a];
  const uint64_t *bits = v->data;
  assert(frame->selected); /* the analyzer takes it for null where frame->selection is */
  if (!frame->selection && !v->valid && frame->n % 64 == 0) memcpy(frame->selected, bits, (size_t)frame->n / 8);
  else
    for (int32_t w = 0; w < mm_words(frame->n); w++)
      frame->selected[w] = bits[w] & selected_word(frame, w) & (v->valid ? v->valid[w] : ~UINT64_C(0));
  int32_t count = (int32_t)mm_bits_count(frame->selected, frame->n);
  mm_frame_note_passed(frame, count, frame->n);
  if (count == frame->n) return;
  frame->selection = frame->selected;
  frame->passed = count;
  if (count > 0 && !frame->most_pass && !last) mm_frame_pack(frame, at, count);
  else if (count == 0) frame->n = 0;
}

/* ---- Failures ---- */

/* Lanes of `bad` that really failed: selected, not null, on the taken side. False: none. */
static bool real_failures(mm_frame *frame, const mm_step *step) {
  const mm_vector *dst = &frame->vectors[step->instr.dst];
  const mm_vector *guard = step->instr.guard >= 0 ? &frame->vectors[step->instr.guard] : NULL;
  uint64_t any = 0;
  for (int32_t w = 0; w < mm_words(frame->n); w++) {
    uint64_t bad = frame->bad[w] & selected_word(frame, w);
    if (dst->valid) bad &= dst->valid[w];
    if (guard) bad &= ((const uint64_t *)guard->data)[w];
    if (guard && guard->valid) bad &= guard->valid[w];
    frame->bad[w] = bad;
    any |= bad;
  }
  return any != 0;
}

/* Keep the failure of the lowest row, and of its lowest place. The row itself stays selected: a later step may fail there with
 * a lower place. */
static void note_failure(mm_frame *frame, const mm_step *step) {
  int32_t lane = 0;
  while (!mm_bit(frame->bad, lane)) lane++;
  int32_t row = frame->packed ? frame->index[lane] : lane;
  bool first = frame->failed_row < 0 || row < frame->failed_row
               || (row == frame->failed_row && step->instr.place < frame->failure.place);
  if (!first) return;
  frame->failed_row = row;
  mm_describe_failure(frame, step, lane, &frame->failure);
  cut(frame, lane + 1);
}

static void clear_validity(mm_frame *frame, const mm_step *step) {
  mm_vector *dst = &frame->vectors[step->instr.dst];
  if (!dst->valid) {
    dst = mm_frame_home(frame, step->instr.dst);
    memset(dst->valid, 0xFF, VECTOR_WORDS * 8);
  }
  for (int32_t w = 0; w < mm_words(frame->n); w++) dst->valid[w] &= ~frame->bad[w];
}

static void lanes_failed(mm_frame *frame, const mm_step *step) {
  if (step->instr.op == MM_OP_CAST && step->instr.b == MM_CAST_TRY) clear_validity(frame, step);
  else if (real_failures(frame, step)) note_failure(frame, step);
  memset(frame->bad, 0, VECTOR_WORDS * 8);
}

/* ---- Steps ---- */

/* dst->valid: where all operands are valid; NULL when none has nulls. */
static void join_validity(const mm_frame *frame, mm_vector *dst, const mm_vector *const operands[3]) {
  bool any = false;
  for (int k = 0; k < 3; k++) {
    if (!operands[k] || !operands[k]->valid) continue;
    const uint64_t *valid = operands[k]->valid;
    if (!any) memcpy(dst->valid, valid, (size_t)mm_words(frame->n) * 8);
    else
      for (int32_t w = 0; w < mm_words(frame->n); w++) dst->valid[w] &= valid[w];
    any = true;
  }
  if (!any) dst->valid = NULL;
}

static int run_kernel(mm_frame *frame, const mm_step *step, mm_lanes *lanes) {
  const mm_instr *instr = &step->instr;
  const int32_t registers[3] = {instr->a, instr->b, instr->c};
  const mm_vector *operands[3] = {0};
  for (int k = 0; k < 3; k++)
    if (step->reads[k]) operands[k] = &frame->vectors[registers[k]];
  mm_vector *dst = mm_frame_home(frame, instr->dst);
  if (step->strict) join_validity(frame, dst, operands);
  lanes->n = frame->n;
  lanes->instr = instr;
  lanes->state = instr->op == MM_OP_IS_DISTINCT ? (const void *)&step->inner : step->state;
  lanes->selected = frame->selection;
  int status = step->kernel(lanes, dst, operands[0], operands[1], operands[2]);
  if (status > 0) lanes_failed(frame, step);
  return status < 0 ? status : 0;
}

/* The most frequent load: values without nulls that may be read where they lie. */
static bool load_in_place(mm_frame *frame, const mm_step *step, const mm_column *column, int64_t start) {
  if (step->width == 0 || frame->packed || frame->n % 64 != 0 || column->valid) return false;
  const uint8_t *data = (const uint8_t *)column->data + start * step->width;
  if ((uintptr_t)data & (uintptr_t)(step->width - 1)) return false;
  frame->vectors[step->instr.dst] = (mm_vector){(void *)(uintptr_t)data, NULL};
  return true;
}

static void load(mm_frame *frame, const mm_step *step, const mm_batch *batch, int64_t start) {
  const mm_column *column = &batch->columns[step->instr.a];
  if (!load_in_place(frame, step, column, start)) mm_frame_load(frame, step, column, start);
}

static int kernel_error(int status, const mm_step *step, mm_error *error) {
  if (status == MM_ENOMEM) return mm_fail_memory(error, MM_VECTOR);
  return mm_fail(error, status, "too-large", "%s: the result is too large", mm_op_name(step->instr.op));
}

bool mm_frame_is_plain(const mm_frame *frame, const mm_batch *batch) {
  const mm_program *program = frame->program;
  bool plain = program->plain && (!program->filters || frame->most_pass);
  for (int32_t i = 0; i < program->step_count && plain; i++) {
    const mm_step *step = &program->steps[i];
    if (step->instr.op != MM_OP_LOAD) continue;
    const mm_column *column = &batch->columns[step->instr.a];
    int64_t width = mm_type_width(column->type);
    plain = !column->valid && column->type.id != MM_NULL
            && ((uintptr_t)column->data & (uintptr_t)((width ? width : 8) - 1)) == 0;
  }
  return plain;
}

int mm_frame_run_plain(mm_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error) {
  const mm_program *program = frame->program;
  frame->n = n;
  frame->packed = false;
  frame->selection = NULL;
  frame->failed_row = -1;
  mm_lanes lanes = {.n = n, .constants = program->constants, .types = program->types};
  const int32_t *order = program->eager;
  int32_t count = program->step_count - (order ? 1 : 0); /* the filter is last */
  for (int32_t i = 0; i < count; i++) {
    const mm_step *step = &program->steps[order ? order[i] : i];
    const mm_instr *instr = &step->instr;
    if (instr->op == MM_OP_LOAD) {
      const mm_column *column = &batch->columns[instr->a];
      const uint8_t *data = column->data;
      int64_t width = step->width;
      frame->vectors[instr->dst] = (mm_vector){(void *)(uintptr_t)(data + (width ? start * width : start / 8)), NULL};
      continue;
    }
    mm_vector *dst = mm_frame_home(frame, instr->dst);
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

int mm_frame_run(mm_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error) {
  const mm_program *program = frame->program;
  frame->n = n;
  frame->packed = false;
  frame->selection = NULL;
  frame->failed_row = -1;
  mm_arena_reset(&frame->arena);
  const int32_t *order = frame->most_pass ? program->eager : NULL;
  mm_lanes lanes = {
      .bad = frame->bad, .arena = &frame->arena, .constants = program->constants, .types = program->types};
  for (int32_t i = 0; i < program->step_count && frame->n > 0; i++) {
    int32_t at = order ? order[i] : i;
    const mm_step *step = &program->steps[at];
    if (step->instr.op == MM_OP_LOAD) load(frame, step, batch, start);
    else if (step->instr.op == MM_OP_FILTER) filter(frame, at, i + 1 == program->step_count);
    else {
      int status = run_kernel(frame, step, &lanes);
      if (status < 0) return kernel_error(status, step, error);
    }
  }
  if (frame->failed_row < 0) return 0;
  int32_t end = 0;
  while (end < frame->n && (frame->packed ? frame->index[end] : end) < frame->failed_row) end++;
  cut(frame, end);
  return 0;
}
