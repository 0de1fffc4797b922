/* concat.c - the rows of several tables as one table, shared.
 *
 * DESIGN. A column that holds nothing but nulls, as lists of None make it, takes the type that another table has for
 * it.
 *
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "errors.h"
#include "table/table.h"
#include <string.h>

/* One field of both: of the type that is not null, nullable where one of them is. */
static int match_field(module_state *state, mm_field *to, const mm_field *from, Py_ssize_t number) {
  char left[128], right[128];
  bool typed = to->type.id == MM_NULL || from->type.id == MM_NULL || type_same(to->type, from->type);
  if (typed && strcmp(to->name, from->name) == 0) {
    if (to->type.id == MM_NULL) to->type = from->type;
    to->nullable |= from->nullable;
    return 0;
  }
  raise_new(state, MM_EUSAGE, "unequal-tables", to->name, NULL,
            "table %zd has %.100s: %s where the first has %.100s: %s", number + 1, from->name,
            mm_type_name(from->type, right, sizeof right), to->name, mm_type_name(to->type, left, sizeof left));
  return -1;
}

/* The schema of all tables. */
static int match_tables(module_state *state, PyObject *tables, mm_schema *to) {
  mm_error error;
  for (Py_ssize_t t = 0; t < PyTuple_GET_SIZE(tables); t++) {
    const mm_table *table = mmpy_table_of(state, PyTuple_GET_ITEM(tables, t));
    if (!table) return -1;
    if (t == 0 && mm_schema_copy(to, &table->schema, &error) < 0) {
      raise_error(state, &error);
      return -1;
    }
    if (table->schema.count != to->count) {
      raise_new(state, MM_EUSAGE, "unequal-tables", NULL, NULL, "table %zd has %d columns, the first %d", t + 1,
                table->schema.count, to->count);
      return -1;
    }
    for (int32_t i = 0; i < to->count; i++)
      if (match_field(state, &to->fields[i], &table->schema.fields[i], t) < 0) return -1;
  }
  return 0;
}

/* As many nulls, of a type. */
static int fill_nulls(mm_column *column, mm_type type, mm_error *error) {
  int status = mm_column_make(column, type, column->length, 0, true, error);
  if (status < 0) return status;
  mm_block *blocks[] = {column->valid_block, column->data_block, column->offsets_block};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    if (blocks[i]) memset(mm_block_data(blocks[i]), 0, (size_t)mm_block_size(blocks[i]));
  return 0;
}

static int add_batch(mm_table *to, const mm_batch *from, int64_t *copied, int64_t *shared, mm_error *error) {
  mm_batch batch = {0};
  int status = mm_batch_copy(&batch, from, error);
  for (int32_t c = 0; c < batch.count && status >= 0; c++) {
    mm_column *column = &batch.columns[c];
    bool nulls = column->type.id == MM_NULL && to->schema.fields[c].type.id != MM_NULL;
    if (nulls) status = fill_nulls(column, to->schema.fields[c].type, error);
    if (status >= 0) *(nulls ? copied : shared) += mmpy_column_bytes(column);
  }
  if (status >= 0) return mm_table_append(to, &batch, error);
  mm_batch_free(&batch);
  return status;
}

PyObject *mmpy_table_concat(PyObject *type, PyObject *tables) {
  module_state *state = module_state_of(type);
  PyObject *list = state ? PySequence_Tuple(tables) : NULL;
  mm_table made = {0};
  mm_error error;
  int64_t copied = 0, shared = 0;
  if (!list) return NULL;
  int status = match_tables(state, list, &made.schema);
  bool raised = status < 0;
  for (Py_ssize_t t = 0; t < PyTuple_GET_SIZE(list) && status >= 0; t++) {
    const mm_table *table = mmpy_table_of(state, PyTuple_GET_ITEM(list, t));
    copied += ((table_object *)PyTuple_GET_ITEM(list, t))->copied;
    for (int64_t i = 0; i < table->count && status >= 0; i++)
      status = add_batch(&made, &table->batches[i], &copied, &shared, &error);
  }
  Py_DECREF(list);
  if (status >= 0) return mmpy_table_wrap(state, &made, copied, shared);
  mm_table_free(&made);
  return raised ? NULL : raise_error(state, &error);
}
