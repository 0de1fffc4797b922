/* moonmill.h - what a program uses: data, files, jobs, plans, the store. LuaJIT reads this file too: every line is
 * plain C or starts with '#'.
 *
 * Order of reading: errors, memory, types, columns and batches, Arrow, both ends of a job, files, jobs, plans, the
 * store. What jobs are made of (programs, stages, sources) and the services of the host stand in stage.h. A call that
 * can fail returns int: negative an MM_E* status, 0 done or end, positive yes or more; its last argument is an mm_error
 * to fill in (NULL is allowed). `init`/`free`: memory belongs to the struct, the struct to the caller.
 * `retain`/`release`: shared, counted. `take`: the argument is emptied. A struct of zero bytes is always valid and
 * empty. Lengths and offsets are int64_t.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#pragma GCC visibility push(default)

/* ---- Version ---- */

enum { MM_VERSION = 100 }; /* 0.1.0, as major * 10000 + minor * 100 + patch */
int mm_version(void);

/* ---- Errors ---- */

/* Negated, a status is the exit code of the command. */
enum {
  MM_OK = 0,
  MM_EDATA = -1,    /* bad input data: ragged row, number that does not fit, overflow at a row */
  MM_EUSAGE = -2,   /* bad option, expression, stage or column name */
  MM_EIO = -3,      /* open, read, write, fsync, rename */
  MM_ELIMIT = -4,   /* a time, memory or size limit was reached */
  MM_ESCRIPT = -5,  /* an error raised by a script's own Lua code */
  MM_ENOMEM = -6,
  MM_ESTATE = -8,   /* a call out of order */
  MM_ECANCEL = -9,  /* the job was cancelled */
  MM_EBUG = -70
};

/* What failures call a status ("data", "usage", "io" ...), and with what the command then exits. */
typedef struct mm_status {
  int32_t     code;      /* MM_E* */
  int32_t     exit_code;
  const char *kind;
} mm_status;
const mm_status *mm_status_at(int32_t index);  /* one after the other; NULL beyond the last */
const char      *mm_status_kind(int32_t code); /* "bug" for a code that is none */

/* Filled in by a call that returned a negative status. All zero means no error. */
typedef struct mm_error {
  int32_t code;       /* MM_E* */
  int32_t stage;      /* index of the stage in its job, -1 when none; set by the engine */
  int32_t place;      /* mm_instr.place of the operation that failed, -1 when none */
  int32_t reserved;
  int64_t row;        /* row of the segment's input, from 0; -1 when none */
  int64_t line;       /* of the input file, from 1; 0 when none */
  int64_t column;     /* byte of that line, from 1; 0 when none */
  char    id[24];     /* kind, for programs: "bad-number", "overflow" */
  char    file[512];  /* input file, "" when none; cut at its front when longer */
  char    field[128]; /* name of the column, "" when none */
  char    value[128]; /* the offending value as text, shortened */
  char    message[512]; /* what went wrong, what was expected; no place, no hint */
  char    hint[256];  /* one suggestion, or "" */
  char    frames[1024]; /* of an error in a script's function: "file\tline\tfunction\n" each, innermost first */
} mm_error;

/* ---- The processor ---- */

const char *mm_isa_name(void);   /* "base", "avx2", "avx512": the kernels in use */
/* 0, or MM_EUSAGE where the environment's MM_ISA names no instruction set, or one that this processor lacks. Programs
 * and jobs are refused then; a host may ask earlier. */
int         mm_isa_check(mm_error *error);

/* ---- Memory ---- */

/* Limit of bytes held through the allocator by this process; 0 removes it. Reaching it is MM_ENOMEM, "memory-limit". */
void    mm_memory_limit(int64_t bytes);
int64_t mm_memory_limit_now(void); /* 0: none */
int64_t mm_memory_used(void); /* bytes held now, without recycled blocks */
int64_t mm_memory_peak(void);
int64_t mm_memory_kept(void); /* bytes of recycled blocks */
void    mm_memory_trim(void); /* give recycled blocks back to the system */

/* Count bytes that the caller gets elsewhere against the limit; false: they do not fit. Unreserve them when they are
 * gone. `mm_memory_reserved` is the sum of them, which `mm_memory_used` contains. */
bool    mm_memory_reserve(int64_t bytes);
void    mm_memory_unreserve(int64_t bytes);
int64_t mm_memory_reserved(void);
/* Fill in `error` (unless NULL): no memory for `bytes` more, because of the limit or of the system. MM_ENOMEM. */
int     mm_memory_fail(int64_t bytes, bool limited, mm_error *error);

/* Bytes owned by this struct, 64-byte aligned. All zero means empty. */
typedef struct mm_buffer {
  uint8_t *data;     /* NULL only while capacity is 0 */
  int64_t  size;     /* bytes in use */
  int64_t  capacity; /* bytes allocated */
} mm_buffer;

/* Make room for `extra` more bytes; capacity at least doubles. On failure the buffer is unchanged. */
int  mm_buffer_reserve(mm_buffer *buffer, int64_t extra, mm_error *error);
int  mm_buffer_append(mm_buffer *buffer, const void *bytes, int64_t size, mm_error *error);
void mm_buffer_free(mm_buffer *buffer); /* safe on an empty one */

/* Bytes shared by columns, counted atomically. `data` has at least 64 readable bytes of padding after `size`
 * unless the block is foreign. Blocks of 2 MiB and more are recycled when released. */
typedef struct mm_block mm_block;
mm_block *mm_block_new(int64_t size, mm_error *error); /* one reference, contents undefined; NULL on failure */
/* A block over somebody else's bytes. `release(owner)` is called once, by whoever drops the last reference. */
mm_block *mm_block_foreign(const void *data, int64_t size, void *owner, void (*release)(void *owner), mm_error *error);
/* A block that owns what the buffer held; the buffer is emptied. */
mm_block *mm_block_take(mm_buffer *buffer, mm_error *error);
void      mm_block_retain(mm_block *block); /* NULL is allowed */
void      mm_block_release(mm_block *block);
uint8_t  *mm_block_data(const mm_block *block);
int64_t   mm_block_size(const mm_block *block);
bool      mm_block_sole(const mm_block *block); /* one reference and ours: it may be written */

/* ---- Types ---- */

enum {
  MM_NULL, MM_BOOL, MM_I8, MM_I16, MM_I32, MM_I64, MM_U8, MM_U16, MM_U32, MM_U64, MM_F32, MM_F64,
  MM_UTF8, MM_BINARY,
  MM_DATE,      /* i32 days since 1970-01-01 */
  MM_TIMESTAMP, /* i64 units since 1970-01-01T00:00:00Z */
  MM_DURATION,  /* i64 units */
  MM_OPAQUE,    /* a foreign type that is passed through untouched */
  MM_TYPE_COUNT
};
enum { MM_SECONDS, MM_MILLIS, MM_MICROS, MM_NANOS }; /* mm_type.unit of timestamps and durations */

/* A type is a value of 4 bytes. `zone` counts interned zone names; 0 is UTC unsaid. */
typedef struct mm_type { uint8_t id; uint8_t unit; uint16_t zone; } mm_type;

/* "i64", "timestamp(us, Europe/Paris)"; returns text. */
const char *mm_type_name(mm_type type, char *text, int64_t size);
/* Of "utf8", "timestamp", "timestamp(ms)"; and of the name of a foreign type that data had. */
int         mm_type_parse(const char *text, mm_type *type, mm_error *error);
int64_t     mm_type_width(mm_type type); /* bytes of a value; 0 for bool, utf8, binary, null, opaque */
int         mm_zone_intern(const char *name, mm_error *error); /* number of a zone, or a negative status */
const char *mm_zone_name(int zone); /* "" for 0 */
/* Bytes in use for names of zones and descriptions of foreign types, which are numbered once and never forgotten. */
int64_t     mm_types_bytes(void);

typedef struct mm_field {
  char   *name; /* owned by the schema */
  mm_type type;
  bool    nullable;
} mm_field;

typedef struct mm_schema {
  mm_field *fields;
  int32_t   count;
  int32_t   capacity;
  int32_t  *slots;      /* hash table of numbers by name, twice `capacity` long; NULL while there are few fields */
} mm_schema;

int  mm_schema_add(mm_schema *schema, const char *name, mm_type type, bool nullable, mm_error *error);
int  mm_schema_find(const mm_schema *schema, const char *name); /* index, or -1 */
int  mm_schema_copy(mm_schema *to, const mm_schema *from, mm_error *error); /* `to` must be empty */
void mm_schema_free(mm_schema *schema);

/* ---- Columns and batches: Arrow's layout ---- */

/* Values of one type. Row 0 is bit 0 of `valid` and of a bool's `data`; both start on a byte, and may be read as whole
 * 64-bit words up to the word of the last row. Blocks own what the pointers show; NULL blocks mean borrowed. */
typedef struct mm_column {
  mm_type         type;
  int32_t         reserved;
  int64_t         length;
  const uint64_t *valid;   /* bit set: not null. NULL: no nulls */
  const void     *data;    /* values; bits of a bool; bytes of utf8 and binary. NULL for MM_NULL */
  const int32_t  *offsets; /* utf8, binary: length + 1 offsets into data */
  mm_block       *valid_block, *data_block, *offsets_block;
} mm_column;

/* Columns of equal length. The names stand in the schema that goes with a batch. */
typedef struct mm_batch {
  mm_column     *columns;
  int32_t        count;
  int32_t        capacity;
  int64_t        length;
  int64_t        row;     /* number, in the segment's input, of the row that origin offsets count from */
  const int32_t *origin;  /* row i was input row `row + origin[i]`; NULL: `row + i` */
  mm_block      *origin_block;
  /* Rows that count, a bit each, for stages that take that (MM_STAGE_SELECTED); borrowed; NULL: all. */
  const uint64_t *selected;
  int64_t        passed;    /* how many of them, where `selected` is there */
} mm_batch;

void mm_column_retain(mm_column *column);  /* its blocks */
void mm_column_release(mm_column *column); /* and leave it zero */
/* Any start; shares. */
int  mm_column_slice(mm_column *to, const mm_column *from, int64_t start, int64_t length, mm_error *error);
int64_t mm_column_null_count(const mm_column *column);
/* Append the value of a row as text, as CSV would write it without quoting; nothing for null. */
int  mm_column_text(const mm_column *column, int64_t row, mm_buffer *text, mm_error *error);

/* Release what it holds, make room for zero columns. */
int  mm_batch_resize(mm_batch *batch, int32_t columns, mm_error *error);
void mm_batch_free(mm_batch *batch);
/* Shares; keeps row numbers. */
int  mm_batch_slice(mm_batch *to, const mm_batch *from, int64_t start, int64_t length, mm_error *error);
int  mm_batch_copy(mm_batch *to, const mm_batch *from, mm_error *error); /* shares all blocks */
int64_t mm_batch_row(const mm_batch *batch, int64_t index); /* input row number of a row */
/* A column of `length` rows with room for values: valid (all set) when nullable, data, offsets. Blocks are fresh. */
int  mm_column_make(mm_column *column, mm_type type, int64_t length, int64_t text_bytes, bool nullable,
                    mm_error *error);
/* One column out of parts of equal type, in order. Shares when there is one part, or parts are neighbouring slices;
 * else copies. */
int  mm_column_concat(mm_column *to, const mm_column *const *parts, int64_t count, mm_error *error);
/* The first byte that is not part of valid UTF-8, or -1. */
int64_t mm_utf8_invalid(const uint8_t *bytes, int64_t size);
/* Rows `index[0..count)` of a column, in that order; -1 gives null. Copies. */
int  mm_column_take(mm_column *to, const mm_column *from, const int64_t *index, int64_t count, mm_error *error);

/* An ordered list of batches of one schema. */
typedef struct mm_table {
  mm_schema schema;
  mm_batch *batches;
  int64_t   count;
  int64_t   capacity;
  int64_t   rows;
} mm_table;

int  mm_table_append(mm_table *table, mm_batch *take, mm_error *error);
void mm_table_free(mm_table *table);

/* ---- Arrow C data interface ---- */

struct ArrowSchema;
struct ArrowArray;
/* Export: each call fills an empty struct whose release callback drops our references. The batch becomes a struct
 * array. */
int mm_arrow_export_schema(const mm_schema *schema, struct ArrowSchema *to, mm_error *error);
int mm_arrow_export_batch(const mm_schema *schema, const mm_batch *batch, struct ArrowArray *to, mm_error *error);
/* Import: the struct array is emptied (moved); its release runs when the last column that views it is released.
 * Slices, dictionaries, large text and text views are taken; offsets and bits are realigned where they must be. */
int mm_arrow_import_schema(const struct ArrowSchema *from, mm_schema *to, mm_error *error);
int mm_arrow_import_batch(const struct ArrowSchema *schema, struct ArrowArray *take, mm_batch *to, mm_error *error);

/* ---- Both ends of a job ---- */

typedef struct mm_job mm_job;
typedef struct mm_source mm_source; /* where rows come from: a table, files, or what stage.h lets one write */
typedef struct mm_stage mm_stage;   /* what is done with them; the last one is a sink, where they go */

/* Batches in memory, shared, not copied. The table may be freed right after. */
mm_source *mm_source_table(const mm_table *table, mm_error *error);
void       mm_source_free(mm_source *source); /* for sources not given to a job */
void       mm_stage_free(mm_stage *stage); /* for stages not given to a job; NULL is allowed */
/* Keep batches for mm_job_take_result; at most `rows` rows are kept, all are counted. -1: all. */
mm_stage *mm_sink_table(int64_t rows, mm_error *error);

/* Write the rows into memory of the caller: to[i] (borrowed while the job lives) is as long as the result and shows
 * where column i goes: data, and valid where it may have nulls; no text. data NULL: the column is not wanted. For
 * results that keep the rows of an input in memory; stages compute straight into it where they can. `in_place`: it is
 * memory of the input, so that batches which fail or are cancelled stay as they were. A null in a column without
 * `valid` is an error at its row. */
mm_stage *mm_sink_into(const mm_column *to, int32_t count, bool in_place, mm_error *error);

/* ---- Files ---- */

/* An option of a format, as text: { "delimiter", ";", 1 }. One that takes several texts is given again for each. */
typedef struct mm_option { const char *key; const char *value; int64_t size; } mm_option;

typedef struct mm_input_options {
  const char *format;      /* its name; NULL: found by content */
  const mm_option *options; /* for reading, of the format; mm_read_option lists them */
  int32_t     option_count;
  int32_t     sample_rows; /* for type inference; 0: 10000 */
  int32_t     chunk;       /* bytes read at a time; 0: 256 KiB. Results do not depend on it */
  int64_t     open_timeout;    /* ms that opening may take; 0: no timeout */
  /* Called every few milliseconds while files are opened and looked at, on that thread: any answer but 0 ends it; or
   * NULL. */
  int       (*interrupt)(void *context);
  void       *context;
  /* Bytes in memory that are read instead of files, one for each path, which then only names it; or NULL. */
  mm_block *const *blocks;
} mm_input_options;

/* Files opened for reading one after the other as one table; "-" is stdin. Compression is found by
 * content, as the format is unless it is named. */
typedef struct mm_input mm_input;
int  mm_input_open(const char *const *paths, int32_t count, const mm_input_options *options, mm_input **input,
                   mm_error *error);
/* All columns of the first file, with types inferred from a sample. Valid while the input lives. */
const mm_schema *mm_input_schema(const mm_input *input);
/* Rows that the types were inferred from; *all: there are no others. And whether a column of theirs had nulls. For an
 * input that has not become a source. */
int64_t mm_input_sampled(const mm_input *input, bool *all);
bool    mm_input_sampled_null(const mm_input *input, int32_t column);
const char *mm_input_format(const mm_input *input); /* "csv", "tsv", with ".zst" when compressed */
/* Become a source of the named columns, with these types; takes the input. A non-nullable column refuses nulls. */
mm_source *mm_input_source(mm_input *take, const mm_schema *columns, mm_error *error);
void mm_input_free(mm_input *input);

typedef struct mm_output_options {
  const mm_option *options; /* for writing, of the format */
  int32_t     option_count;
  int32_t     level;     /* of zstd; 0: 3 */
  const char *const *inputs; /* refused as output, by device and inode */
  int32_t     input_count;
  int32_t     reserved;
  int64_t     open_timeout;  /* ms to wait for a reader of a named pipe; 0: no timeout */
  int       (*interrupt)(void *context); /* called meanwhile, as that of mm_input_options; or NULL */
  void       *context;
} mm_output_options;
/* Write to `path` ("-": stdout) through a temporary file, fsync and rename. `format` is the name of one, or NULL: by
 * the end of the path, CSV where that says nothing; ".zst" behind it compresses. The file appears only when the job has
 * succeeded. What leads to a descriptor of this process, a pipe, a socket or a device is written in place. Temporary
 * files that dead processes left for this output are removed. */
mm_stage *mm_sink_file(const char *path, const char *format, const mm_output_options *options, mm_error *error);
/* For a process that ends while a cancelled job has not stopped: remove the temporary file of any sink. From any thread
 * and in a signal handler, also while the sink is in use; its file will not appear. */
void      mm_sink_abandon(mm_stage *sink);

/* ---- Jobs ---- */

typedef struct mm_progress {
  int64_t rows;        /* read so far */
  int64_t bytes;       /* of input consumed, as stored */
  int64_t bytes_total; /* of input, as stored; -1 when unknown */
  int64_t rows_out;
  int64_t morsels;
  int32_t stage;       /* first stage of the segment that runs */
  int32_t state;       /* MM_JOB_* */
} mm_progress;

typedef struct mm_job_options {
  int32_t threads;    /* 0: as many as processors this process may use */
  int32_t batch_rows; /* rows a stage sees at a time, multiple of 64; 0: as the stages of a segment like, else 16384 */
  uint64_t seed;
} mm_job_options;

enum { MM_JOB_NEW, MM_JOB_RUNNING, MM_JOB_DONE, MM_JOB_FAILED, MM_JOB_CANCELLED };

int32_t mm_processors(void); /* that this process may use */
mm_job *mm_job_new(mm_source *take, const mm_job_options *options, mm_error *error);
int  mm_job_add(mm_job *job, mm_stage *take, mm_error *error); /* in order; the last must break (a sink) */
int  mm_job_start(mm_job *job, mm_error *error);
/* 1: still running after `timeout_ms` (negative: wait for ever), 0: done, negative: failed or cancelled. */
int  mm_job_wait(mm_job *job, int32_t timeout_ms, mm_error *error);
/* Ask it to stop; `code` is MM_ECANCEL or MM_ELIMIT (time). Safe in a signal handler and from any thread. */
void mm_job_cancel(mm_job *job, int32_t code);
void mm_job_progress(mm_job *job, mm_progress *progress);
uint64_t mm_job_seed(const mm_job *job);
/* The store as it was when the job started, until it ends; empty where no stage has MM_STAGE_STORE. */
const struct mm_store *mm_job_store(const mm_job *job);
/* 0, or -1 when there is none. */
int  mm_job_stage_rows(const mm_job *job, int32_t stage, int64_t *rows_in, int64_t *rows_out);
/* What mm_sink_table kept, and how many rows reached it; the table must be empty. */
int  mm_job_take_result(mm_job *job, mm_table *result, int64_t *total_rows, mm_error *error);
void mm_job_free(mm_job *job); /* cancels and waits when it runs */
/* Instead of start and wait: run it on the calling thread alone. For little work that comes to an end by itself. */
int  mm_job_run(mm_job *job, mm_error *error);

/* ---- Plans: stages from which jobs are made again and again, by any threads ---- */

typedef struct mm_plan mm_plan; /* counted, immutable once jobs are made */
/* `reads` (copied): the columns that a source must give, in order. One reference. */
mm_plan *mm_plan_new(const mm_schema *reads, mm_error *error);
int      mm_plan_add(mm_plan *plan, mm_stage *take, mm_error *error); /* in order; no sinks */
void     mm_plan_retain(mm_plan *plan);
void     mm_plan_release(mm_plan *plan); /* NULL is allowed */
const mm_schema *mm_plan_reads(const mm_plan *plan);
const mm_schema *mm_plan_gives(const mm_plan *plan);
/* MM_STAGE_KEEPS_ROWS when all stages keep rows, MM_STAGE_CAN_FAIL when one can, MM_STAGE_USER_CODE likewise,
 * MM_STAGE_BREAKER when one breaks. */
int32_t  mm_plan_flags(const mm_plan *plan);
/* The column read that is column `column` of the result, untouched, or -1. */
int32_t  mm_plan_shares(const mm_plan *plan, int32_t column);
/* Without a sink. */
mm_job  *mm_plan_job(const mm_plan *plan, mm_source *take, const mm_job_options *options, mm_error *error);

/* ---- The store: named columns kept in this process between jobs ---- */

/* The store at one moment, its names in order of bytes. Counted; it never changes. NULL is an empty one. Any thread. */
typedef struct mm_store mm_store;

typedef struct mm_store_entry {
  const char      *name;   /* this and the column live as long as the snapshot */
  const mm_column *column;
  int64_t          bytes;  /* of its values */
  int64_t          users;  /* who holds it now beside this name: columns, views, buffers, snapshots of jobs */
} mm_store_entry;

/* Keep a column under a name, in place of what had that name. Its blocks are shared: nobody may write to them from now
 * on. */
int  mm_store_put(const char *name, const mm_column *column, mm_error *error);
/* 1 and the column, which shares the blocks; 0: there is none. */
int  mm_store_get(const char *name, mm_column *column);
/* 1; 0: there is none. The memory is freed when its last user lets go. */
int  mm_store_drop(const char *name, mm_error *error);
void mm_store_clear(void);
int64_t mm_store_bytes(void);

mm_store *mm_store_snapshot(void);
void      mm_store_release(mm_store *snapshot);
int64_t   mm_store_count(const mm_store *snapshot);
int64_t   mm_store_find(const mm_store *snapshot, const char *name); /* index, or -1 */
void      mm_store_at(const mm_store *snapshot, int64_t index, mm_store_entry *entry); /* 0 <= index < count */

#pragma GCC visibility pop
