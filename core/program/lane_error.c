/* lane_error.c - says why a lane failed: the operation, its operands' values, what would have been allowed.
 * SPDX-License-Identifier: MIT */
#include "program/lane_error.h"
#include "base/error.h"
#include "text/datetime.h"
#include "text/float.h"
#include "text/integer.h"
#include "types/type.h"
#include <stdio.h>
#include <string.h>

/* The value of a lane as text, at most `size` bytes. */
static const char *lane_text(const program_frame *frame, int32_t r, int32_t lane, char *text, int64_t size) {
  mm_type type = frame->program->types[r];
  const lane_vector *v = &frame->vectors[r];
  char number[48] = "";
  int length = 0;
  switch (type.id) {
  case MM_BOOL: length = snprintf(number, sizeof number, "%s", bit_get(v->data, lane) ? "true" : "false"); break;
  case MM_I8: length = format_i64(number, ((const int8_t *)v->data)[lane]); break;
  case MM_I16: length = format_i64(number, ((const int16_t *)v->data)[lane]); break;
  case MM_I32: length = format_i64(number, ((const int32_t *)v->data)[lane]); break;
  case MM_I64: length = format_i64(number, ((const int64_t *)v->data)[lane]); break;
  case MM_U8: length = format_u64(number, ((const uint8_t *)v->data)[lane]); break;
  case MM_U16: length = format_u64(number, ((const uint16_t *)v->data)[lane]); break;
  case MM_U32: length = format_u64(number, ((const uint32_t *)v->data)[lane]); break;
  case MM_U64: length = format_u64(number, ((const uint64_t *)v->data)[lane]); break;
  case MM_F32: length = format_f32(number, ((const float *)v->data)[lane]); break;
  case MM_F64: length = format_f64(number, ((const double *)v->data)[lane]); break;
  case MM_DATE: length = format_date(number, ((const int32_t *)v->data)[lane]); break;
  case MM_TIMESTAMP: length = format_timestamp(number, ((const int64_t *)v->data)[lane], type.unit); break;
  case MM_DURATION: length = format_duration(number, ((const int64_t *)v->data)[lane], type.unit); break;
  case MM_UTF8:
  case MM_BINARY: {
    const text_view *view = (const text_view *)v->data + lane;
    error_copy_text(text, size, (const char *)view->bytes, view->size);
    return text;
  }
  default: break;
  }
  error_copy_text(text, size, number, length);
  return text;
}

/* Least and greatest value of an integer type, as text; false: not an integer. */
static bool range_of(int type, char *low, char *high) {
  int bits = 8 * (int)mm_type_width((mm_type){.id = (uint8_t)type});
  if (!type_is_signed(type) && !type_is_unsigned(type)) return false;
  int64_t greatest = bits == 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;
  low[type_is_signed(type) ? format_i64(low, -greatest - 1) : format_u64(low, 0)] = 0;
  high[type_is_signed(type) ? format_i64(high, greatest) : format_u64(high, 2 * (uint64_t)greatest + 1)] = 0;
  return true;
}

static void describe_cast(const program_frame *frame, const program_step *step, int32_t lane, mm_error *error) {
  char value[96], type[64], low[48], high[48], range[128] = "";
  mm_type to = frame->program->types[step->instr.dst], from = frame->program->types[step->instr.a];
  lane_text(frame, step->instr.a, lane, value, sizeof value);
  mm_type_name(to, type, sizeof type);
  if (range_of(to.id, low, high)) snprintf(range, sizeof range, " (%s to %s)", low, high);
  const char *id = type_is_text(from.id) && to.id >= MM_I8 && to.id <= MM_F64 ? "bad-number" : "bad-cast";
  if (type_is_text(from.id)) error_fail(error, MM_EDATA, id, "\"%s\" is not a value of %s%s", value, type, range);
  else if (type_is_float(from.id) && range[0])
    error_fail(error, MM_EDATA, id, "%s is not a whole number of %s%s", value, type, range);
  else if (to.id == MM_BOOL) error_fail(error, MM_EDATA, id, "%s does not fit bool (0 or 1)", value);
  else if (to.id == MM_TIMESTAMP || to.id == MM_DURATION)
    error_fail(error, MM_EDATA, id, "%s does not fit %s exactly", value, type);
  else error_fail(error, MM_EDATA, id, "%s does not fit %s%s", value, type, range);
  error_copy_text(error->value, sizeof error->value, value, (int64_t)strlen(value));
}

/* Sign and name of an arithmetic operation. */
static const char *sign_of(int op) {
  switch (op) {
  case OP_ADD: return "+";
  case OP_SUB: return "-";
  case OP_MUL: return "*";
  case OP_FLOORDIV: return "//";
  case OP_MOD: return "%";
  default: return NULL;
  }
}
static const char *noun_of(int op) {
  switch (op) {
  case OP_ADD: return "addition";
  case OP_SUB: return "subtraction";
  case OP_MUL: return "multiplication";
  case OP_FLOORDIV: return "division";
  case OP_MOD: return "modulo";
  case OP_NEG: return "negation";
  default: return mm_op_name(op);
  }
}

static bool is_zero(const program_frame *frame, int32_t r, int32_t lane) {
  int64_t width = mm_type_width(frame->program->types[r]);
  static const uint8_t zero[8];
  return memcmp((const uint8_t *)frame->vectors[r].data + lane * width, zero, (size_t)width) == 0;
}

static void describe_arithmetic(const program_frame *frame, const program_step *step, int32_t lane, mm_error *error) {
  const mm_instr *instr = &step->instr;
  char a[96], b[96], type[64], low[48] = "", high[48] = "", shown[208];
  const char *sign = sign_of(instr->op);
  lane_text(frame, instr->a, lane, a, sizeof a);
  if (sign) snprintf(shown, sizeof shown, "%s %s %s", a, sign, lane_text(frame, instr->b, lane, b, sizeof b));
  else if (instr->op == OP_NEG) snprintf(shown, sizeof shown, "-(%s)", a);
  else snprintf(shown, sizeof shown, "%s(%s)", mm_op_name(instr->op), a);
  mm_type_name((mm_type){.id = instr->type}, type, sizeof type);
  bool divides = instr->op == OP_FLOORDIV || instr->op == OP_MOD;
  if (divides && is_zero(frame, instr->b, lane))
    error_fail(error, MM_EDATA, "divide-by-zero", "%s %s by zero: %s", type, noun_of(instr->op), shown);
  else if (range_of(instr->type, low, high))
    error_fail(error, MM_EDATA, "overflow", "%s %s overflows: %s (range %s to %s)", type, noun_of(instr->op), shown,
               low, high);
  else error_fail(error, MM_EDATA, "overflow", "%s of %s fails: %s", noun_of(instr->op), type, shown);
  error_copy_text(error->value, sizeof error->value, shown, (int64_t)strlen(shown));
}

void describe_lane_error(const program_frame *frame, const program_step *step, int32_t lane, mm_error *error) {
  *error = (mm_error){0};
  if (step->instr.op == OP_CAST) describe_cast(frame, step, lane, error);
  else if (step->instr.op == OP_REFUSE) error_fail(error, MM_EDATA, "refused", "the row is refused");
  else describe_arithmetic(frame, step, lane, error);
  error->place = step->instr.place;
}
