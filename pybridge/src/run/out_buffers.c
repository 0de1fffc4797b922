/* out_buffers.c - memory that the caller gives for columns of a result: of the right type and length, and apart from all that
 * is read, or exactly a column of it.
 * SPDX-License-Identifier: MIT */
#include "run/out_buffers.h"
#include "column_bytes.h"
#include "errors.h"
#include "import/buffer_protocol.h"

bool mm_has_width(mm_type type) { return type.id == MM_BOOL || mm_type_width(type) > 0; }

/* ---- What lies where ---- */

typedef struct range {
  const char *from, *to;
} range;

static bool overlaps(range a, range b) { return a.from < b.to && b.from < a.to; }

static range range_of(const void *data, int64_t size) { return (range){(const char *)data, (const char *)data + size}; }

/* Memory of the caller; nothing when none was given. */
static range range_of_target(const mm_outcome *outcome, int32_t number) {
  const mm_target *target = &outcome->targets[number];
  if (target->bytes) return range_of(mm_block_data(target->bytes), outcome->feed.rows);
  return range_of(target->into.data, target->into.length * mm_type_width(target->into.type));
}

static int refuse(plan_object *plan, const mm_field *field, const char *format, const char *other) {
  mm_raise_new(plan->state, MM_EUSAGE, "overlap", field->name, "give memory of its own, or exactly that of the column",
               format, field->name, other);
  return -1;
}

/* Memory of one column against a column of the input: apart, or exactly the same rows. */
static int check_alias(mm_outcome *outcome, plan_object *plan, int32_t number, int32_t read) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  range own = range_of_target(outcome, number);
  for (int64_t b = 0; b < outcome->feed.count; b++) {
    const mm_column *column = &outcome->feed.batches[b].columns[read];
    column_bytes size = mm_column_measure(column);
    const void *parts[MM_COLUMN_PARTS] = {column->valid, column->data, column->offsets};
    for (int i = 0; i < MM_COLUMN_PARTS; i++) {
      if (!parts[i] || column->type.id == MM_OPAQUE || !overlaps(own, range_of(parts[i], size.size[i]))) continue;
      bool exact = outcome->feed.count == 1 && i == 1 && parts[i] == (const void *)own.from
                   && size.size[i] == own.to - own.from && column->type.id != MM_BOOL
                   && !outcome->targets[number].bytes;
      const char *name = outcome->feed.schema.fields[read].name;
      if (!exact)
        return refuse(plan, &gives->fields[number], "out for \"%s\" overlaps column \"%s\" of the input", name);
      outcome->in_place = true;
      for (int32_t k = 0; k < outcome->count; k++)
        if (k != number && outcome->targets[k].shared == read)
          return refuse(plan, &gives->fields[number], "out for \"%s\" is column \"%s\", which the result still shows",
                        name);
    }
  }
  return 0;
}

static int check_overlaps(mm_outcome *outcome, plan_object *plan) {
  const mm_schema *gives = mm_plan_gives(plan->plan);
  for (int32_t i = 0; i < outcome->count; i++) {
    for (int32_t k = 0; k < i; k++)
      if (overlaps(range_of_target(outcome, i), range_of_target(outcome, k)))
        return refuse(plan, &gives->fields[i], "out for \"%s\" overlaps that for \"%s\"", gives->fields[k].name);
    for (int32_t read = 0; read < outcome->feed.schema.count; read++)
      if (check_alias(outcome, plan, i, read) < 0) return -1;
  }
  return 0;
}

/* ---- Taking ---- */

/* Types that lie in memory alike: a buffer of integers may take times. */
static bool fits(mm_type memory, mm_type wanted) {
  if (mm_type_same(memory, wanted)) return true;
  if (wanted.id == MM_DATE) return memory.id == MM_I32;
  if (wanted.id == MM_TIMESTAMP && memory.id == MM_TIMESTAMP) return memory.unit == wanted.unit;
  return (wanted.id == MM_TIMESTAMP || wanted.id == MM_DURATION) && memory.id == MM_I64;
}

/* Memory of the caller for one column; -1 and an exception. */
static int take_out(mm_outcome *outcome, plan_object *plan, int32_t number, PyObject *object) {
  mm_target *target = &outcome->targets[number];
  const mm_field *field = &mm_plan_gives(plan->plan)->fields[number];
  char wanted[100], given[100];
  mm_type_name(field->type, wanted, sizeof wanted);
  if (!outcome->keeps || outcome->chunked || !mm_has_width(field->type)) {
    const char *why = !mm_has_width(field->type) ? "values of this type have no fixed width"
                      : outcome->keeps           ? "the result has other columns of text, which come in pieces"
                                                 : "the pipeline does not keep all rows as they are";
    mm_raise_new(plan->state, MM_EUSAGE, "bad-out", field->name, NULL, "no out can be given for \"%s\": %s",
                 field->name, why);
    return -1;
  }
  mm_borrow borrow = {0};
  if (mm_borrow_take(plan->state, object, field->name, true, &borrow) < 0) return -1;
  mm_type_name(borrow.type, given, sizeof given);
  if (!fits(borrow.type, field->type) || borrow.length != outcome->feed.rows) {
    mm_raise_new(plan->state, MM_EUSAGE, "bad-out", field->name, NULL,
                 "out for \"%s\" has %lld values of %s, the column has %lld of %s", field->name,
                 (long long)borrow.length, given, (long long)outcome->feed.rows, wanted);
    mm_borrow_return(&borrow);
    return -1;
  }
  const void *data = borrow.view.buf;
  mm_block *block = mm_borrow_block(plan->state, &borrow);
  if (!block) return -1;
  if (field->type.id == MM_BOOL) target->bytes = block;
  else target->into = (mm_column){.type = field->type, .length = outcome->feed.rows, .data = data, .data_block = block};
  return 0;
}

int mm_outs_take(mm_outcome *outcome, plan_object *plan, PyObject *outs) {
  PyObject *list = PySequence_Tuple(outs);
  int status = list ? 0 : -1;
  if (list && PyTuple_GET_SIZE(list) != outcome->count) {
    mm_raise_new(plan->state, MM_EUSAGE, "bad-out", NULL, NULL, "out has %zd items, the result has %d columns",
                 PyTuple_GET_SIZE(list), (int)outcome->count);
    status = -1;
  }
  for (int32_t i = 0; i < outcome->count && status == 0; i++) {
    PyObject *object = PyTuple_GET_ITEM(list, i);
    if (object != Py_None) status = take_out(outcome, plan, i, object);
  }
  Py_XDECREF(list);
  return status < 0 ? -1 : check_overlaps(outcome, plan);
}
