/* result.c - the result of a run: shared columns are handed through, others are computed into whole columns where rows
 * are kept.
 * SPDX-License-Identifier: MIT */
#include "run/result.h"
#include "column_bytes.h"
#include "errors.h"
#include "run/input.h"
#include "run/out_buffers.h"
#include "table/table.h"
#include "session.h"
#include "host.h"
#include <stdlib.h>
#include <string.h>

/* ---- What goes in ---- */

/* The first null of a column declared without nulls, or its length; validity without nulls is dropped. */
static int64_t first_null(mm_column *column) {
  if (column->valid && mm_column_null_count(column) == 0) column->valid = NULL;
  if (!column->valid) return column->length;
  int64_t row = 0;
  while (column->valid[row >> 6] >> (row & 63) & 1) row++;
  return row;
}

static int refuse_null(plan_object *plan, const mm_field *field, int64_t row) {
  char type[100];
  mm_error error;
  mm_host_fail(&error, MM_EDATA, "null-value", "%.300s: a null, and the column is declared without nulls", field->name);
  error.row = row;
  PyOS_snprintf(error.field, sizeof error.field, "%s", field->name);
  PyOS_snprintf(error.hint, sizeof error.hint, "declare it in input: \"%.100s: %s?\"", field->name,
                mm_type_name(field->type, type, sizeof type));
  mmpy_plan_raise(plan, &error);
  return -1;
}

/* A null in a column that is declared without nulls is an error at its row, as it is in a file. */
static int check_nulls(const run_result *result, plan_object *plan) {
  const mm_schema *reads = &result->input.schema;
  int64_t start = 0;
  for (int64_t b = 0; b < result->input.count; b++) {
    mm_batch *batch = &result->input.batches[b];
    int64_t first = batch->length;
    int32_t at = -1;
    for (int32_t i = 0; i < batch->count; i++) {
      int64_t row = reads->fields[i].nullable ? first : first_null(&batch->columns[i]);
      if (row < first) first = row, at = i;
    }
    if (at >= 0) return refuse_null(plan, &reads->fields[at], start + first);
    start += batch->length;
  }
  return 0;
}

/* The numbers of the columns that are read, in a table. */
static int find_columns(plan_object *plan, const mm_table *table, int32_t *numbers) {
  const mm_schema *reads = mm_plan_reads(plan->plan);
  for (int32_t i = 0; i < reads->count; i++) {
    const mm_field *wanted = &reads->fields[i];
    numbers[i] = mm_schema_find(&table->schema, wanted->name);
    mm_type type = numbers[i] < 0 ? (mm_type){0} : table->schema.fields[numbers[i]].type;
    bool foreign = type.id == MM_OPAQUE && wanted->type.id == MM_OPAQUE; /* plans know foreign types only as such */
    if (numbers[i] >= 0 && (foreign || type_same(type, wanted->type))) continue;
    raise_new(plan->state, MM_EUSAGE, "other-columns", wanted->name, "make a plan for this table",
              "the plan was made for other columns: \"%s\" is %s", wanted->name,
              numbers[i] < 0 ? "missing" : "of another type");
    return -1;
  }
  return 0;
}

static int pick_batch(const mm_batch *from, const int32_t *numbers, int32_t count, mm_table *to, mm_error *error) {
  mm_batch batch = {0};
  int status = mm_batch_resize(&batch, count, error);
  if (status < 0) return status;
  batch.length = from->length;
  for (int32_t i = 0; i < count; i++) {
    batch.columns[i] = from->columns[numbers[i]];
    mm_column_retain(&batch.columns[i]);
  }
  return mm_table_append(to, &batch, error);
}

static int open_input(run_result *result, plan_object *plan, const mm_table *table) {
  const mm_schema *reads = mm_plan_reads(plan->plan);
  mm_error error;
  int32_t *numbers = PyMem_Calloc((size_t)reads->count + 1, sizeof *numbers);
  if (!numbers) {
    PyErr_NoMemory();
    return -1;
  }
  int found = find_columns(plan, table, numbers);
  int status = found < 0 ? 0 : mm_schema_copy(&result->input.schema, reads, &error);
  for (int32_t i = 0; i < reads->count && found == 0 && status >= 0; i++)
    result->input.schema.fields[i].type = table->schema.fields[numbers[i]].type;
  for (int64_t b = 0; b < table->count && found == 0 && status >= 0; b++)
    status = pick_batch(&table->batches[b], numbers, reads->count, &result->input, &error);
  PyMem_Free(numbers);
  if (status < 0) raise_error(plan->state, &error);
  return found < 0 || status < 0 ? -1 : check_nulls(result, plan);
}

/* ---- Opening ---- */

static int make_targets(run_result *result, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  result->count = gives->count;
  result->targets = calloc((size_t)gives->count + 1, sizeof *result->targets);
  if (!result->targets) {
    PyErr_NoMemory();
    return -1;
  }
  for (int32_t i = 0; i < gives->count; i++) {
    result_column *target = &result->targets[i];
    target->shared = result->keeps ? mm_plan_shares(plan->plan, i) : -1;
    if (gives->fields[i].type.id == MM_OPAQUE && result->copy) {
      char text[64];
      raise_new(plan->state, MM_EUSAGE, "nested-type", gives->fields[i].name, "leave it out, or run without copy",
                "column \"%s\" is of type %s, which cannot be copied", gives->fields[i].name,
                mm_type_name(gives->fields[i].type, text, sizeof text));
      return -1;
    }
    if (target->shared < 0 || result->copy) result->chunked |= !has_fixed_width(gives->fields[i].type);
  }
  result->chunked |= !result->keeps;
  return 0;
}

/* Whole columns for what is computed and has no other place. */
static int make_columns(run_result *result, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  mm_error error;
  int status = 0;
  for (int32_t i = 0; i < result->count && !result->chunked && status >= 0; i++) {
    result_column *target = &result->targets[i];
    const mm_field *field = &gives->fields[i];
    if (target->into.data || (target->shared >= 0 && !result->copy && !target->bytes)) continue;
    status =
        mm_column_make(&target->into, field->type, result->input.rows, 0, field->nullable && !target->bytes, &error);
  }
  if (status < 0) raise_error(plan->state, &error);
  return status < 0 ? -1 : 0;
}

int run_result_open(run_result *result, plan_object *plan, PyObject *object, PyObject *outs, bool copy) {
  const mm_table *table = mmpy_table_of(plan->state, object);
  if (!table) return -1;
  int32_t flags = mm_plan_flags(plan->plan);
  *result = (run_result){.plan = plan->plan, .copy = copy};
  mm_plan_retain(plan->plan);
  result->keeps = (flags & MM_STAGE_KEEPS_ROWS) && !(flags & MM_STAGE_BREAKER);
  int status = open_input(result, plan, table);
  if (status == 0) status = make_targets(result, plan);
  if (status == 0 && outs) status = out_buffers_take(result, plan, outs);
  if (status == 0) status = make_columns(result, plan);
  if (status < 0) run_result_free(result);
  return status;
}

int run_result_read(run_result *result, plan_object *plan, PyObject *input, const char *path, int64_t room) {
  mm_error error;
  *result = (run_result){.plan = plan->plan, .chunked = true};
  mm_plan_retain(plan->plan);
  result->source = mmpy_input_take(plan, input);
  bool taken = result->source != NULL;
  if (taken && path && !(result->path = strdup(path))) PyErr_NoMemory();
  if (taken && room && !(result->queue = row_queue_new(room, &error))) raise_error(plan->state, &error);
  if (!PyErr_Occurred()) return 0;
  run_result_free(result);
  return -1;
}

void run_result_free(run_result *result) {
  for (int32_t i = 0; i < result->count && result->targets; i++) {
    mm_column_release(&result->targets[i].into);
    mm_block_release(result->targets[i].bytes);
  }
  free(result->targets);
  if (result->source) mm_source_free(result->source);
  free(result->path);
  row_queue_release(result->queue);
  mm_table_free(&result->input);
  mm_plan_release((mm_plan *)(uintptr_t)result->plan);
  *result = (run_result){0};
}

/* ---- Running ---- */

bool run_result_works(const run_result *result) {
  if (result->chunked) return true;
  for (int32_t i = 0; i < result->count; i++)
    if (result->targets[i].into.data) return result->input.rows > 0;
  return false;
}

mm_stage *run_result_sink(const run_result *result, const mm_pulse *pulse, mm_error *error) {
  mm_output_options settings = {.interrupt = pulse->beat, .context = pulse->context};
  if (result->path) return mm_sink_file(result->path, NULL, &settings, error);
  if (result->queue) return row_queue_sink(result->queue, error);
  if (result->chunked) return mm_sink_table(-1, error);
  mm_column *to = calloc((size_t)result->count + 1, sizeof *to);
  if (!to) {
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a result");
    return NULL;
  }
  for (int32_t i = 0; i < result->count; i++) to[i] = result->targets[i].into;
  mm_stage *sink = mm_sink_into(to, result->count, result->in_place, error);
  free(to);
  return sink;
}

/* ---- What comes out ---- */

/* Blocks of the input, in the order of their addresses. */
typedef struct block_set {
  const mm_block **blocks;
  size_t count;
} block_set;

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t) * (const mm_block *const *)a, y = (uintptr_t) * (const mm_block *const *)b;
  return x < y ? -1 : x > y;
}

static int collect_blocks(const mm_table *table, block_set *set) {
  size_t columns = (size_t)table->count * (size_t)table->schema.count;
  set->blocks = malloc((3 * columns + 1) * sizeof *set->blocks);
  if (!set->blocks) return -1;
  for (int64_t b = 0; b < table->count; b++)
    for (int32_t i = 0; i < table->batches[b].count; i++) {
      const mm_column *column = &table->batches[b].columns[i];
      const mm_block *blocks[] = {column->valid_block, column->data_block, column->offsets_block};
      for (int k = 0; k < 3; k++)
        if (blocks[k]) set->blocks[set->count++] = blocks[k];
    }
  qsort(set->blocks, set->count, sizeof *set->blocks, by_address);
  return 0;
}

static bool is_among(const block_set *set, const mm_block *block) {
  return block && bsearch(&block, set->blocks, set->count, sizeof *set->blocks, by_address);
}

static bool shares_block(const block_set *set, const mm_column *column) {
  return is_among(set, column->valid_block) || is_among(set, column->data_block)
         || is_among(set, column->offsets_block);
}

static int own_copy(mm_column *column, mm_error *error) {
  mm_column own = {0};
  int status = mmpy_column_copy(&own, column, error);
  if (status < 0) return status;
  mm_column_release(column);
  *column = own;
  return 0;
}

/* Whether memory is shared follows from the plan: what shares it by chance gets memory of its own. */
static int separate_columns(const run_result *result, mm_table *table, byte_traffic *traffic, mm_error *error) {
  block_set set = {0};
  int status = 0;
  if (collect_blocks(&result->input, &set) < 0)
    return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a result");
  for (int64_t b = 0; b < table->count; b++)
    for (int32_t i = 0; i < table->batches[b].count && status >= 0; i++) {
      mm_column *column = &table->batches[b].columns[i];
      if (!shares_block(&set, column)) continue;
      bool meant = result->targets[i].shared >= 0 && !result->copy;
      if (!meant) status = own_copy(column, error);
      if (status >= 0) *(meant ? &traffic->shared : &traffic->copied) += mmpy_column_bytes(column);
    }
  free(set.blocks);
  return status;
}

/* Bools as the caller's memory has them. */
static void spread_bits(const result_column *target) {
  uint8_t *bytes = mm_block_data(target->bytes);
  const uint64_t *bits = target->into.data;
  for (int64_t i = 0; i < target->into.length; i++) bytes[i] = bits[i >> 6] >> (i & 63) & 1;
}

/* Rows [start, start + length) of what was computed into whole columns, and the shared columns of a batch of the
 * input. */
static int assemble_batch(const run_result *result, const mm_batch *input, int64_t start, int64_t length, mm_table *to,
                          byte_traffic *traffic, mm_error *error) {
  mm_batch batch = {0};
  int status = mm_batch_resize(&batch, result->count, error);
  batch.length = length;
  for (int32_t i = 0; i < result->count && status >= 0; i++) {
    const result_column *target = &result->targets[i];
    mm_column *column = &batch.columns[i];
    if (target->into.data) {
      status = mm_column_slice(column, &target->into, start, length, error);
      bool here = target->shared >= 0 && target->into.data == result->input.batches[0].columns[target->shared].data;
      if (status >= 0 && target->shared >= 0 && !here) traffic->copied += mmpy_column_bytes(column);
    } else {
      *column = input->columns[target->shared];
      mm_column_retain(column);
      traffic->shared += mmpy_column_bytes(column);
    }
  }
  if (status >= 0) return mm_table_append(to, &batch, error);
  mm_batch_free(&batch);
  return status;
}

static int assemble_all(run_result *result, mm_table *to, byte_traffic *traffic, mm_error *error) {
  bool any_shared = false;
  for (int32_t i = 0; i < result->count; i++) {
    result_column *target = &result->targets[i];
    any_shared |= !target->into.data;
    if (target->bytes && target->into.data) spread_bits(target);
    if (target->into.valid && mm_column_null_count(&target->into) == 0) target->into.valid = NULL;
  }
  int status = mm_schema_copy(&to->schema, mm_plan_gives(result->plan), error);
  if (status < 0 || result->input.rows == 0) return status;
  if (!any_shared) return assemble_batch(result, NULL, 0, result->input.rows, to, traffic, error);
  int64_t start = 0;
  for (int64_t b = 0; b < result->input.count && status >= 0; b++) {
    const mm_batch *batch = &result->input.batches[b];
    status = assemble_batch(result, batch, start, batch->length, to, traffic, error);
    start += batch->length;
  }
  return status;
}

/* Foreign types are what they were in the input: such a column can only have passed. */
static void name_foreign(const run_result *result, mm_schema *schema) {
  for (int32_t i = 0; i < schema->count; i++) {
    int32_t shared = result->targets[i].shared;
    if (schema->fields[i].type.id == MM_OPAQUE && shared >= 0)
      schema->fields[i].type = result->input.schema.fields[shared].type;
  }
}

int run_result_collect(run_result *result, mm_job *job, mm_table *to, byte_traffic *traffic, mm_error *error) {
  if (result->path || result->queue) return 0;
  int status = result->chunked ? mm_job_take_result(job, to, NULL, error) : assemble_all(result, to, traffic, error);
  if (status < 0 || !result->targets) return status;
  name_foreign(result, &to->schema);
  return result->chunked ? separate_columns(result, to, traffic, error) : 0;
}
