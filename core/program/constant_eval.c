/* constant_eval.c - runs a program without columns on one row: how constants are folded, by the same kernels.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "program/frame.h"
#include "types/type.h"

static void read_lane(mm_value *result, const lane_vector *v, mm_type type) {
  *result = (mm_value){.type = type, .null = v->valid && !bit_get(v->valid, 0)};
  if (result->null) return;
  switch (type_storage(type.id)) {
  case MM_I8: result->i = *(const int8_t *)v->data; break;
  case MM_I16: result->i = *(const int16_t *)v->data; break;
  case MM_I32: result->i = *(const int32_t *)v->data; break;
  case MM_I64: result->i = *(const int64_t *)v->data; break;
  case MM_U8: result->u = *(const uint8_t *)v->data; break;
  case MM_U16: result->u = *(const uint16_t *)v->data; break;
  case MM_U32: result->u = *(const uint32_t *)v->data; break;
  case MM_U64: result->u = *(const uint64_t *)v->data; break;
  case MM_F32: result->f = *(const float *)v->data; break;
  case MM_F64: result->f = *(const double *)v->data; break;
  case MM_BOOL: result->i = bit_get(v->data, 0); break;
  case MM_UTF8: {
    const text_view *view = v->data;
    result->text = (const char *)view->bytes;
    result->size = view->size;
    break;
  }
  default: result->null = 1; break;
  }
}

void program_forget(mm_program *program) { frame_free(program->folding); }

int mm_program_eval(mm_program *program, mm_value *result, mm_error *error) {
  if (program->output_count < 1)
    return error_fail(error, MM_EBUG, "bad-program", "a program without output has no value");
  if (program->columns > 0)
    return error_fail(error, MM_EBUG, "bad-program", "a program with columns has no single value");
  if (!program->folding) program->folding = frame_new(program, error);
  if (!program->folding) return MM_ENOMEM;
  program_frame *frame = program->folding;
  mm_batch none = {.length = 1};
  TRY(frame_run(frame, &none, 0, 1, error));
  if (frame->failed_row >= 0) {
    if (error) *error = frame->failure;
    return frame->failure.code;
  }
  int32_t r = program->outputs[0];
  read_lane(result, &frame->vectors[r], program->types[r]);
  return 0;
}
