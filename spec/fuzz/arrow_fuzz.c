/* arrow_fuzz.c - Arrow data made of hostile bytes: its structs and values say anything, but no buffer is shorter than
 * they say. It is refused, or all of its values can be read, compared and exported again; it is released once.
 * SPDX-License-Identifier: MIT */
#include "arrow_abi.h"
#include "stage.h"
#include "types/column.h"
#include "types/value.h"
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) __builtin_trap();                                                                                \
  } while (0)

enum { MOST_CHILDREN = 5, MOST_BUFFERS = 6, DEPTH = 3, TEXT = 48 };

static const uint8_t *at, *end;
static uint8_t next(void) { return at < end ? *at++ : 0; }
static bool rarely(void) { return next() > 247; }

/* ---- Memory: that of the schema, and that of the array, freed as a whole ---- */

typedef struct memory {
  void *blocks[512];
  int count;
} memory;
static memory schema_memory, array_memory;
static int released;

static void *take(memory *m, size_t size) {
  CHECK(m->count < 512);
  void *block = malloc(size ? size : 1);
  for (size_t i = 0; i < size; i++) ((uint8_t *)block)[i] = i < 64 ? next() : (uint8_t)i;
  return m->blocks[m->count++] = block;
}
static void *take_zero(memory *m, size_t size) { return memset(take(m, size), 0, size); }
static void free_all(memory *m) {
  while (m->count) free(m->blocks[--m->count]);
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_child(struct ArrowArray *array) { array->release = NULL; }
static void release_root(struct ArrowArray *array) {
  CHECK(array->release == release_root);
  array->release = NULL;
  released++;
  free_all(&array_memory);
}

/* ---- Schemas ---- */

static const char *const formats[] = {
    "n",  "b",  "c",  "S",    "i",     "l",   "L",     "f",   "g",    "u",
    "U",  "vu", "z",  "Z",    "vz",    "tdD", "tdm",   "tDs", "tsu:", "tsn:Europe/Paris",
    "+l", "+s", "+L", "+w:2", "+us:0", "+r",  "d:9,2", "ttu", "e",    "",
    "ts", "+",  "tD", "vz ",  "+m",    "w:3"};
enum { FORMATS = sizeof formats / sizeof *formats };

static void make_schema(struct ArrowSchema *schema, int depth) {
  static const char *const names[] = {"a", "b", "", NULL, "a"};
  *schema = (struct ArrowSchema){.format = depth ? formats[next() % (depth > 1 ? FORMATS : 20)] : "+s",
                                 .name = names[next() % 5],
                                 .flags = next() & 7,
                                 .release = rarely() ? NULL : release_schema};
  if (rarely()) schema->format = NULL;
  bool nested = schema->format && *schema->format == '+';
  schema->n_children = depth == 0 ? next() % MOST_CHILDREN : nested ? next() % 3 : 0;
  if (depth >= DEPTH) schema->n_children = 0;
  if (schema->n_children) {
    schema->children = take_zero(&schema_memory, MOST_CHILDREN * sizeof *schema->children);
    for (int64_t i = 0; i < schema->n_children; i++)
      make_schema(schema->children[i] = take_zero(&schema_memory, sizeof *schema), depth + 1);
    if (rarely()) schema->children[0] = NULL;
    if (rarely()) schema->children = NULL;
  }
  if (depth && depth < DEPTH && next() > 200)
    make_schema(schema->dictionary = take_zero(&schema_memory, sizeof *schema), depth + 1);
  if (rarely()) schema->n_children = (int8_t)next();
  if (schema->children && schema->n_children > MOST_CHILDREN) schema->n_children = MOST_CHILDREN;
}

/* ---- Arrays ---- */

/* Offsets, mostly ascending, never beyond the text. */
static void *make_offsets(int64_t count, bool large) {
  uint8_t *offsets = take_zero(&array_memory, (size_t)(count + 1) * (large ? 8 : 4));
  int64_t last = next() % 4;
  bool wild = rarely();
  for (int64_t i = 0; i <= count; i++) {
    last += next() % 4;
    if (last > TEXT) last = TEXT;
    int64_t value = wild ? (int64_t)(next() % (TEXT + 2)) - 1 : last;
    int32_t narrow = (int32_t)value;
    memcpy(offsets + i * (large ? 8 : 4), large ? (void *)&value : (void *)&narrow, large ? 8 : 4);
  }
  return offsets;
}

/* Views of two buffers of TEXT bytes, and the list of their sizes. */
static void make_views(struct ArrowArray *array, int64_t count) {
  static const int64_t sizes[2] = {TEXT, TEXT};
  uint8_t *views = take_zero(&array_memory, (size_t)count * 16 + 16);
  for (int64_t i = 0; i < count; i++) {
    int32_t view[4] = {next() % 24, 0, (next() & 1) - rarely(), next() % 30};
    memcpy(views + i * 16, view, 16);
  }
  array->buffers[1] = views;
  array->buffers[2] = take(&array_memory, TEXT);
  array->buffers[3] = take(&array_memory, TEXT);
  array->buffers[4] = memcpy(take(&array_memory, sizeof sizes), sizes, sizeof sizes);
  array->n_buffers = 5;
}

static void make_buffers(struct ArrowArray *array, const char *format, int64_t count) {
  bool large = strchr("UZ", *format), text = *format && strchr("uUzZ", *format);
  array->buffers = take_zero(&array_memory, MOST_BUFFERS * sizeof(void *));
  array->buffers[0] = next() & 1 ? take(&array_memory, (size_t)(count + 7) / 8) : NULL;
  array->n_buffers = *format == 'n' || *format == '+' ? *format == '+' : text ? 3 : 2;
  if (*format == 'v') {
    make_views(array, count);
  } else if (text) {
    array->buffers[1] = make_offsets(count, large);
    array->buffers[2] = take(&array_memory, TEXT);
  } else {
    array->buffers[1] = take(&array_memory, (size_t)count * 16 + 16);
  }
  if (rarely()) array->n_buffers = (int8_t)next();
  if (array->n_buffers > MOST_BUFFERS) array->n_buffers = MOST_BUFFERS;
  if (rarely()) array->buffers[next() % 3] = NULL;
  if (rarely()) array->buffers = NULL;
}

static void make_array(struct ArrowArray *array, const struct ArrowSchema *schema, int64_t needed, int depth) {
  static const int64_t lengths[] = {0, 1, 7, 63, 64, 65, 128, 3};
  int64_t length = depth ? needed : lengths[next() & 7];
  *array = (struct ArrowArray){.length = length + (rarely() ? next() : 0),
                               .null_count = (int64_t)(next() % 3) - 1,
                               .offset = next() & 3 ? 0 : next() % 70,
                               .release = depth ? release_child : release_root};
  make_buffers(array, schema && schema->format ? schema->format : "l", array->length + array->offset);
  array->n_children = schema && schema->n_children > 0 ? schema->n_children : 0;
  if (array->n_children && schema->children) {
    array->children = take_zero(&array_memory, MOST_CHILDREN * sizeof *array->children);
    for (int64_t i = 0; i < array->n_children; i++) {
      array->children[i] = take_zero(&array_memory, sizeof *array);
      if (schema->children[i])
        make_array(array->children[i], schema->children[i], array->length + array->offset, depth + 1);
    }
    if (rarely()) array->children[0] = NULL;
  }
  if (schema && schema->dictionary && !rarely()) {
    array->dictionary = take_zero(&array_memory, sizeof *array);
    make_array(array->dictionary, schema->dictionary, next() % 9, depth + 1);
  }
  if (array->children && rarely()) array->n_children = next() % MOST_CHILDREN;
  if (rarely()) array->length = (int64_t)next() - 200;
  if (depth && rarely()) array->release = NULL;
}

/* ---- What was taken ---- */

static void read_values(const mm_batch *batch) {
  mm_buffer text = {0};
  for (int32_t c = 0; c < batch->count; c++) {
    const mm_column *column = &batch->columns[c];
    CHECK(column->length == batch->length && mm_column_null_count(column) <= column->length);
    if (column->type.id == MM_OPAQUE) continue;
    for (int64_t i = 0; i < column->length; i++) {
      text.size = 0;
      CHECK(mm_column_text(column, i, &text, NULL) >= 0);
      if (column->type.id == MM_UTF8) CHECK(column_is_null(column, i) || mm_utf8_invalid(text.data, text.size) < 0);
      CHECK(column_compare(column, i, column, i) == 0);
    }
  }
  mm_buffer_free(&text);
}

static void export_again(const mm_schema *schema, const mm_batch *batch) {
  struct ArrowSchema out_schema = {0};
  struct ArrowArray out = {0};
  mm_error error = {0};
  if (mm_arrow_export_schema(schema, &out_schema, &error) < 0) return; /* a zone may be too long */
  CHECK(mm_arrow_export_batch(schema, batch, &out, &error) >= 0);
  CHECK(out.length == batch->length);
  out.release(&out);
  out_schema.release(&out_schema);
}

/* The first of each row, through a job. */
static void take_distinct(const mm_schema *schema, const mm_batch *batch) {
  mm_table table = {0}, result = {0};
  mm_batch copy = {0};
  mm_error error = {0};
  CHECK(mm_schema_copy(&table.schema, schema, NULL) >= 0 && mm_batch_copy(&copy, batch, NULL) >= 0);
  CHECK(mm_table_append(&table, &copy, NULL) >= 0);
  mm_job *job = mm_job_new(mm_source_table(&table, NULL), &(mm_job_options){.threads = 1}, &error);
  mm_table_free(&table);
  int status = mm_job_add(job, mm_stage_distinct(NULL, 0, NULL), &error);
  if (status >= 0) status = mm_job_add(job, mm_sink_table(-1, NULL), &error);
  if (status >= 0) status = mm_job_run(job, &error);
  if (status >= 0) CHECK(mm_job_take_result(job, &result, NULL, NULL) >= 0 && result.rows <= batch->length);
  CHECK(status >= 0 || error.message[0]);
  mm_job_free(job);
  mm_table_free(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct ArrowSchema schema;
  struct ArrowArray array;
  mm_schema taken = {0};
  mm_batch batch = {0};
  mm_error error = {0};
  at = bytes, end = bytes + size;
  released = 0;
  make_schema(&schema, 0);
  make_array(&array, &schema, 0, 0);
  bool known = mm_arrow_import_schema(&schema, &taken, &error) >= 0;
  CHECK(known || error.message[0]);
  error = (mm_error){0};
  int status = mm_arrow_import_batch(&schema, &array, &batch, &error);
  CHECK(!array.release && (status >= 0 || (error.message[0] && released == 1)));
  if (status >= 0) {
    CHECK(known);
    read_values(&batch);
    export_again(&taken, &batch);
    if (batch.count) take_distinct(&taken, &batch);
  }
  mm_batch_free(&batch);
  mm_schema_free(&taken);
  CHECK(released == 1);
  free_all(&schema_memory);
  return 0;
}
