/* group.h - what group and distinct share: keys as words, a table of them, accumulators beside it, partials, partitions.
 *
 * DESIGN. The key of a row is written as an entry of 64-bit words, so that comparing keys of any types is comparing words.
 * A table numbers the entries in order of first appearance; accumulators are arrays of states beside it, indexed by that
 * number. Each worker absorbs one morsel into a table of its own, resolving a vector of rows to numbers first and then
 * running one tight loop per accumulator. At the end of the morsel the table is cut: what it holds becomes a partial, and
 * partials are merged strictly in morsel order, in one table while groups are few, else in partitions by the top bits of
 * the hash, which workers take on side by side. Merging a group's states in morsel order is all that a result depends on.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"
#include <pthread.h>
#include <stdatomic.h>

/* ---- Keys as words ----
 *
 *   entry: | hash | compared words ... | raw bits of floats ... |
 *
 * Values of up to 32 bits take half a word, others one, text two: up to 15 bytes in place and the size in the top byte, else a
 * pointer and the size. Two or more columns have null bits in words of their own; a single column marks null within its words,
 * or, when all its words are taken, by a hash that the word cannot have. Floats compare as canonical bits (-0 as 0, one NaN)
 * and keep the bits of the first value aside. */

typedef struct mm_key_column {
  mm_type type;
  int32_t kind;  /* KEY_* of row_encoding.c */
  int32_t word;  /* of the entry; text: the first of two */
  int32_t shift; /* 0 or 32 */
  int32_t raw;   /* word of the raw bits of a float, else 0 */
} mm_key_column;

typedef struct mm_key_layout {
  mm_key_column *columns;
  int32_t count;
  int32_t words;  /* that are compared, after the hash */
  int32_t stride; /* words of an entry */
  int32_t nulls;  /* word of the first null bits, 0: none */
  bool text;      /* some column is text */
} mm_key_layout;

/* Lay out keys of these types, none opaque; `nulls` false: the values are known not to be null. */
int mm_key_layout_init(mm_key_layout *layout, const mm_type *types, int32_t count, bool nulls, mm_error *error);
void mm_key_layout_free(mm_key_layout *layout);
/* The words of one column of rows [start, start + n), column by column in order. Long text still points into the column. */
void mm_keys_encode_column(const mm_key_layout *layout, int32_t index, const mm_column *column, int64_t start,
                           int64_t n, uint64_t *entries);
/* Then the hashes; `first` is the first column. */
void mm_keys_complete(const mm_key_layout *layout, const mm_column *first, int64_t start, int64_t n, uint64_t *entries);
/* Only the hashes, of entries of layouts without nulls. */
void mm_keys_hash(const mm_key_layout *layout, uint64_t *entries, int64_t n);
/* The column `index` of n entries. */
int mm_keys_decode(const mm_key_layout *layout, int32_t index, const uint64_t *const *entries, int64_t n,
                   mm_column *column, mm_error *error);

/* Long text: the second word has this top byte above the size. */
static inline bool mm_key_long(uint64_t second) { return second >> 56 == 0xff; }
static inline int64_t mm_key_size(uint64_t second) { return (int64_t)(second & UINT64_C(0xffffffffffffff)); }

/* ---- Table of keys ---- */

typedef struct mm_key_table {
  const mm_key_layout *layout;
  mm_arena *arena; /* of long text */
  uint64_t *slots; /* upper half of the hash above number + 1; 0: empty */
  int64_t slot_count;
  mm_buffer entries; /* number i at i * layout->stride words */
  int64_t count;     /* entries */
  int64_t tabled;    /* of them, those that the slots know; others were appended */
} mm_key_table;

/* Number of each entry, new ones in order. `entries` must stay apart from the table's own. */
int mm_keys_resolve(mm_key_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error);
/* Take all entries as new ones without looking. Only until the next mm_keys_clear. */
int mm_keys_append(mm_key_table *table, const uint64_t *entries, int64_t n, uint32_t *numbers, mm_error *error);
void mm_keys_clear(mm_key_table *table);
void mm_keys_free(mm_key_table *table);
static inline const uint64_t *mm_keys_entry(const mm_key_table *table, int64_t number) {
  return (const uint64_t *)table->entries.data + number * table->layout->stride;
}

/* ---- Accumulators ---- */

typedef struct mm_accumulator mm_accumulator;

/* Values of which a stage counts how many are different, added to by all workers. */
typedef struct mm_census mm_census;
int mm_census_init(mm_census **census, mm_error *error);
void mm_census_stop(mm_census *census); /* any thread */
void mm_census_free(mm_census *census);

/* States 0 to 3 of a worker's table take what nulls would have added; 7 x 64 more let neighbouring rows of one of the first
 * 64 groups go to different states, so that a run of equal keys does not wait for memory, and that a kernel may add them in vectors.
 * Row i of the morsel takes lane i mod 8, which depends on the data only. Tables that are only merged into have no such head. */
enum { MM_TRASH = 4, MM_SPREAD = 64, MM_HEAD = MM_TRASH + (MM_LANES - 1) * MM_SPREAD };

/* A vector of rows and where they go. Where the order of rows does not matter, a row goes to one of MM_LANES states of its group, chosen
 * by its number within the morsel, so that additions need not wait for each other. */
typedef struct mm_rows {
  int64_t start, count; /* within the batch; count <= MM_VECTOR, unless the plan reduces */
  int64_t lane;         /* of the first row */
  int64_t groups;       /* that the table has by now */
  bool single;          /* all rows are of group 0 */
  bool few;             /* all groups have lanes */
  bool spread_known;
  uint32_t *group;  /* number of each row's group */
  uint32_t *spread; /* its state; see mm_rows_spread */
  uint32_t *masked; /* the same, nulls of `masked_by` to the trash */
  const uint64_t *masked_by;
  uint32_t tally[MM_SPREAD]; /* rows of each group; see mm_rows_tally */
  const uint32_t *tally_of;  /* states that were counted; NULL: none yet */
  bool distinct;             /* each row is a group of its own */
} mm_rows;

/* The state of lane `lane` of group 0. */
static inline int64_t mm_lane_state(int64_t lane) {
  lane &= MM_LANES - 1;
  return lane ? MM_TRASH + (lane - 1) * MM_SPREAD : MM_HEAD;
}
/* States for the rows when the order of rows does not matter. */
const uint32_t *mm_rows_spread(mm_rows *rows);
/* The same for the rows of a column that has no text: nulls go to the trash. */
const uint32_t *mm_rows_states(mm_rows *rows, const mm_column *column);
/* How many rows are not null in a column. */
int64_t mm_rows_known(const mm_rows *rows, const mm_column *column);
/* While all groups have lanes: how many rows each group has, nulls of the column (NULL: none) left out. */
const uint32_t *mm_rows_tally(mm_rows *rows, const mm_column *column);

typedef struct mm_accumulator_class {
  int32_t size; /* bytes of a state */
  bool ordered; /* rows must come in order: no lanes */
  bool reduces; /* rows of one group go through a kernel, any number of them, to which null is as no row at all */
  /* States [from, to) of new groups. NULL: zero bytes. */
  void (*start)(mm_accumulator *acc, int64_t from, int64_t to);
  /* `column` is followed by the other columns of the batch: parts stand side by side. */
  int (*update)(mm_accumulator *acc, const mm_column *column, mm_rows *rows, mm_error *error);
  /* Bring states [from, to) of a worker's table into the form that merges. May be NULL. */
  void (*seal)(mm_accumulator *acc, int64_t from, int64_t to);
  /* Add states from[0 .. n) to states to[number[i]]; pointers stand for the first state. */
  int (*merge)(mm_accumulator *to, const uint32_t *number, const mm_accumulator *from, int64_t first, int64_t n,
               mm_error *error);
  /* Move what is kept beside the states, group i to place[i] (NULL: i) of `to`, whose states are there. May be NULL. */
  int (*move)(mm_accumulator *from, mm_accumulator *to, const uint32_t *place, int64_t groups, mm_error *error);
  /* All is merged: bring the states into the form that emit reads. May be NULL. */
  int (*complete)(mm_accumulator *acc, int64_t groups, mm_error *error);
  /* Values of n states, which may be of several accumulators of this kind. */
  int (*emit)(const mm_accumulator *acc, const mm_aggregate *aggregate, void *const *states, int64_t n, mm_type type,
              mm_column *column, mm_error *error);
} mm_accumulator_class;

struct mm_accumulator {
  const mm_accumulator_class *vtable;
  mm_type type;    /* of the column */
  int32_t op;      /* MM_AGG_*, of the first aggregate that asked for it */
  int32_t column;  /* -1: none */
  int32_t next;    /* in the plan: another accumulator of this column, or -1 */
  int64_t head;    /* states before that of group 0 */
  mm_arena *arena; /* of the table it stands beside */
  mm_buffer states;
  mm_buffer value_groups, values; /* kept beside the states by quantiles */
  mm_job *helpers; /* of the plan's, while results are made: whose threads emit may use; NULL: they are busy */
  mm_key_layout *pair_layout; /* of n_unique; owned by the plan */
  mm_census *census;          /* the same */
  mm_key_table pairs;
  int64_t pair_rows;   /* rows that they came from */
  bool pairs_appended; /* some were not looked up */
};

/* The k-th least of n numbers, from 0, and the one after it, or the same where it is the last; reorders them. With the
 * threads of a job, where there is one, which is worth it for some hundred thousand. */
int mm_nth(mm_job *job, int64_t *x, int64_t n, int64_t k, int64_t pair[2], mm_error *error);

/* The class for an aggregate over a type; NULL: it makes no sense. */
const mm_accumulator_class *mm_accumulator_class_of(int op, mm_type type);
/* By family. */
const mm_accumulator_class *mm_count_class(int op);
const mm_accumulator_class *mm_sum_class(int op, int type);
const mm_accumulator_class *mm_extreme_class(int type);
const mm_accumulator_class *mm_moment_class(int type);
const mm_accumulator_class *mm_merged_sum_class(int op, int type); /* of the first part; see MM_AGG_MERGE_SUM */
const mm_accumulator_class *mm_merged_moment_class(void);
const mm_accumulator_class *mm_edge_class(int type);
const mm_accumulator_class *mm_text_class(void);
const mm_accumulator_class *mm_quantile_class(int type);
const mm_accumulator_class *mm_unique_class(void);
const mm_accumulator_class *mm_census_class(void); /* n_unique without keys, of a type that is not text */

static inline void *mm_state(const mm_accumulator *acc, int64_t group) {
  return acc->states.data + (acc->head + group) * acc->vtable->size;
}

/* A fixed-width column of n rows to write; `nulls`: with room for nulls. */
int mm_emit_column(mm_column *column, mm_type type, int64_t n, bool nulls, mm_error *error);
static inline void mm_emit_null(mm_column *column, int64_t row) { mm_bit_clear((uint64_t *)column->valid, row); }
/* A result that is NaN has the same bits whatever made it. */
static inline double mm_plain(double x) { return x == x ? x : __builtin_nan(""); }
/* The one order of numbers as an order of i64, and back. NaN is one value, above all others. */
static inline int64_t mm_order_f64(double x) {
  int64_t bits;
  memcpy(&bits, &x, 8);
  bits ^= bits >> 63 & INT64_MAX;
  return x != x ? INT64_MAX : bits;
}
static inline double mm_unorder_f64(int64_t order) {
  if (order == INT64_MAX) return __builtin_nan("");
  order ^= order >> 63 & INT64_MAX;
  double x;
  memcpy(&x, &order, 8);
  return x;
}

/* ---- Groups: a table of keys with accumulators ---- */

/* What is the same for all tables of a stage. */
typedef struct mm_group_plan {
  mm_key_layout layout;
  int32_t *keys;                /* columns of the input */
  mm_accumulator *accumulators; /* without states */
  int32_t accumulator_count;
  int32_t *of_column;                 /* an accumulator of column i - 1 at i, or -1 */
  int32_t columns;                    /* of the input, and one for none */
  bool reduces;                       /* no keys, and all accumulators do */
  int32_t key_room, accumulator_room; /* allocated */
} mm_group_plan;

typedef struct mm_groups {
  const mm_group_plan *plan;
  mm_key_table keys;
  mm_arena arena;
  mm_accumulator *accumulators;
  mm_buffer first; /* uint64_t of each group: where it first appeared, morsel above position */
  int64_t room;    /* groups that the states have room for */
} mm_groups;

enum { MM_PARTITIONS = 256, MM_SHARED_GROUPS = 8 }; /* so many groups can be merged side by side */

/* What a table held, to be merged into others: groups in order of first appearance, or so within each partition. */
typedef struct mm_partial {
  struct mm_partial *next; /* in a list of spare ones */
  mm_groups groups;        /* its slots stay empty */
  uint64_t base;           /* added to `first` */
  bool scattered;          /* by hash; partition p is groups [starts[p], starts[p + 1]) */
  uint32_t starts[MM_PARTITIONS + 1];
  uint8_t *fresh;   /* when not NULL: fresh[first of group] = 1 for groups that were new */
  atomic_int left;  /* partitions that have not merged it */
  mm_buffer places; /* while it is cut */
  void *cargo;      /* of the stage */
} mm_partial;

/* Partials that are not in use. */
typedef struct mm_spares {
  mm_partial *first;
  pthread_mutex_t lock;
} mm_spares;

void mm_spares_init(mm_spares *spares);
int mm_spares_take(mm_spares *spares, const mm_group_plan *plan, mm_partial **partial, mm_error *error);
void mm_spares_give(mm_spares *spares, mm_partial *partial); /* its cargo is gone */
void mm_spares_free(mm_spares *spares);
void mm_partial_free(mm_partial *partial);

int mm_group_plan_init(mm_group_plan *plan, const mm_schema *in, const int32_t *keys, int32_t key_count,
                       const mm_aggregate *aggregates, int32_t count, mm_error *error);
void mm_group_plan_free(mm_group_plan *plan);
/* Index of the accumulator that serves an aggregate, or -1; several may share one. */
int32_t mm_group_plan_find(const mm_group_plan *plan, const mm_schema *in, const mm_aggregate *aggregate);

int mm_groups_init(mm_groups *groups, const mm_group_plan *plan, int64_t head, mm_error *error);
void mm_groups_free(mm_groups *groups);
/* Make states for groups up to the count of keys. `first` of the new ones is up to the caller. */
int mm_groups_extend(mm_groups *groups, int64_t from, mm_error *error);
/* Merge groups [from, to) of a partial. */
int mm_groups_merge(mm_groups *groups, mm_partial *partial, int64_t from, int64_t to, mm_error *error);
/* Hand over all groups to an empty partial and be empty; `scatter`: by partition. */
int mm_groups_cut(mm_groups *groups, mm_partial *partial, bool scatter, mm_error *error);

/* ---- Shortcut ---- */

#define MM_UNKNOWN UINT32_MAX

/* Texts that were seen, each with a number below MM_UNKNOWN. */
typedef struct mm_lexicon mm_lexicon;
int mm_lexicon_init(mm_lexicon **lexicon, mm_error *error);
void mm_lexicon_free(mm_lexicon *lexicon);
void mm_lexicon_clear(mm_lexicon *lexicon);
/* How many texts it knows, null not among them. */
int32_t mm_lexicon_count(const mm_lexicon *lexicon);
/* Numbers of up to MM_VECTOR rows; MM_UNKNOWN: it has not been seen, or there was no room for it. */
void mm_lexicon_find(mm_lexicon *lexicon, const mm_column *column, int64_t start, int64_t n, uint32_t *numbers);
/* The number of the text (or null) in a row, which becomes `number` if it had none. MM_UNKNOWN: there is no room. */
uint32_t mm_lexicon_add(mm_lexicon *lexicon, const mm_column *column, int64_t row, uint32_t number);

typedef struct mm_shortcut mm_shortcut;
int mm_shortcut_init(mm_shortcut **shortcut, const mm_key_layout *layout,
                     mm_error *error); /* NULL for keys that it cannot serve */
void mm_shortcut_free(mm_shortcut *shortcut);
void mm_shortcut_clear(mm_shortcut *shortcut);
/* Groups of up to MM_VECTOR rows that are remembered; the numbers of others go to `missed`, in order. Returns how many. */
int64_t mm_shortcut_find(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch, const int32_t *keys,
                         int64_t start, int64_t n, uint32_t *groups, uint32_t *missed);
/* Remember rows[0 .. count) of the same rows, whose groups are known, while there is room. */
void mm_shortcut_remember(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch,
                          const int32_t *keys, int64_t start, int64_t n, const uint32_t *rows, int64_t count,
                          const uint32_t *groups);

/* ---- Rows that count ---- */

/* A batch without keys of which only selected rows count, as aggregates that leave nulls out may see it: the other rows are null. */
typedef struct mm_selection {
  mm_batch seen;     /* columns borrowed from the batch */
  mm_column counted; /* a column that is null where a row does not count, for count() */
  mm_buffer valid;   /* bits of the columns that have nulls of their own */
} mm_selection;

int mm_selection_see(mm_selection *selection, const mm_group_plan *plan, const mm_batch *batch, mm_error *error);
void mm_selection_free(mm_selection *selection);

/* ---- Absorbing rows ---- */

/* A worker's table during one morsel. */
typedef struct mm_absorber {
  mm_groups groups;
  int64_t rows; /* absorbed since the last cut */
  bool appends; /* nearly all keys are new: rows are taken as groups of their own */
  bool failed;  /* out of memory on the way: the morsel is lost */
  mm_rows vector;
  uint64_t *entries; /* of MM_VECTOR rows */
  mm_shortcut *shortcut;
  mm_selection selection;
} mm_absorber;

int mm_absorber_init(mm_absorber *absorber, const mm_group_plan *plan, mm_error *error);
void mm_absorber_free(mm_absorber *absorber);
/* Absorb the next rows of a batch, from `start`; fills absorber->vector, returns how many (positive). A batch with `selected` is seen
 * through absorber->selection first. */
int mm_absorber_take(mm_absorber *absorber, const mm_batch *batch, int64_t start, mm_error *error);
/* The end of a morsel: all groups to an empty partial. */
int mm_absorber_cut(mm_absorber *absorber, mm_partial *partial, bool scatter, mm_error *error);

/* ---- Merging partials in order ---- */

enum { MM_FOLD_QUEUE = 32 };

typedef struct mm_partition {
  mm_groups groups;
  pthread_mutex_t lock;
  atomic_llong merged; /* partials of the queue that it has merged */
} mm_partition;

/* One table while groups are few, then partitions of it. */
typedef struct mm_merger {
  const mm_group_plan *plan;
  void *self; /* of the two calls */
  /* An empty partial; on any thread. */
  int (*spare)(void *self, mm_partial **partial, mm_error *error);
  /* Nothing more is needed of it; on any thread. */
  int (*done)(void *self, mm_partial *take, mm_error *error);
  mm_groups whole;
  mm_partition *partitions; /* NULL: whole is in use */
  atomic_bool partitioned;  /* partials should come scattered */
  atomic_bool failed;       /* a table may be broken, or nobody wants it: nothing more is merged */
  uint64_t morsels;
  _Atomic(mm_partial *) queue[MM_FOLD_QUEUE];
  atomic_llong queued; /* partials ever put into the queue */
  atomic_uint turn;    /* where the next drain begins */
} mm_merger;

int mm_merger_init(mm_merger *merger, const mm_group_plan *plan, mm_error *error);
void mm_merger_free(mm_merger *merger, void (*drop)(void *self, mm_partial *take)); /* what still is in the queue */
int mm_merger_fold(mm_merger *merger, mm_partial *take, mm_error *error);           /* in order, one at a time */
int mm_merger_drain(mm_merger *merger, mm_error *error);                            /* any worker */
void mm_merger_stop(mm_merger *merger);                                /* nothing more shall be merged; any thread */
int mm_merger_finish(mm_merger *merger, mm_job *job, mm_error *error); /* merge what is left, complete all states */

/* ---- Results ---- */

/* Where each group is, in order of first appearance: table in the upper half, number in the lower. */
int mm_groups_order(const mm_merger *merger, mm_job *job, mm_buffer *places, mm_error *error);
/* Key columns, then aggregates[i] out of accumulator served_by[i], in batches of at most MM_MORSEL rows. */
int mm_groups_emit(mm_merger *merger, const mm_aggregate *aggregates, const int32_t *served_by, int32_t count,
                   mm_job *job, mm_table *out, mm_error *error);
