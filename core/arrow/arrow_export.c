/* arrow_export.c - batches as Arrow struct arrays: nothing is copied, each array holds references until it is released.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "types/opaque.h"

/* What an exported array owns. Children can be moved away by the consumer, so each level stands on its own. */
typedef struct holder {
  mm_column column; /* of a column: references */
  mm_block *root;   /* of a foreign array: keeps it alive */
  const void *buffers[3];
  int64_t size; /* of this struct with what follows it */
  struct ArrowArray **pointers;
  struct ArrowArray structs[]; /* children, then the dictionary; the pointers stand behind them */
} holder;

static void release_holder(struct ArrowArray *array) {
  holder *h = array->private_data;
  int64_t count = array->n_children + (array->dictionary != NULL);
  for (int64_t i = 0; i < count; i++)
    if (h->structs[i].release) h->structs[i].release(&h->structs[i]);
  mm_column_release(&h->column);
  mm_block_release(h->root);
  memory_release(h, h->size);
  array->release = NULL;
}

static holder *hold_column(struct ArrowArray *to, int64_t children, bool dictionary, mm_error *error) {
  int64_t count = children + dictionary;
  int64_t size = (int64_t)sizeof(holder) + count * (int64_t)(sizeof(struct ArrowArray) + sizeof(struct ArrowArray *));
  holder *h = memory_allocate_zero(size);
  if (!h) {
    error_fail_memory(error, size);
    return NULL;
  }
  h->size = size;
  h->pointers = (struct ArrowArray **)(h->structs + count);
  for (int64_t i = 0; i < count; i++) h->pointers[i] = &h->structs[i];
  *to =
      (struct ArrowArray){.n_children = children, .buffers = h->buffers, .release = release_holder, .private_data = h};
  to->children = children ? h->pointers : NULL;
  to->dictionary = dictionary ? h->pointers[children] : NULL;
  return h;
}

/* A foreign array once more: structs of our own around its buffers. */
static int export_foreign(struct ArrowArray *to, const struct ArrowArray *from, mm_block *root, mm_error *error) {
  holder *h = hold_column(to, from->n_children, from->dictionary != NULL, error);
  if (!h) return MM_ENOMEM;
  h->root = root;
  mm_block_retain(root);
  to->length = from->length;
  to->null_count = from->null_count;
  to->offset = from->offset;
  to->n_buffers = from->n_buffers;
  to->buffers = from->buffers;
  int status = 0;
  for (int64_t i = 0; i < from->n_children && status >= 0; i++)
    status = export_foreign(&h->structs[i], from->children[i], root, error);
  if (from->dictionary && status >= 0) status = export_foreign(to->dictionary, from->dictionary, root, error);
  if (status < 0) release_holder(to);
  return status;
}

static int export_opaque(struct ArrowArray *to, const mm_column *column, mm_error *error) {
  const opaque_value *view = column->data;
  TRY(export_foreign(to, view->array, column->offsets_block, error));
  if (view->start > 0 || column->length < to->length) to->null_count = to->n_buffers > 0 ? -1 : to->null_count;
  to->offset += view->start;
  to->length = column->length;
  return 0;
}

/* References to the blocks; what is only borrowed is copied. */
static int own_column(mm_column *to, const mm_column *column, mm_error *error) {
  bool borrowed = (column->valid && !column->valid_block) || (column->data && !column->data_block)
                  || (column->offsets && !column->offsets_block);
  mm_column none = *column;
  none.length = 0;
  const mm_column *parts[] = {column, &none};
  return mm_column_concat(to, parts, borrowed ? 2 : 1, error);
}

static int export_column(struct ArrowArray *to, const mm_column *column, mm_error *error) {
  if (column->type.id == MM_OPAQUE) return export_opaque(to, column, error);
  holder *h = hold_column(to, 0, false, error);
  if (!h) return MM_ENOMEM;
  int status = own_column(&h->column, column, error);
  if (status < 0) {
    release_holder(to);
    return status;
  }
  to->length = column->length;
  to->null_count = mm_column_null_count(column);
  if (column->type.id == MM_NULL) return 0;
  h->buffers[to->n_buffers++] = h->column.valid;
  if (h->column.offsets) h->buffers[to->n_buffers++] = h->column.offsets;
  h->buffers[to->n_buffers++] = h->column.data;
  return 0;
}

int mm_arrow_export_batch(const mm_schema *schema, const mm_batch *batch, struct ArrowArray *to, mm_error *error) {
  if (schema->count != batch->count)
    return error_fail(error, MM_EUSAGE, "bad-arrow", "the schema has %d columns, the batch %d", schema->count,
                      batch->count);
  holder *h = hold_column(to, batch->count, false, error);
  if (!h) return MM_ENOMEM;
  to->length = batch->length;
  to->n_buffers = 1;
  for (int32_t i = 0; i < batch->count; i++) {
    int status = export_column(&h->structs[i], &batch->columns[i], error);
    if (status < 0) {
      release_holder(to);
      return status;
    }
  }
  return 0;
}
