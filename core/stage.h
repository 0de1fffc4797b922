/* stage.h - what jobs are made of: services of the host, vector programs, stages, sources and formats. For those who
 * plan jobs or write stages; moonmill.h says how to read it, and the same laws hold: LuaJIT reads this file too.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#pragma GCC visibility push(default)

/* ---- Services of the host: every allocation, file operation and thread of the core goes through these ---- */

/* `size` is what was asked for; memory from `allocate` is 64-byte aligned. NULL means out of memory. */
typedef struct mm_allocator {
  void *self;
  void *(*allocate)(void *self, int64_t size);
  void *(*resize)(void *self, void *memory, int64_t old_size, int64_t new_size);
  void  (*release)(void *self, void *memory, int64_t size);
} mm_allocator;

typedef struct mm_file_status {
  int64_t  size;        /* bytes; -1 when it is not a regular file, or one of a file system that does not know */
  int64_t  at;          /* of a regular file by its descriptor: where the next read begins; else 0 */
  uint64_t device, inode;
  int32_t  is_directory;
  int32_t  is_regular;
  int32_t  is_pipe;     /* named or not */
} mm_file_status;

/* Each call returns a result >= 0, or a negated errno. */
typedef struct mm_io {
  void *self;
  int     (*open)(void *self, const char *path, int flags, int mode);
  int64_t (*read)(void *self, int fd, void *bytes, int64_t size);
  int64_t (*write)(void *self, int fd, const void *bytes, int64_t size);
  int64_t (*pread)(void *self, int fd, void *bytes, int64_t size, int64_t offset); /* of the file, which stays where */
  int64_t (*pwrite)(void *self, int fd, const void *bytes, int64_t size, int64_t offset); /* it is; any thread */
  int     (*fsync)(void *self, int fd);
  int     (*close)(void *self, int fd);
  int     (*rename)(void *self, const char *from, const char *to);
  int     (*unlink)(void *self, const char *path);
  int     (*stat)(void *self, const char *path, int fd, mm_file_status *status); /* path NULL: of fd */
} mm_io;

/* A thread runs body(argument) once. start returns 0 or a negated errno and fills *thread. */
typedef struct mm_threads {
  void *self;
  int  (*start)(void *self, void **thread, void (*body)(void *), void *argument);
  void (*join)(void *self, void *thread);
} mm_threads;

/* Run body(argument) once on a thread of the process that nothing waits for, with its signals blocked but for faults.
 * Such threads are used again, by jobs too. 0 or a negated errno. */
int mm_thread_run(void (*body)(void *argument), void *argument);

/* Replace the services; NULL brings back the operating system's. Only while no core object exists. */
void mm_set_allocator(const mm_allocator *allocator);
void mm_set_io(const mm_io *io);
void mm_set_threads(const mm_threads *threads);

/* ---- Vector programs: expressions, run over vectors of MM_VECTOR rows ---- */

enum { MM_VECTOR = 2048 };

/* Operations have names ("add", "starts_with"); their numbers hold for one build of the library. Operands and result
 * are of type T, instr.type (the operands' type unless said otherwise), of type S, instr.type2, or of a fixed type;
 * unless said otherwise the result is null where an operand is. core/kernels/operations.def explains each. */
int mm_op_find(const char *name); /* -1: there is none */
const char *mm_op_name(int op);   /* "unknown" beyond the last */
enum { MM_CAST_CHECK, MM_CAST_TRY, MM_CAST_WRAP, MM_CAST_SATURATE };

typedef struct mm_instr {
  uint16_t op;    /* mm_op_find */
  uint8_t  type;  /* MM_* of the operands, or of a cast's result */
  uint8_t  type2; /* of the second operand of a mixed comparison, or of a cast's operand; else equal to type */
  int32_t  dst;   /* register written; each register is written by one instruction */
  int32_t  a, b, c; /* registers read, or what the operation says; -1 when unused */
  int32_t  guard; /* bool register: only lanes where it is true may fail; -1: all selected lanes */
  int32_t  place; /* for errors: a number chosen by the compiler, lower places win on one row */
} mm_instr;

/* A constant. Text is copied by mm_program_new. */
typedef struct mm_value {
  mm_type     type;
  int32_t     null; /* 1: null */
  int64_t     i;    /* signed, bool, date, timestamp, duration */
  uint64_t    u;    /* unsigned */
  double      f;    /* f32, f64 */
  const char *text;
  int64_t     size; /* bytes of text */
} mm_value;

typedef struct mm_program mm_program;
/* Build a program. `registers` gives the type of every register; `outputs` the registers that become the columns of
 * the result, in order. Checks that registers, columns and constants exist and that a kernel exists for every
 * instruction. All arguments are copied. `columns` is the number of input columns. */
int  mm_program_new(const mm_instr *code, int32_t length, const mm_type *registers, int32_t register_count,
                    const mm_value *constants, int32_t constant_count, const int32_t *outputs, int32_t output_count,
                    int32_t columns, mm_program **program, mm_error *error);
void mm_program_free(mm_program *program);
/* Run a program without columns on one row and take output 0; text stays owned by the program until the next call. */
int  mm_program_eval(mm_program *program, mm_value *result, mm_error *error);

/* ---- Rows of batches, for stages that keep some ---- */

/* The rows with these numbers, in this order. Copies; on failure `to` holds what was made, and is to be freed. `track`:
 * the result has an origin, so that its rows keep their input row numbers. */
int mm_batch_take(mm_batch *to, const mm_batch *from, const int64_t *rows, int64_t count, bool track, mm_error *error);
/* The `count` rows whose bits are set; where these are all, their blocks are shared, and their origins kept. */
int mm_batch_filter(mm_batch *to, const mm_batch *from, const uint64_t *selected, int64_t count, bool track,
                    mm_error *error);

/* ---- Stages ---- */

/* What a stage promises or asks of the engine. Any stage may set a flag, any part of the engine may rely on it; without
 * the flag a stage is only slower, or handled with more care. */
enum {
  MM_STAGE_BREAKER = 1,       /* ends a segment: takes rows in, has cut, fold and finish */
  MM_STAGE_CAN_FAIL = 2,      /* run may fail at a row: batches that reach it carry the numbers of their rows */
  MM_STAGE_KEEPS_ROWS = 4,    /* row i of what leaves is made of row i of what comes in; none is added or left out */
  MM_STAGE_CAN_END = 8,       /* breaker: fold may be satisfied before the input ends. So of a morsel that failed, the
                               * rows before its error are folded too: they may make the error moot */
  MM_STAGE_USER_CODE = 16,    /* runs user code that may not terminate: only threads that can be left may run it */
  MM_STAGE_ATOMIC_BATCH = 32, /* breaker: takes nothing more of a morsel in which a row has failed */
  MM_STAGE_STORE = 64,        /* reads the store, by mm_job_store */
  MM_STAGE_SELECTED = 128,    /* run takes batches in which only the rows of mm_batch.selected count; else the stage
                               * before packs them */
  MM_STAGE_POSITIONAL = 256,  /* breaker: has no partials and goes by the numbers of rows alone, so that several morsels
                               * may be one piece, folded in any order */
  MM_STAGE_NO_RETAIN = 512    /* breaker: run keeps no reference to its batch; the source may lend blocks uncounted */
};

/* What a stage does. Calls for one local come from one thread at a time. */
typedef struct mm_stage_class {
  const char *name;
  int32_t flags; /* default of mm_stage.flags */
  /* Once, before any worker: the schema that will come in. May be NULL. */
  int  (*bind)(mm_stage *stage, const mm_schema *in, mm_error *error);
  /* Per worker, on its thread: private state in *local. May be NULL. */
  int  (*open)(mm_stage *stage, mm_job *job, void **local, mm_error *error);
  void (*close)(mm_stage *stage, void *local);
  /* Per worker, when there are no more rows for it, before close: a last look at what the local saw. May be NULL. */
  int  (*leave)(mm_stage *stage, void *local, mm_error *error);
  /* Streaming stage: fill the empty batch `out` from `in` (borrowed); positive: call again, there is more. On failure
   * at a row, error->row is its input row and `out` holds what the rows before it gave. Breaking stage: `out` is NULL,
   * `in` is taken in. */
  int  (*run)(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error);
  /* Breaking stages. cut: end of a morsel; hand over what this local absorbed since the last cut. */
  int  (*cut)(mm_stage *stage, void *local, void **partial, mm_error *error);
  /* Morsel by morsel in order, one call at a time; takes the partial also on failure. Positive: satisfied, read no
   * more. */
  int  (*fold)(mm_stage *stage, void *partial, mm_error *error);
  /* Free a partial that will not be folded. */
  void (*drop)(mm_stage *stage, void *partial);
  /* Called by any worker after a fold, several at once: help with work that fold queued. May be NULL. */
  int  (*drain)(mm_stage *stage, mm_error *error);
  /* Once, after the last fold: append result batches to `out` (its schema is set); sinks leave it empty. */
  int  (*finish)(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error);
  /* Breaking stages that know where columns go: once bound, set `to` of the stage right before, where that may compute
   * them there. `flags` are those of all stages before it in the segment, as mm_plan_flags has them. May be NULL. */
  void (*aim)(mm_stage *stage, mm_stage *before, int32_t flags);
  /* Sinks that keep a table: mm_job_take_result, after the job has succeeded. NULL: it keeps none. */
  void (*take_result)(mm_stage *stage, mm_table *result, int64_t *total_rows);
  /* Job was cancelled: make running calls return soon. From any thread, perhaps several times. May be NULL. */
  void (*interrupt)(mm_stage *stage);
  /* Of sinks: mm_sink_abandon. May be NULL. */
  void (*abandon)(mm_stage *stage);
  void (*free)(mm_stage *stage); /* the stage and what it owns */
  /* A fresh stage of the same settings as one that is not bound, for a plan. NULL: stages of this kind cannot be in a
   * plan. */
  mm_stage *(*copy)(const mm_stage *stage, mm_error *error);
  /* The column of the input that leaves as column `column` of the result untouched, where all rows are kept, or -1.
   * NULL: all do where `out` is empty, else none. */
  int32_t (*shares)(const mm_stage *stage, int32_t column);
} mm_stage_class;

/* First member of every stage. */
struct mm_stage {
  const mm_stage_class *vtable;
  int32_t   flags;       /* MM_STAGE_* */
  int32_t   index;       /* number within the job; set by mm_job_add */
  int32_t   batch_rows;  /* preferred batch size in rows; 0: no preference */
  /* A later stage can fail: fill in mm_batch.row, and origin when rows are dropped; set by the engine. */
  bool      track_rows;
  bool      may_select;  /* the next stage takes batches with `selected`; set by the engine */
  /* Where columns of the result go, if the stage can write them there: row i of the job is row i; set by `aim` of the
   * next stage; NULL: nowhere in particular. */
  const mm_column *to;
  int32_t   to_count;
  mm_schema out;         /* columns of the result; owned. Empty: the same as what comes in */
};

/* Fused where, derive, select, cast, fill_null ...: run `take` over each batch. `out` (copied) names its outputs. */
mm_stage *mm_stage_program(mm_program *take, const mm_schema *out, mm_error *error);

/* Aggregates; ascending place in this list is not an order. */
enum mm_agg {
  MM_AGG_COUNT,      /* rows, or with a column its non-null values -> i64 */
  MM_AGG_COUNT_NULL, /* -> i64 */
  MM_AGG_SUM,        /* ints -> i64 or u64, exact, checked at the end; floats -> f64; durations; of nothing 0 */
  MM_AGG_MEAN,       /* -> f64 */
  MM_AGG_MIN, MM_AGG_MAX, /* same type, any type */
  MM_AGG_VAR, MM_AGG_STD, /* n - 1 -> f64 */
  MM_AGG_FIRST, MM_AGG_LAST, /* nulls included; same type */
  MM_AGG_MEDIAN, MM_AGG_QUANTILE, /* interpolated -> f64 */
  MM_AGG_N_UNIQUE,   /* distinct non-null values -> i64 */
  MM_AGG_ANY, MM_AGG_ALL, /* bool; of nothing false, true */
  MM_AGG_COUNT_OF
};
/* For rows in several places: states leave as values of a binary column, and others combine them. */
enum {
  MM_AGG_SAVES = 1, /* the result is the state, as bytes */
  MM_AGG_LOADS = 2  /* the column holds such bytes; a null is no state; in the order of the rows */
};
typedef struct mm_aggregate {
  int32_t op;     /* MM_AGG_* */
  int32_t column; /* of the stage's input; -1 for count() */
  double  q;      /* of quantile, 0 to 1 */
  int32_t place;  /* for errors */
  int32_t flags;  /* MM_AGG_SAVES, MM_AGG_LOADS */
  mm_type of;     /* where it loads: mm_aggregate_state_type of the values that the states are of */
} mm_aggregate;

/* The registry of aggregates. By name ("sum"): MM_AGG_*, or -1; and back: NULL where there is none. */
int         mm_aggregate_find(const char *name);
const char *mm_aggregate_name(int op);
/* The type of the result over values of type `in`; false: it cannot be taken of them. */
bool        mm_aggregate_type(int op, mm_type in, mm_type *out);
/* When the result is null: never; of no values; of fewer than two; as the value of the row it is taken from, or of no
 * rows. */
enum { MM_AGG_NULL_NEVER, MM_AGG_NULL_OF_NONE, MM_AGG_NULL_OF_ONE, MM_AGG_NULL_OF_ROW };
int         mm_aggregate_nulls(int op);
/* The type under which states are saved: those of values of several types may be combined. False as above. */
bool        mm_aggregate_state_type(int op, mm_type in, mm_type *out);
/* Where the result is all there is to know: the aggregate that makes one result of several. Else -1: states must be
 * saved. Where null is MM_AGG_NULL_OF_ROW, results of no rows must be left out. */
int         mm_aggregate_merge(int op);

/* Groups in order of first appearance: the key columns, then the aggregates, named by `out` (copied). */
mm_stage *mm_stage_group(const int32_t *keys, int32_t key_count, const mm_aggregate *aggregates, int32_t count,
                         const mm_schema *out, mm_error *error);
typedef struct mm_order { int32_t column; int32_t descending; int32_t nulls_first; } mm_order;
mm_stage *mm_stage_sort(const mm_order *orders, int32_t count, mm_error *error);
/* First n rows; in an order when order_count > 0; of each group when key_count > 0. */
mm_stage *mm_stage_limit(int64_t n, const int32_t *keys, int32_t key_count, const mm_order *orders, int32_t order_count,
                         mm_error *error);
/* Rows by chance, the same ones for the same seed: each row draws a u64 from the seed and its number in the segment's
 * input. Keep those that drew less than this share (between 0 and 1) of all numbers, */
mm_stage *mm_stage_sample(double share, uint64_t seed, mm_error *error);
/* or append two columns, what was drawn (u64) and the row's number (i64), as the last two of `out` (copied). */
mm_stage *mm_stage_draw(uint64_t seed, const mm_schema *out, mm_error *error);
/* First whole row of each key; key_count 0: of all columns. */
mm_stage *mm_stage_distinct(const int32_t *keys, int32_t key_count, mm_error *error);

/* ---- Sources ---- */

enum { MM_MORSEL = 65536 }; /* rows */

/* A source hands out pieces, one a morsel, in order, and turns them into batches in parallel. */
typedef struct mm_source_class {
  const char *name;
  /* The next morsel: 1 and *piece, or 0 at the end. One call at a time. */
  int  (*claim)(mm_source *source, void **piece, mm_error *error);
  int  (*open)(mm_source *source, void **local, mm_error *error); /* per worker; may be NULL */
  void (*close)(mm_source *source, void *local);
  /* Fill `out` with at most `rows` (a multiple of 64) further rows of a piece; 1: a batch, 0: the piece is done. `row`
   * and `origin` are set by the engine. On failure at a row, error->row counts from the start of this batch and `out`
   * holds the rows before. */
  int  (*load)(mm_source *source, void *local, void *piece, int64_t rows, mm_batch *out, mm_error *error);
  /* Fill in file and line of a row counted from the start of the piece; leave the error alone when they are unknown. */
  void (*locate)(mm_source *source, void *piece, int64_t row, mm_error *error);
  void (*drop)(mm_source *source, void *piece);
  void (*progress)(mm_source *source, mm_progress *progress); /* fill in bytes; any thread; may be NULL */
  void (*interrupt)(mm_source *source); /* wake a claim that waits; any thread; may be NULL */
  void (*free)(mm_source *source);
} mm_source_class;

struct mm_source {
  const mm_source_class *vtable;
  mm_schema schema;   /* what load gives; owned */
  int64_t rows;       /* how many there are, when pieces may be larger than a morsel; else 0 */
  int64_t piece_rows; /* then: of a piece, a multiple of MM_MORSEL; the engine may raise it before the first claim */
  bool lends;         /* set by the engine: columns may come without their blocks, which the source keeps */
};

/* ---- Formats ---- */

enum {
  MM_OPTION_SWITCH,    /* bool: "true" or "false" */
  MM_OPTION_CHARACTER, /* int32_t: a byte, or a word for one ("tab"); -1: "" or the word of `choices` */
  MM_OPTION_WHOLE,     /* int64_t, from `least` to `most` */
  MM_OPTION_CHOICE,    /* int32_t: which of `choices`, from 0 */
  MM_OPTION_TEXT,      /* char *, owned; of one line */
  MM_OPTION_TEXTS      /* the same; several texts stand behind each other, separated by '\n' */
};

/* An option of a format: the command's options, the keywords of hosts and their help are made of these. */
typedef struct mm_option_info {
  const char *key;
  const char *help;     /* of a switch that is on: of turning it off */
  int32_t     type;     /* MM_OPTION_* */
  int32_t     offset;   /* of its value in the struct of the format */
  const char *fallback; /* the value where none is given, as text; NULL: 0 */
  const char *choices;  /* words separated by blanks, or NULL */
  int64_t     least, most;
  const char *id;       /* of errors about its value; NULL: "usage" */
} mm_option_info;

typedef struct mm_option_table {
  const mm_option_info *list;
  int32_t     count;
  int32_t     size; /* bytes of the struct that values are parsed into */
  const char *none; /* the message where options are given and there are none */
} mm_option_table;

/* Fill in the struct of a table: `values`, of table->size bytes. Free what it owns afterwards, not on failure. `format`
 * is the name for messages. */
int  mm_options_parse(const char *format, const mm_option_table *table, const mm_option *options, int32_t count,
                      void *values, mm_error *error);
void mm_options_free(const mm_option_table *table, void *values);

/* Files that are read one after the other, decompressed. */
typedef struct mm_files mm_files;
/* The next file is read from now on: 1; 0: there are no more. */
int         mm_files_next(mm_files *files, mm_error *error);
int64_t     mm_files_read(mm_files *files, uint8_t *bytes, int64_t size, mm_error *error); /* 0 at its end */
const char *mm_files_path(const mm_files *files, int32_t index); /* index -1: of the file that is read */

typedef struct mm_format mm_format;

/* Files that were opened. */
struct mm_input {
  const mm_format *format;
  mm_files  *files;       /* owned */
  void      *options;     /* the format's struct of reading options; owned */
  int64_t    sample_rows; /* to infer types from */
  /* Filled in by mm_format.open. */
  void      *state;
  mm_schema  schema;      /* owned */
  char       kind[16];    /* for mm_input_format; "": the name of the format */
  int64_t    sampled;     /* rows that the types were inferred from */
  bool       sampled_all; /* there are no others */
  mm_buffer  nulls;       /* owned: a byte a column, 1: there were some among them. Empty: none anywhere */
};

/* One for each format, immutable. It is found by content for reading, and by name or by the end of a path for writing.
 * Functions that are not there: it is only written, or only read. */
struct mm_format {
  const char *name;       /* "csv" */
  const char *extensions; /* ".csv .tsv" */
  const mm_option_table *reading, *writing; /* there where the functions for it are */
  /* Does a file begin so? `bytes` are the first 4096, or all there are. NULL: it must be named. */
  bool (*sniff)(const uint8_t *bytes, int64_t size);
  /* Read as much as the columns take, from mm_files_next on. What was filled in is freed on failure too. */
  int  (*open)(mm_input *input, mm_error *error);
  void (*close)(mm_input *input); /* free input->state, which may be NULL or incomplete */
  /* Take the input, on failure too: the source frees it. Column i of `wanted` is column columns[i] of the input. */
  mm_source *(*source)(mm_input *take, const mm_schema *wanted, const int32_t *columns, mm_error *error);
  /* `options`: the struct of writing options, valid during the call. */
  mm_stage *(*sink)(const char *path, const void *options, const mm_output_options *output, mm_error *error);
};

/* What mm_source_class.progress and .interrupt do for a source of files. */
void mm_input_progress(const mm_input *input, mm_progress *progress);
void mm_input_interrupt(mm_input *input);

const mm_format *mm_format_find(const char *name); /* or NULL */
/* Formats of the host (borrowed), which come before those of the core; 0: none. Only while no core object exists. */
void mm_set_formats(const mm_format *const *formats, int32_t count);

/* The options for reading of all formats, each key once; NULL behind the last. */
const mm_option_info *mm_read_option(int32_t index);
/* See that an option of that list may have a value; `shown` names it in messages: "--delimiter". */
int  mm_read_option_check(const char *key, const char *shown, const char *value, int64_t size, mm_error *error);

#pragma GCC visibility pop
