/* eval.c - runs a program without columns on one row: how constants are folded, by the same kernels.
 * SPDX-License-Identifier: MIT */
#include "machine.h"

static void read_lane(mm_value *result, const mm_vector *v, mm_type type) {
  *result = (mm_value){.type = type, .null = v->valid && !mm_bit(v->valid, 0)};
  if (result->null) return;
  switch (mm_storage(type.id)) {
#define SIGNED(E, s, ctype)                                                                                            \
  case MM_##E:                                                                                                         \
    result->i = *(const ctype *)v->data;                                                                               \
    break;
#define UNSIGNED(E, s, ctype)                                                                                          \
  case MM_##E: result->u = *(const ctype *)v->data; break;
    SIGNED(I8, i8, int8_t)
    SIGNED(I16, i16, int16_t)
    SIGNED(I32, i32, int32_t) SIGNED(I64, i64, int64_t) UNSIGNED(U8, u8, uint8_t) UNSIGNED(U16, u16, uint16_t)
        UNSIGNED(U32, u32, uint32_t) UNSIGNED(U64, u64, uint64_t)
#undef SIGNED
#undef UNSIGNED
            case MM_F32 : result->f = *(const float *)v->data;
    break;
  case MM_F64: result->f = *(const double *)v->data; break;
  case MM_BOOL: result->i = mm_bit(v->data, 0); break;
  case MM_UTF8: {
    const mm_view *view = v->data;
    result->text = (const char *)view->bytes;
    result->size = view->size;
    break;
  }
  default: result->null = 1; break;
  }
}

int mm_program_eval(mm_program *program, mm_value *result, mm_error *error) {
  if (program->output_count < 1) return mm_fail(error, MM_EBUG, "bad-program", "a program without output has no value");
  if (program->columns > 0) return mm_fail(error, MM_EBUG, "bad-program", "a program with columns has no single value");
  if (!program->folding) program->folding = mm_frame_new(program, error);
  if (!program->folding) return MM_ENOMEM;
  mm_frame *frame = program->folding;
  mm_batch none = {.length = 1};
  TRY(mm_frame_run(frame, &none, 0, 1, error));
  if (frame->failed_row >= 0) {
    if (error) *error = frame->failure;
    return frame->failure.code;
  }
  int32_t r = program->outputs[0];
  read_lane(result, &frame->vectors[r], program->types[r]);
  return 0;
}
