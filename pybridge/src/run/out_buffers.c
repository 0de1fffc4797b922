/* out_buffers.c - memory of the caller for columns of a result: of the right type and length, and disjoint from what is
 * read, or exactly a column of it.
 * SPDX-License-Identifier: MIT */
#include "run/out_buffers.h"
#include "column_bytes.h"
#include "errors.h"
#include "import/buffer_protocol.h"

bool has_fixed_width(mm_type type) { return type.id == MM_BOOL || mm_type_width(type) > 0; }

/* ---- Overlaps ---- */

typedef struct range {
  const char *from, *to;
} range;

static bool ranges_overlap(range a, range b) { return a.from < b.to && b.from < a.to; }

static range range_of(const void *data, int64_t size) { return (range){(const char *)data, (const char *)data + size}; }

/* Memory of the caller; nothing when none was given. */
static range range_of_target(const run_result *result, int32_t number) {
  const result_column *target = &result->targets[number];
  if (target->bytes) return range_of(mm_block_data(target->bytes), result->input.rows);
  return range_of(target->into.data, target->into.length * mm_type_width(target->into.type));
}

static int refuse_overlap(plan_object *plan, const mm_field *field, const char *format, const char *other) {
  raise_new(plan->state, MM_EUSAGE, "overlap", field->name, "give memory of its own, or exactly that of the column",
            format, field->name, other);
  return -1;
}

/* Memory of one column against a column of the input: apart, or exactly the same rows. */
static int check_alias(run_result *result, plan_object *plan, int32_t number, int32_t read) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  range own = range_of_target(result, number);
  for (int64_t b = 0; b < result->input.count; b++) {
    const mm_column *column = &result->input.batches[b].columns[read];
    column_bytes size = mmpy_column_measure(column);
    const void *parts[COLUMN_PARTS] = {column->valid, column->data, column->offsets};
    for (int i = 0; i < COLUMN_PARTS; i++) {
      if (!parts[i] || column->type.id == MM_OPAQUE || !ranges_overlap(own, range_of(parts[i], size.size[i]))) continue;
      bool exact = result->input.count == 1 && i == 1 && parts[i] == (const void *)own.from
                   && size.size[i] == own.to - own.from && column->type.id != MM_BOOL && !result->targets[number].bytes;
      const char *name = result->input.schema.fields[read].name;
      if (!exact)
        return refuse_overlap(plan, &gives->fields[number], "out for \"%s\" overlaps column \"%s\" of the input", name);
      result->in_place = true;
      for (int32_t k = 0; k < result->count; k++)
        if (k != number && result->targets[k].shared == read)
          return refuse_overlap(plan, &gives->fields[number],
                                "out for \"%s\" is column \"%s\", which the result still shows", name);
    }
  }
  return 0;
}

static int check_overlaps(run_result *result, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  for (int32_t i = 0; i < result->count; i++) {
    for (int32_t k = 0; k < i; k++)
      if (ranges_overlap(range_of_target(result, i), range_of_target(result, k)))
        return refuse_overlap(plan, &gives->fields[i], "out for \"%s\" overlaps that for \"%s\"",
                              gives->fields[k].name);
    for (int32_t read = 0; read < result->input.schema.count; read++)
      if (check_alias(result, plan, i, read) < 0) return -1;
  }
  return 0;
}

/* ---- Taking ---- */

/* Types of the same layout: a buffer of integers can hold times. */
static bool fits_type(mm_type memory, mm_type wanted) {
  if (type_same(memory, wanted)) return true;
  if (wanted.id == MM_DATE) return memory.id == MM_I32;
  if (wanted.id == MM_TIMESTAMP && memory.id == MM_TIMESTAMP) return memory.unit == wanted.unit;
  return (wanted.id == MM_TIMESTAMP || wanted.id == MM_DURATION) && memory.id == MM_I64;
}

/* Memory of the caller for one column; -1 and an exception. */
static int take_out(run_result *result, plan_object *plan, int32_t number, PyObject *object) {
  result_column *target = &result->targets[number];
  const mm_field *field = &mm_plan_gives(plan->plan)->fields[number];
  char wanted[100], given[100];
  mm_type_name(field->type, wanted, sizeof wanted);
  if (!result->keeps || result->chunked || !has_fixed_width(field->type)) {
    const char *why = !has_fixed_width(field->type) ? "values of this type have no fixed width"
                      : result->keeps               ? "the result has other columns of text, which come in pieces"
                                                    : "the pipeline does not keep all rows as they are";
    raise_new(plan->state, MM_EUSAGE, "bad-out", field->name, NULL, "no out can be given for \"%s\": %s", field->name,
              why);
    return -1;
  }
  borrowed_buffer borrow = {0};
  if (borrowed_buffer_take(plan->state, object, field->name, true, &borrow) < 0) return -1;
  mm_type_name(borrow.type, given, sizeof given);
  if (!fits_type(borrow.type, field->type) || borrow.length != result->input.rows) {
    raise_new(plan->state, MM_EUSAGE, "bad-out", field->name, NULL,
              "out for \"%s\" has %lld values of %s, the column has %lld of %s", field->name, (long long)borrow.length,
              given, (long long)result->input.rows, wanted);
    borrowed_buffer_return(&borrow);
    return -1;
  }
  const void *data = borrow.view.buf;
  mm_block *block = borrowed_buffer_block(plan->state, &borrow);
  if (!block) return -1;
  if (field->type.id == MM_BOOL) target->bytes = block;
  else target->into = (mm_column){.type = field->type, .length = result->input.rows, .data = data, .data_block = block};
  return 0;
}

int out_buffers_take(run_result *result, plan_object *plan, PyObject *outs) {
  PyObject *list = PySequence_Tuple(outs);
  int status = list ? 0 : -1;
  if (list && PyTuple_GET_SIZE(list) != result->count) {
    raise_new(plan->state, MM_EUSAGE, "bad-out", NULL, NULL, "out has %zd items, the result has %d columns",
              PyTuple_GET_SIZE(list), (int)result->count);
    status = -1;
  }
  for (int32_t i = 0; i < result->count && status == 0; i++) {
    PyObject *object = PyTuple_GET_ITEM(list, i);
    if (object != Py_None) status = take_out(result, plan, i, object);
  }
  Py_XDECREF(list);
  return status < 0 ? -1 : check_overlaps(result, plan);
}
