/* stage.h - what jobs are made of: services of the host, vector programs, stages and sources. For those who plan jobs
 * or write stages; moonmill.h says how to read it, and the same laws hold: LuaJIT reads this file too.
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

/* Operations. T is instr.type (the operands' type unless said otherwise), S is instr.type2. "int" is i64 or u64,
 * "float" f32 or f64: the compiler casts narrower integers first. Unless said otherwise the result is null where an
 * operand is. */
enum mm_op {
  /* moving */
  MM_OP_LOAD,      /* dst = input column a */
  MM_OP_CONST,     /* dst = constant a of the program; loaded once */
  MM_OP_FILTER,    /* keep only rows where bool a is true (neither false nor null) */
  /* arithmetic on int and float; ints fail on overflow */
  MM_OP_ADD, MM_OP_SUB, MM_OP_MUL, /* also of narrower integers, modulo 2^width: these never fail */
  MM_OP_DIV,       /* float */
  MM_OP_FLOORDIV, MM_OP_MOD, /* floored; ints fail on zero */
  MM_OP_NEG, MM_OP_ABS, MM_OP_SIGN,
  MM_OP_MIN, MM_OP_MAX,
  MM_OP_MUL_ADD, MM_OP_MUL_SUB, MM_OP_SUB_MUL, /* float: a * b + c, a * b - c, c - a * b, the product rounded first */
  MM_OP_FLOOR, MM_OP_CEIL, MM_OP_TRUNC, /* float */
  MM_OP_ROUND,     /* float a, digits in i64 register b: half away from zero */
  MM_OP_PLAIN,     /* float a, with the same bits for every NaN */
  /* f64 only */
  MM_OP_POW, MM_OP_SQRT, MM_OP_CBRT, MM_OP_EXP, MM_OP_LOG, MM_OP_LOG2, MM_OP_LOG10, MM_OP_SIN, MM_OP_COS, MM_OP_TAN,
  MM_OP_ASIN, MM_OP_ACOS, MM_OP_ATAN, MM_OP_ATAN2, MM_OP_SINH, MM_OP_COSH, MM_OP_TANH, MM_OP_HYPOT,
  MM_OP_IS_NAN, MM_OP_IS_FINITE, /* float -> bool */
  /* comparison -> bool; T any type; T and S differ only among i64, u64, f64, and compare exactly */
  MM_OP_EQ, MM_OP_NE, MM_OP_LT, MM_OP_LE, MM_OP_GT, MM_OP_GE,
  MM_OP_IS_DISTINCT, /* never null */
  MM_OP_IN,        /* a is one of constants b .. b + c - 1 of the program */
  /* bool, three-valued */
  MM_OP_AND, MM_OP_OR, MM_OP_NOT,
  MM_OP_IS_NULL, MM_OP_IS_NOT_NULL, /* T any; never null */
  MM_OP_IS_TRUE,   /* bool; null counts as false */
  MM_OP_REFUSE,    /* bool a; fails where it is true */
  /* choice; T any */
  MM_OP_SELECT,    /* a (bool) true: b, else c */
  MM_OP_COALESCE,  /* a unless null, else b */
  /* casts from S to T; mode in b: MM_CAST_* */
  MM_OP_CAST,
  /* text */
  MM_OP_CONCAT, MM_OP_LEN, MM_OP_BYTES, MM_OP_LOWER, MM_OP_UPPER, MM_OP_TRIM, MM_OP_LTRIM, MM_OP_RTRIM,
  MM_OP_SUB_TEXT,  /* a from character b to c (i64, from 1, negative from the end, as Lua's sub) */
  MM_OP_STARTS_WITH, MM_OP_ENDS_WITH, MM_OP_CONTAINS,
  MM_OP_FIND,      /* first character of b in a, from 1; null when absent */
  MM_OP_REPLACE,   /* every b in a by c */
  MM_OP_REVERSE, MM_OP_REPEAT,
  /* date and timestamp -> i64; T date or timestamp */
  MM_OP_YEAR, MM_OP_MONTH, MM_OP_DAY, MM_OP_HOUR, MM_OP_MINUTE, MM_OP_SECOND,
  MM_OP_WEEKDAY,   /* ISO: Monday 1 to Sunday 7 */
  MM_OP_YEARDAY, MM_OP_WEEK, /* ISO week */
  MM_OP_HASH,      /* of S any; T u64: equal for values that are equal as keys */
  MM_OP_COUNT
};
enum { MM_CAST_CHECK, MM_CAST_TRY, MM_CAST_WRAP, MM_CAST_SATURATE };

typedef struct mm_instr {
  uint16_t op;    /* MM_OP_* */
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
const char *mm_op_name(int op);  /* "add" */

/* ---- Stages ---- */

enum {
  MM_STAGE_BREAKER = 1,   /* ends a segment: has cut, fold and finish */
  MM_STAGE_CAN_FAIL = 2, /* run may fail at a row: batches that reach it carry row numbers */
  MM_STAGE_KEEPS_ROWS = 4,
  MM_STAGE_CAN_END = 8,  /* fold may be satisfied: rows before an error of a morsel are folded too, may make it moot */
  MM_STAGE_USER_CODE = 16, /* runs user code that may not terminate */
  MM_STAGE_ATOMIC_BATCH = 32,   /* breaking: wants no part of a batch in which a row failed */
  MM_STAGE_STORE = 64,   /* looks into the store: mm_job_store */
  MM_STAGE_SELECTED = 128, /* breaking: takes batches of which only selected rows count: nobody need pack them */
  MM_STAGE_POSITIONAL = 256, /* breaking: no partials, a row goes to its own place: several morsels may be one piece */
  MM_STAGE_NO_RETAIN = 512   /* breaker: retains no reference to the batch; its blocks need no reference count */
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
  /* Job was cancelled: make running calls return soon. From any thread, perhaps several times. May be NULL. */
  void (*interrupt)(mm_stage *stage);
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
  /* Where columns of the result go, if the stage can write them there: row i of the job is row i; set by the engine;
   * NULL: nowhere in particular. */
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

#pragma GCC visibility pop
