/* operations.c - the table of operations: operands, result, null rule.
 * SPDX-License-Identifier: MIT */
#include "machine.h"

#define T OPERAND_T
#define S OPERAND_S
#define B OPERAND_BOOL
#define I OPERAND_I64
/* Null where an operand is null; also failing; with a null rule of its own. */
#define STRICT(name, a, b, c, result)                                                                                  \
  { name, {a, b, c}, result, true, false }
#define FAILING(name, a, b, c, result)                                                                                 \
  { name, {a, b, c}, result, true, true }
#define FREE(name, a, b, c, result)                                                                                    \
  { name, {a, b, c}, result, false, false }

const mm_operation mm_operations[MM_OP_COUNT] = {
    [MM_OP_LOAD] = FREE("load", 0, 0, 0, T),
    [MM_OP_CONST] = FREE("const", 0, 0, 0, T),
    [MM_OP_FILTER] = FREE("filter", B, 0, 0, 0),
    [MM_OP_ADD] = FAILING("add", T, T, 0, T),
    [MM_OP_SUB] = FAILING("sub", T, T, 0, T),
    [MM_OP_MUL] = FAILING("mul", T, T, 0, T),
    [MM_OP_DIV] = STRICT("div", T, T, 0, T),
    [MM_OP_FLOORDIV] = FAILING("floordiv", T, T, 0, T),
    [MM_OP_MOD] = FAILING("mod", T, T, 0, T),
    [MM_OP_NEG] = FAILING("neg", T, 0, 0, T),
    [MM_OP_ABS] = FAILING("abs", T, 0, 0, T),
    [MM_OP_SIGN] = STRICT("sign", T, 0, 0, T),
    [MM_OP_MIN] = STRICT("min", T, T, 0, T),
    [MM_OP_MAX] = STRICT("max", T, T, 0, T),
    [MM_OP_FLOOR] = STRICT("floor", T, 0, 0, T),
    [MM_OP_CEIL] = STRICT("ceil", T, 0, 0, T),
    [MM_OP_TRUNC] = STRICT("trunc", T, 0, 0, T),
    [MM_OP_ROUND] = STRICT("round", T, I, 0, T),
    [MM_OP_PLAIN] = STRICT("plain", T, 0, 0, T),
    [MM_OP_POW] = STRICT("pow", T, T, 0, T),
    [MM_OP_SQRT] = STRICT("sqrt", T, 0, 0, T),
    [MM_OP_CBRT] = STRICT("cbrt", T, 0, 0, T),
    [MM_OP_EXP] = STRICT("exp", T, 0, 0, T),
    [MM_OP_LOG] = STRICT("log", T, 0, 0, T),
    [MM_OP_LOG2] = STRICT("log2", T, 0, 0, T),
    [MM_OP_LOG10] = STRICT("log10", T, 0, 0, T),
    [MM_OP_SIN] = STRICT("sin", T, 0, 0, T),
    [MM_OP_COS] = STRICT("cos", T, 0, 0, T),
    [MM_OP_TAN] = STRICT("tan", T, 0, 0, T),
    [MM_OP_ASIN] = STRICT("asin", T, 0, 0, T),
    [MM_OP_ACOS] = STRICT("acos", T, 0, 0, T),
    [MM_OP_ATAN] = STRICT("atan", T, 0, 0, T),
    [MM_OP_ATAN2] = STRICT("atan2", T, T, 0, T),
    [MM_OP_SINH] = STRICT("sinh", T, 0, 0, T),
    [MM_OP_COSH] = STRICT("cosh", T, 0, 0, T),
    [MM_OP_TANH] = STRICT("tanh", T, 0, 0, T),
    [MM_OP_HYPOT] = STRICT("hypot", T, T, 0, T),
    [MM_OP_IS_NAN] = STRICT("is_nan", T, 0, 0, B),
    [MM_OP_IS_FINITE] = STRICT("is_finite", T, 0, 0, B),
    [MM_OP_EQ] = STRICT("eq", T, S, 0, B),
    [MM_OP_NE] = STRICT("ne", T, S, 0, B),
    [MM_OP_LT] = STRICT("lt", T, S, 0, B),
    [MM_OP_LE] = STRICT("le", T, S, 0, B),
    [MM_OP_GT] = STRICT("gt", T, S, 0, B),
    [MM_OP_GE] = STRICT("ge", T, S, 0, B),
    [MM_OP_IS_DISTINCT] = FREE("is_distinct", T, S, 0, B),
    [MM_OP_IN] = STRICT("in", T, 0, 0, B),
    [MM_OP_AND] = FREE("and", B, B, 0, B),
    [MM_OP_OR] = FREE("or", B, B, 0, B),
    [MM_OP_NOT] = STRICT("not", B, 0, 0, B),
    [MM_OP_IS_NULL] = FREE("is_null", T, 0, 0, B),
    [MM_OP_IS_NOT_NULL] = FREE("is_not_null", T, 0, 0, B),
    [MM_OP_IS_TRUE] = FREE("is_true", B, 0, 0, B),
    [MM_OP_REFUSE] = FAILING("refuse", B, 0, 0, B),
    [MM_OP_SELECT] = FREE("select", B, T, T, T),
    [MM_OP_COALESCE] = FREE("coalesce", T, T, 0, T),
    [MM_OP_CAST] = FAILING("cast", S, 0, 0, T),
    [MM_OP_CONCAT] = STRICT("concat", T, T, 0, T),
    [MM_OP_LEN] = STRICT("len", T, 0, 0, I),
    [MM_OP_BYTES] = STRICT("bytes", T, 0, 0, I),
    [MM_OP_LOWER] = STRICT("lower", T, 0, 0, T),
    [MM_OP_UPPER] = STRICT("upper", T, 0, 0, T),
    [MM_OP_TRIM] = STRICT("trim", T, 0, 0, T),
    [MM_OP_LTRIM] = STRICT("ltrim", T, 0, 0, T),
    [MM_OP_RTRIM] = STRICT("rtrim", T, 0, 0, T),
    [MM_OP_SUB_TEXT] = STRICT("sub_text", T, I, I, T),
    [MM_OP_STARTS_WITH] = STRICT("starts_with", T, T, 0, B),
    [MM_OP_ENDS_WITH] = STRICT("ends_with", T, T, 0, B),
    [MM_OP_CONTAINS] = STRICT("contains", T, T, 0, B),
    [MM_OP_FIND] = FREE("find", T, T, 0, I),
    [MM_OP_REPLACE] = STRICT("replace", T, T, T, T),
    [MM_OP_REVERSE] = STRICT("reverse", T, 0, 0, T),
    [MM_OP_REPEAT] = FAILING("repeat", T, I, 0, T),
    [MM_OP_YEAR] = STRICT("year", T, 0, 0, I),
    [MM_OP_MONTH] = STRICT("month", T, 0, 0, I),
    [MM_OP_DAY] = STRICT("day", T, 0, 0, I),
    [MM_OP_HOUR] = STRICT("hour", T, 0, 0, I),
    [MM_OP_MINUTE] = STRICT("minute", T, 0, 0, I),
    [MM_OP_SECOND] = STRICT("second", T, 0, 0, I),
    [MM_OP_WEEKDAY] = STRICT("weekday", T, 0, 0, I),
    [MM_OP_YEARDAY] = STRICT("yearday", T, 0, 0, I),
    [MM_OP_WEEK] = STRICT("week", T, 0, 0, I),
};

const char *mm_op_name(int op) { return op >= 0 && op < MM_OP_COUNT ? mm_operations[op].name : "unknown"; }
