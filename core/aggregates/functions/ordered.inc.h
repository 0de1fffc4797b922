/* ordered.inc.h - includes the file named TEMPLATE once for each type that has an order as a number, with NAME(x), T,
 * VALUE(data, i) and ORDER(x), the value's place as an i64.
 * SPDX-License-Identifier: MIT */

#define ORDER(x) (int64_t)(x)
#define NAME(x) x##_bool
#define VALUE(data, i) bit_get(data, i)
#define T uint64_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_i8
#define VALUE(data, i) (data)[i]
#define T int8_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_i16
#define VALUE(data, i) (data)[i]
#define T int16_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_i32
#define VALUE(data, i) (data)[i]
#define T int32_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_i64
#define VALUE(data, i) (data)[i]
#define T int64_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_u8
#define VALUE(data, i) (data)[i]
#define T uint8_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_u16
#define VALUE(data, i) (data)[i]
#define T uint16_t
#include TEMPLATE
#define ORDER(x) (x)
#define NAME(x) x##_u32
#define VALUE(data, i) (data)[i]
#define T uint32_t
#include TEMPLATE
#define ORDER(x) (int64_t)((x) ^ UINT64_C(1) << 63)
#define NAME(x) x##_u64
#define VALUE(data, i) (data)[i]
#define T uint64_t
#include TEMPLATE
#define ORDER(x) total_order_f64(x)
#define NAME(x) x##_f32
#define VALUE(data, i) (double)(data)[i]
#define T float
#include TEMPLATE
#define ORDER(x) total_order_f64(x)
#define NAME(x) x##_f64
#define VALUE(data, i) (data)[i]
#define T double
#include TEMPLATE
#undef TEMPLATE
