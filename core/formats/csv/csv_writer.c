/* csv_writer.c - the sink that writes CSV: workers turn batches into text and compress it, folds write it in order.
 *
 * DESIGN. A morsel's text becomes zstd frames of its own when it is long; short ones are gathered until they make a
 * frame worth having. What a frame holds depends on the rows alone, so the bytes written do not depend on threads.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_writer.h"
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "io/atomic_file.h"
#include "io/path_ending.h"
#include "io/zstd_encoder.h"
#include "text/datetime.h"
#include "text/float.h"
#include "text/integer.h"
#include "types/type.h"
#include <stdatomic.h>
#include <string.h>

enum { NUMBER_ROOM = 48, FRAME_TEXT = 512 << 10 };

typedef struct csv_sink {
  mm_stage base;
  mm_schema schema; /* what comes in */
  atomic_file output;
  zstd_encoder *encoder; /* of folds; NULL: no compression */
  mm_buffer text;        /* gathered for a frame; the header at first */
  mm_buffer frame;
  char *null;
  int64_t null_size;
  int level;
  bool compress, no_header;
  char delimiter;
  bool special[256]; /* bytes that make quotes necessary */
} csv_sink;

typedef struct csv_local {
  mm_buffer text;
  zstd_encoder *encoder;
} csv_local;

/* The text of a morsel, or a frame of it. */
typedef struct csv_partial {
  mm_buffer bytes;
  bool framed;
} csv_partial;

/* ---- Text ---- */

/* Room must be there: 2 * size + 2 bytes. */
static int64_t put_text(const csv_sink *sink, uint8_t *to, const uint8_t *text, int64_t size) {
  bool quote = size == sink->null_size && memcmp(text, sink->null, (size_t)size) == 0; /* it is not null */
  quote |= size == 0;
  for (int64_t i = 0; i < size && !quote; i++) quote = sink->special[text[i]];
  if (!quote) {
    memcpy(to, text, (size_t)size);
    return size;
  }
  int64_t n = 0;
  to[n++] = '"';
  for (int64_t i = 0; i < size; i++) {
    if (text[i] == '"') to[n++] = '"';
    to[n++] = text[i];
  }
  to[n++] = '"';
  return n;
}

static int put_bool(char *to, bool value) {
  memcpy(to, value ? "true" : "false", 5);
  return value ? 4 : 5;
}

static int put_value(char *to, const mm_column *column, int64_t row) {
  switch (column->type.id) {
  case MM_I8: return format_i64(to, ((const int8_t *)column->data)[row]);
  case MM_I16: return format_i64(to, ((const int16_t *)column->data)[row]);
  case MM_I32: return format_i64(to, ((const int32_t *)column->data)[row]);
  case MM_I64: return format_i64(to, ((const int64_t *)column->data)[row]);
  case MM_U8: return format_u64(to, ((const uint8_t *)column->data)[row]);
  case MM_U16: return format_u64(to, ((const uint16_t *)column->data)[row]);
  case MM_U32: return format_u64(to, ((const uint32_t *)column->data)[row]);
  case MM_U64: return format_u64(to, ((const uint64_t *)column->data)[row]);
  case MM_F32: return format_f32(to, ((const float *)column->data)[row]);
  case MM_F64: return format_f64(to, ((const double *)column->data)[row]);
  case MM_DATE: return format_date(to, ((const int32_t *)column->data)[row]);
  case MM_BOOL: return put_bool(to, bit_get(column->data, row));
  case MM_TIMESTAMP: return format_timestamp(to, ((const int64_t *)column->data)[row], column->type.unit);
  case MM_DURATION: return format_duration(to, ((const int64_t *)column->data)[row], column->type.unit);
  default: return 0;
  }
}

/* A number may hold the delimiter ("1-2" by '-', "1.5" by '.') or look like null. */
static int64_t put_field(const csv_sink *sink, uint8_t *to, const mm_column *column, int64_t row) {
  if (column->type.id == MM_NULL || (column->valid && !bit_get(column->valid, row))) {
    memcpy(to, sink->null, (size_t)sink->null_size);
    return sink->null_size;
  }
  if (type_is_text(column->type.id)) {
    const int32_t *offsets = column->offsets + row;
    return put_text(sink, to, (const uint8_t *)column->data + offsets[0], offsets[1] - offsets[0]);
  }
  char number[NUMBER_ROOM];
  int size = put_value(number, column, row);
  return put_text(sink, to, (const uint8_t *)number, size);
}

/* Bytes that the text columns of a row take at most. */
static int64_t row_room(const mm_batch *batch, int64_t row, int64_t fixed) {
  int64_t room = fixed;
  for (int32_t i = 0; i < batch->count; i++)
    if (type_is_text(batch->columns[i].type.id))
      room += 2 * (int64_t)(batch->columns[i].offsets[row + 1] - batch->columns[i].offsets[row]);
  return room;
}

static int put_row(const csv_sink *sink, mm_buffer *text, const mm_batch *batch, int64_t row, int64_t fixed,
                   mm_error *error) {
  TRY(mm_buffer_reserve(text, row_room(batch, row, fixed), error));
  uint8_t *to = text->data + text->size;
  for (int32_t i = 0; i < batch->count; i++) {
    to += put_field(sink, to, &batch->columns[i], row);
    *to++ = i + 1 < batch->count ? (uint8_t)sink->delimiter : '\n';
  }
  text->size = to - text->data;
  return 0;
}

static int put_header(csv_sink *sink, mm_error *error) {
  if (sink->no_header) return 0;
  for (int32_t i = 0; i < sink->schema.count; i++) {
    const char *name = sink->schema.fields[i].name;
    int64_t size = (int64_t)strlen(name);
    TRY(mm_buffer_reserve(&sink->text, 2 * size + 3, error));
    sink->text.size += put_text(sink, sink->text.data + sink->text.size, (const uint8_t *)name, size);
    sink->text.data[sink->text.size++] = i + 1 < sink->schema.count ? (uint8_t)sink->delimiter : '\n';
  }
  return 0;
}

/* ---- The stage ---- */

static int sink_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  csv_sink *sink = (csv_sink *)stage;
  TRY(mm_schema_copy(&sink->schema, in, error));
  for (int32_t i = 0; i < in->count; i++)
    if (in->fields[i].type.id == MM_OPAQUE)
      return error_fail(error, MM_EUSAGE, "bad-type", "column \"%.100s\" has a type that cannot be written as CSV",
                        in->fields[i].name);
  return put_header(sink, error);
}

static int sink_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)job;
  const csv_sink *sink = (const csv_sink *)stage;
  csv_local *made = memory_allocate_zero(sizeof *made);
  if (!made) return error_fail_memory(error, sizeof *made);
  if (sink->compress && !(made->encoder = zstd_encoder_new(sink->level, error))) {
    memory_release(made, sizeof *made);
    return MM_ENOMEM;
  }
  *local = made;
  return 0;
}

static void sink_close(mm_stage *stage, void *local) {
  (void)stage;
  csv_local *l = local;
  if (!l) return;
  mm_buffer_free(&l->text);
  zstd_encoder_free(l->encoder);
  memory_release(l, sizeof *l);
}

static int sink_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)out;
  const csv_sink *sink = (const csv_sink *)stage;
  csv_local *l = local;
  int64_t field = NUMBER_ROOM > sink->null_size ? NUMBER_ROOM : sink->null_size;
  for (int64_t row = 0; row < in->length; row++) TRY(put_row(sink, &l->text, in, row, in->count * (field + 3), error));
  return 0;
}

static void partial_free(csv_partial *partial) {
  mm_buffer_free(&partial->bytes);
  memory_release(partial, sizeof *partial);
}

static int sink_cut(mm_stage *stage, void *local, void **result, mm_error *error) {
  (void)stage;
  csv_local *l = local;
  if (l->text.size == 0) return 0;
  csv_partial *partial = memory_allocate_zero(sizeof *partial);
  if (!partial) return error_fail_memory(error, sizeof *partial);
  partial->framed = l->encoder && l->text.size >= FRAME_TEXT;
  if (partial->framed) {
    int status = zstd_encoder_frame(l->encoder, l->text.data, l->text.size, &partial->bytes, error);
    if (status < 0) {
      partial_free(partial);
      return status;
    }
    l->text.size = 0;
  } else {
    partial->bytes = l->text;
    l->text = (mm_buffer){0};
  }
  *result = partial;
  return 0;
}

/* Write what was gathered: as it is, or as a frame. */
static int flush(csv_sink *sink, mm_error *error) {
  const mm_buffer *bytes = &sink->text;
  if (sink->text.size > 0 && sink->encoder) {
    sink->frame.size = 0;
    TRY(zstd_encoder_frame(sink->encoder, sink->text.data, sink->text.size, &sink->frame, error));
    bytes = &sink->frame;
  }
  TRY(atomic_file_write(&sink->output, bytes->data, sink->text.size ? bytes->size : 0, error));
  sink->text.size = 0;
  return 0;
}

static int take_partial(csv_sink *sink, const csv_partial *partial, mm_error *error) {
  if (sink->encoder && !partial->framed) {
    TRY(mm_buffer_append(&sink->text, partial->bytes.data, partial->bytes.size, error));
    return sink->text.size >= FRAME_TEXT ? flush(sink, error) : 0;
  }
  TRY(flush(sink, error));
  return atomic_file_write(&sink->output, partial->bytes.data, partial->bytes.size, error);
}

static int sink_fold(mm_stage *stage, void *partial, mm_error *error) {
  int status = take_partial((csv_sink *)stage, partial, error);
  partial_free(partial);
  return status;
}

static void sink_drop(mm_stage *stage, void *partial) {
  (void)stage;
  partial_free(partial);
}

static int sink_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  (void)job, (void)out;
  csv_sink *sink = (csv_sink *)stage;
  TRY(flush(sink, error));
  /* No rows and no header: still a file that can be decompressed. */
  if (sink->encoder && sink->output.written == 0) {
    TRY(zstd_encoder_frame(sink->encoder, (const uint8_t *)"", 0, &sink->frame, error));
    TRY(atomic_file_write(&sink->output, sink->frame.data, sink->frame.size, error));
  }
  return atomic_file_commit(&sink->output, error);
}

/* A write that waits for the reader of a pipe returns. */
static void sink_interrupt(mm_stage *stage) { atomic_store(&((csv_sink *)stage)->output.wait.stop, true); }

static void sink_abandon(mm_stage *stage) { atomic_file_abandon(&((csv_sink *)stage)->output); }

static void sink_free(mm_stage *stage) {
  csv_sink *sink = (csv_sink *)stage;
  atomic_file_free(&sink->output);
  zstd_encoder_free(sink->encoder);
  mm_buffer_free(&sink->text);
  mm_buffer_free(&sink->frame);
  if (sink->null) memory_release(sink->null, sink->null_size + 1);
  mm_schema_free(&sink->schema);
  mm_schema_free(&stage->out);
  memory_release(sink, sizeof *sink);
}

static const mm_stage_class csv_sink_class = {.name = "csv",
                                              .flags = MM_STAGE_BREAKER,
                                              .bind = sink_bind,
                                              .open = sink_open,
                                              .close = sink_close,
                                              .run = sink_run,
                                              .cut = sink_cut,
                                              .fold = sink_fold,
                                              .drop = sink_drop,
                                              .finish = sink_finish,
                                              .interrupt = sink_interrupt,
                                              .abandon = sink_abandon,
                                              .free = sink_free};

/* ---- Options for writing ---- */

typedef struct csv_write_options {
  int32_t delimiter; /* 0: by name: tab for .tsv, else ',' */
  bool header;
  char *null; /* text written for null */
} csv_write_options;

static const mm_option_info write_options[] = {
    {"delimiter", "Field separator: a character, or tab. Default: by the name.", MM_OPTION_CHARACTER,
     .offset = offsetof(csv_write_options, delimiter), .id = "bad-delimiter"},
    {"header", "Leave out the line with the names of the columns.", MM_OPTION_SWITCH,
     .offset = offsetof(csv_write_options, header), .fallback = "true"},
    {"null", "The text for null. Default: none.", MM_OPTION_TEXT, .offset = offsetof(csv_write_options, null),
     .fallback = "", .id = "bad-null"},
};
const mm_option_table csv_writing = {
    .list = write_options, .count = sizeof write_options / sizeof *write_options, .size = sizeof(csv_write_options)};

static int set_up(csv_sink *sink, const char *path, const csv_write_options *o, const mm_output_options *output,
                  mm_error *error) {
  sink->compress = path_is_zstd(path);
  sink->delimiter = o->delimiter ? (char)o->delimiter : path_ends(path, ".tsv") || path_ends(path, ".tab") ? '\t' : ',';
  sink->no_header = !o->header;
  sink->level = output ? output->level : 0;
  for (const char *at = "\"\n\r"; *at; at++) sink->special[(uint8_t)*at] = true;
  if (sink->special[(uint8_t)sink->delimiter])
    return error_fail(error, MM_EUSAGE, "bad-delimiter", "the delimiter cannot be a quote or a line end");
  sink->special[(uint8_t)sink->delimiter] = true;
  for (const char *at = o->null; *at; at++)
    if (sink->special[(uint8_t)*at])
      return error_fail(error, MM_EUSAGE, "bad-null",
                        "the text for null cannot hold the delimiter, a quote or a line end");
  if (!(sink->null = memory_copy_text(o->null))) return error_fail_memory(error, (int64_t)strlen(o->null) + 1);
  sink->null_size = (int64_t)strlen(o->null);
  if (sink->compress && !(sink->encoder = zstd_encoder_new(sink->level, error))) return MM_ENOMEM;
  return atomic_file_open(&sink->output, path, output, error);
}

mm_stage *csv_sink_new(const char *path, const void *options, const mm_output_options *output, mm_error *error) {
  csv_sink *sink = memory_allocate_zero(sizeof *sink);
  if (!sink) {
    error_fail_memory(error, sizeof *sink);
    return NULL;
  }
  sink->base.vtable = &csv_sink_class;
  sink->base.flags = csv_sink_class.flags;
  sink->output.fd = -1;
  if (set_up(sink, path, options, output, error) >= 0) return &sink->base;
  sink_free(&sink->base);
  return NULL;
}
