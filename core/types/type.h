/* type.h - the table of types, and what is asked of them most.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* X(ENUM, suffix, C type, Arrow format) */
#define TYPE_INTEGERS(X)                                                                                               \
  X(I8, i8, int8_t, "c")                                                                                               \
  X(I16, i16, int16_t, "s")                                                                                            \
  X(I32, i32, int32_t, "i")                                                                                            \
  X(I64, i64, int64_t, "l")                                                                                            \
  X(U8, u8, uint8_t, "C") X(U16, u16, uint16_t, "S") X(U32, u32, uint32_t, "I") X(U64, u64, uint64_t, "L")
#define TYPE_FLOATS(X) X(F32, f32, float, "f") X(F64, f64, double, "g")
#define TYPE_NUMBERS(X) TYPE_INTEGERS(X) TYPE_FLOATS(X)

static inline bool type_is_text(int id) { return id == MM_UTF8 || id == MM_BINARY; }
static inline bool type_is_float(int id) { return id == MM_F32 || id == MM_F64; }
static inline bool type_is_signed(int id) { return id >= MM_I8 && id <= MM_I64; }
static inline bool type_is_unsigned(int id) { return id >= MM_U8 && id <= MM_U64; }
/* The type whose C representation a type shares: date -> i32, timestamp and duration -> i64, binary -> utf8. */
int type_storage(int id);
