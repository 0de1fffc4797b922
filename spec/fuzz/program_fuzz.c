/* program_fuzz.c - vector programs made of hostile bytes: mm_program_new refuses them, or they run over columns of
 * all kinds of values and into a stage with any arguments, with the same outcome whatever the size of the batches, and
 * the same bits on every instruction set.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "kernels/operations.h"
#include "types/column.h"
#include "types/type.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) __builtin_trap();                                                                                \
  } while (0)

enum { COLUMNS = 4, REGISTERS = 16, CONSTANTS = 6, OUTPUTS = 3, LENGTH = 24 };

static const uint8_t *at, *end;
static uint8_t next(void) { return at < end ? *at++ : 0; }

static const char *const texts[] = {"",
                                    "a",
                                    "A\xc3\xa9\xf0\x9f\x98\x80z",
                                    "  blank\t",
                                    "12",
                                    "-9223372036854775808",
                                    "1e308",
                                    "nan",
                                    "2013-01-31",
                                    "2013-01-31T23:59:60",
                                    "PT1H",
                                    "true",
                                    "a long text, beyond what is kept in place: \xe2\x82\xac"};
enum { TEXTS = sizeof texts / sizeof *texts };
static const int64_t wholes[] = {0,     1,         -1,        2,         7,         -128,     255,
                                 65536, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, 1LL << 53};
enum { WHOLES = sizeof wholes / sizeof *wholes };
static const double reals[] = {0, -0.0, 1, -1.5, 0.1, 1e308, -1e-308, 9.2e18, NAN, -NAN, INFINITY, -INFINITY, 2.5};
enum { REALS = sizeof reals / sizeof *reals };

/* ---- A program ---- */

typedef struct plan {
  mm_type registers[REGISTERS], columns[COLUMNS];
  mm_value constants[CONSTANTS];
  mm_instr code[LENGTH];
  int32_t outputs[OUTPUTS], length;
  struct {
    uint8_t kind, op[OUTPUTS], key, wants_key, descending;
    double share;
    int64_t rows;
  } tail; /* the stage behind the program */
} plan;

static mm_type any_type(void) {
  mm_type type = {.id = next() % MM_TYPE_COUNT};
  if (type.id == MM_OPAQUE) type.id = MM_I64;
  if (type.id == MM_TIMESTAMP || type.id == MM_DURATION) type.unit = next() & 3;
  return type;
}

static mm_value any_value(mm_type type) {
  uint8_t which = next();
  mm_value value = {.type = type, .null = which > 240};
  value.i = wholes[which % WHOLES];
  value.u = (uint64_t)value.i;
  value.f = reals[which % REALS];
  if (type_is_text(type.id)) value.text = texts[which % TEXTS], value.size = (int64_t)strlen(value.text);
  if (type.id == MM_BOOL) value.i = value.u = which & 1;
  return value;
}

/* A register that was written and has the storage of `type`, beginning the search anywhere; else any. */
static int32_t find(const plan *p, int32_t written, int type) {
  int32_t start = next();
  for (int32_t k = 0; k < written; k++) {
    int32_t r = (start + k) % written;
    if (type_storage(p->registers[r].id) == type_storage(type)) return r;
  }
  return start % REGISTERS;
}

static int32_t operand(const plan *p, int32_t written, int kind, const mm_instr *instr) {
  if (kind == OPERAND_NONE) return next() % 5;
  return find(p, written,
              kind == OPERAND_T      ? instr->type
              : kind == OPERAND_S    ? instr->type2
              : kind == OPERAND_BOOL ? MM_BOOL
                                     : MM_I64);
}

/* Mostly what the operation wants; `spoil`: whatever the bytes say. */
static mm_instr any_instr(plan *p, int32_t i) {
  uint8_t op = next(), spoil = next();
  int32_t written = i < REGISTERS ? i : REGISTERS;
  mm_instr instr = {.op = op % (OP_COUNT + 1), .dst = i % REGISTERS, .guard = -1, .place = i};
  const operation_info *operation = &operation_table[instr.op < OP_COUNT ? instr.op : 0];
  mm_type type = written ? p->registers[next() % written] : any_type();
  if (instr.op == OP_LOAD) instr.a = next() % COLUMNS, type = p->columns[instr.a];
  else if (instr.op == OP_CONST) instr.a = next() % CONSTANTS, type = p->constants[instr.a].type;
  else if (spoil & 1) type = any_type();
  instr.type = instr.type2 = type.id;
  if (instr.op == OP_CAST || spoil & 2) instr.type2 = written ? p->registers[next() % written].id : any_type().id;
  if (instr.op != OP_LOAD && instr.op != OP_CONST) {
    instr.a = operand(p, written, operation->operands[0], &instr);
    instr.b = operand(p, written, operation->operands[1], &instr);
    instr.c = operand(p, written, operation->operands[2], &instr);
  }
  if (spoil & 4) instr.guard = find(p, written, MM_BOOL);
  if (spoil >= 250) memcpy((uint8_t *)&instr + next() % sizeof instr, &spoil, 1);
  int kind = operation->result;
  mm_type result = kind == OPERAND_BOOL  ? (mm_type){.id = MM_BOOL}
                   : kind == OPERAND_I64 ? (mm_type){.id = MM_I64}
                                         : type;
  if (kind == OPERAND_S) result = (mm_type){.id = instr.type2};
  if (i < REGISTERS) p->registers[i] = result;
  return instr;
}

static void make_plan(plan *p) {
  memset(p, 0, sizeof *p);
  for (int i = 0; i < COLUMNS; i++) p->columns[i] = any_type();
  for (int i = 0; i < CONSTANTS; i++) p->constants[i] = any_value(any_type());
  p->length = next() % LENGTH;
  for (int32_t i = 0; i < p->length; i++) p->code[i] = any_instr(p, i);
  for (int i = 0; i < OUTPUTS; i++) p->outputs[i] = next() % REGISTERS;
  p->tail.kind = next() % 6;
  for (int i = 0; i < OUTPUTS; i++) p->tail.op[i] = next() % MM_AGG_COUNT_OF;
  p->tail.key = next() % OUTPUTS;
  p->tail.wants_key = next() & 1;
  p->tail.descending = next() & 1;
  p->tail.share = next() & 1 ? reals[next() % REALS] : (double)next() / 255;
  p->tail.rows = wholes[next() % WHOLES];
}

/* ---- Its input ---- */

static uint64_t seed;
static uint32_t draw(void) { return (uint32_t)((seed = seed * UINT64_C(6364136223846793005) + 1) >> 40); }

static void put_value(mm_column *column, int64_t row) {
  void *data = (void *)(uintptr_t)column->data;
  int64_t whole = draw() & 1 ? wholes[draw() % WHOLES] : (int64_t)(draw() % 100) - 50;
  double real = draw() & 1 ? reals[draw() % REALS] : (double)whole / 4;
  float narrow = (float)real;
  int64_t width = mm_type_width(column->type);
  if (column->type.id == MM_F64) memcpy((uint8_t *)data + row * 8, &real, 8);
  else if (column->type.id == MM_F32) memcpy((uint8_t *)data + row * 4, &narrow, 4);
  else if (width) memcpy((uint8_t *)data + row * width, &whole, (size_t)width);
  else if (column->type.id == MM_BOOL && !(whole & 1)) bit_clear(data, row);
  else if (column->type.id == MM_BOOL) bit_set(data, row);
}

static void put_text(mm_column *column, int64_t row) {
  int32_t *offsets = (int32_t *)(uintptr_t)column->offsets;
  const char *text = texts[draw() % TEXTS];
  memcpy((uint8_t *)(uintptr_t)column->data + offsets[row], text, strlen(text));
  offsets[row + 1] = offsets[row] + (int32_t)strlen(text);
}

static mm_source *make_source(const plan *p, int64_t rows) {
  mm_table table = {0};
  mm_batch batch = {.length = rows};
  static const char *const names[COLUMNS] = {"a", "b", "c", "d"};
  CHECK(mm_batch_resize(&batch, COLUMNS, NULL) >= 0);
  batch.length = rows;
  for (int c = 0; c < COLUMNS; c++) {
    mm_column *column = &batch.columns[c];
    bool nulls = draw() & 1;
    CHECK(mm_schema_add(&table.schema, names[c], p->columns[c], true, NULL) >= 0);
    CHECK(mm_column_make(column, p->columns[c], rows, rows * 64, nulls, NULL) >= 0);
    for (int64_t r = 0; r < rows; r++) {
      if (type_is_text(column->type.id)) put_text(column, r);
      else if (column->type.id != MM_NULL) put_value(column, r);
      if (column->valid && draw() % 5 == 0) bit_clear((uint64_t *)(uintptr_t)column->valid, r);
    }
  }
  CHECK(mm_table_append(&table, &batch, NULL) >= 0);
  mm_source *source = mm_source_table(&table, NULL);
  mm_table_free(&table);
  return source;
}

/* ---- The stage behind it ---- */

static mm_type type_of(const plan *p, int32_t output, int op) {
  mm_type type = p->registers[p->outputs[output]];
  mm_type given = {.id = MM_F64};
  mm_aggregate_type(op, type, &given); /* else the stage refuses it */
  return given;
}

static mm_stage *make_group(const plan *p, mm_error *error) {
  mm_schema out = {0};
  mm_aggregate list[OUTPUTS];
  int32_t keys[] = {p->tail.key}, count = p->tail.wants_key;
  if (count) CHECK(mm_schema_add(&out, "key", p->registers[p->outputs[keys[0]]], true, NULL) >= 0);
  for (int i = 0; i < OUTPUTS; i++) {
    list[i] = (mm_aggregate){.op = p->tail.op[i], .column = i, .q = p->tail.share};
    CHECK(mm_schema_add(&out, texts[i], type_of(p, i, list[i].op), true, NULL) >= 0);
  }
  mm_stage *stage = mm_stage_group(keys, count, list, OUTPUTS, &out, error);
  mm_schema_free(&out);
  return stage;
}

/* NULL, and an error: its arguments are refused. */
static mm_stage *make_tail(const plan *p, mm_error *error) {
  int32_t keys[] = {p->tail.key}, key_count = p->tail.wants_key;
  mm_order order = {p->tail.key, p->tail.descending, p->tail.wants_key};
  switch (p->tail.kind) {
  case 1: return make_group(p, error);
  case 2: return mm_stage_sort(&order, 1, error);
  case 3: return mm_stage_limit(p->tail.rows, keys, key_count, NULL, 0, error);
  case 4: return mm_stage_limit(p->tail.rows, keys, key_count, &order, 1, error);
  default: return mm_stage_distinct(keys, key_count, error);
  }
}

/* ---- Running it ---- */

typedef struct outcome {
  int status;
  mm_error error;
  mm_table table;
} outcome;

/* False: the program is refused. */
static bool run(const plan *p, int64_t rows, int32_t batch_rows, outcome *to) {
  mm_program *program = NULL;
  mm_schema out = {0};
  mm_error error = {0};
  *to = (outcome){0};
  if (mm_program_new(p->code, p->length, p->registers, REGISTERS, p->constants, CONSTANTS, p->outputs, OUTPUTS, COLUMNS,
                     &program, &error)
      < 0) {
    CHECK(error.message[0]);
    return false;
  }
  for (int i = 0; i < OUTPUTS; i++) CHECK(mm_schema_add(&out, texts[i], p->registers[p->outputs[i]], true, NULL) >= 0);
  mm_stage *stage = mm_stage_program(program, &out, &error);
  mm_schema_free(&out);
  mm_job *job = mm_job_new(make_source(p, rows), &(mm_job_options){.threads = 1, .batch_rows = batch_rows}, &error);
  CHECK(stage && job && mm_job_add(job, stage, &error) >= 0);
  mm_stage *tail = p->tail.kind ? make_tail(p, &error) : NULL;
  CHECK(tail || !p->tail.kind || error.message[0]);
  if (tail) CHECK(mm_job_add(job, tail, &error) >= 0);
  CHECK(mm_job_add(job, mm_sink_table(-1, NULL), &error) >= 0);
  to->status = mm_job_run(job, &to->error);
  CHECK(to->status >= 0 || to->error.message[0]);
  if (to->status >= 0) CHECK(mm_job_take_result(job, &to->table, NULL, &error) >= 0);
  mm_job_free(job);
  return true;
}

/* All values of a column of the result as text, nulls marked. */
static void write_column(const mm_table *table, int32_t c, mm_buffer *text) {
  for (int64_t b = 0; b < table->count; b++)
    for (int64_t r = 0; r < table->batches[b].length; r++) {
      const mm_column *column = &table->batches[b].columns[c];
      CHECK(mm_buffer_append(text, column_is_null(column, r) ? "~" : ",", 1, NULL) >= 0);
      CHECK(mm_column_text(column, r, text, NULL) >= 0);
    }
}

static void compare(const outcome *a, const outcome *b) {
  if (a->status == MM_ENOMEM || a->status == MM_ELIMIT || b->status == MM_ENOMEM || b->status == MM_ELIMIT) return;
  CHECK(a->status == b->status);
  if (a->status < 0) {
    CHECK(a->error.row == b->error.row && a->error.place == b->error.place && !strcmp(a->error.id, b->error.id));
    return;
  }
  CHECK(a->table.rows == b->table.rows);
  for (int32_t c = 0; c < a->table.schema.count; c++) {
    mm_buffer x = {0}, y = {0};
    write_column(&a->table, c, &x);
    write_column(&b->table, c, &y);
    CHECK(x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, (size_t)x.size) == 0));
    mm_buffer_free(&x);
    mm_buffer_free(&y);
  }
}

/* Bits, also those in null slots. Batches have the same rows: nothing but the instruction set differs. */
static void compare_bits(const outcome *a, const outcome *b) {
  compare(a, b);
  if (a->status < 0 || b->status < 0) return;
  CHECK(a->table.count == b->table.count);
  for (int64_t i = 0; i < a->table.count; i++)
    for (int32_t c = 0; c < a->table.schema.count; c++) {
      const mm_column *x = &a->table.batches[i].columns[c], *y = &b->table.batches[i].columns[c];
      int64_t width = mm_type_width(x->type);
      CHECK(x->length == y->length && !x->valid == !y->valid);
      if (width && x->length) CHECK(memcmp(x->data, y->data, (size_t)(x->length * width)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const int64_t sizes[] = {0,  1,   63,   64,
                                  65, 200, 1100, 4200}; /* plain runs have longer vectors than MM_VECTOR */
  static plan p;
  outcome small, large, other;
  at = bytes, end = bytes + size;
  int64_t rows = sizes[next() & 7];
  uint64_t start = (uint64_t)next() << 8 | rows;
  mm_memory_limit(256 << 20);
  make_plan(&p);
  seed = start;
  if (!run(&p, rows, 64, &small)) return 0;
  seed = start;
  CHECK(run(&p, rows, 8192, &large));
  compare(&small, &large);
  for (int set = 0; cpu_use_isa(set); set++) {
    seed = start;
    CHECK(run(&p, rows, 8192, &other));
    compare_bits(&large, &other);
    mm_table_free(&other.table);
  }
  mm_table_free(&small.table);
  mm_table_free(&large.table);
  return 0;
}
