/* count_distinct_global.c - exact distinct count of fixed-width values without keys, in one concurrent hash set.
 *
 * DESIGN. The hash is a bijection on fixed-width values, so only hashes are stored, in one set for all workers. It is
 * divided by the top bits of the hash into parts with a lock each. In which order values come does not matter to a set,
 * so a worker adds what it has gathered at the end of its morsel, and nothing is left to fold. It does not gather again
 * what it met a moment ago: its filter holds the last value of each of some thousand slots.
 *
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "base/alloc.h"
#include "base/error.h"
#include "hash/row_encoding.h"
#include "types/column.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { PARTS = 256, FIRST_ROOM = 64, AHEAD = 12, FILTER = 4096, PIECE = 512, MOST_WORDS = 3 };

typedef struct shard {
  pthread_mutex_t lock;
  uint64_t *slots; /* 0: empty */
  int64_t count, room;
  bool zero; /* the hash 0 */
} shard;

/* Of all accumulators of a plan. */
typedef struct distinct_set {
  row_encoding encoding;
  shard parts[PARTS];
  atomic_uint turn;    /* where the next worker begins, so that they seldom meet */
  atomic_bool stopped; /* nobody wants the answer any more */
} distinct_set;

static distinct_set *set_of(const accumulator *acc) { return acc->shared; }

static int bind_set(accumulator *acc, mm_error *error) {
  distinct_set *set = memory_allocate_zero(sizeof *set);
  if (!set) return error_fail_memory(error, sizeof *set);
  for (int p = 0; p < PARTS; p++) pthread_mutex_init(&set->parts[p].lock, NULL);
  acc->shared = set;
  return row_encoding_init(&set->encoding, &acc->type, 1, false, error);
}

static void interrupt_set(accumulator *acc) { atomic_store(&set_of(acc)->stopped, true); }

static void free_set(accumulator *acc) {
  distinct_set *set = acc->shared;
  for (int p = 0; p < PARTS; p++) {
    memory_release(set->parts[p].slots, set->parts[p].room * (int64_t)sizeof(uint64_t));
    pthread_mutex_destroy(&set->parts[p].lock);
  }
  row_encoding_free(&set->encoding);
  memory_release(set, sizeof *set);
}

/* ---- The set ---- */

/* Room for n more: at least every other slot stays empty. */
static int make_room(shard *part, int64_t n, mm_error *error) {
  int64_t room = part->room ? part->room : FIRST_ROOM;
  while (room < (part->count + n) * 2) room *= 2;
  if (room == part->room) return 0;
  uint64_t *slots = memory_allocate_zero(room * (int64_t)sizeof(uint64_t)), mask = (uint64_t)room - 1;
  if (!slots) return error_fail_memory(error, room * (int64_t)sizeof(uint64_t));
  for (int64_t i = 0; i < part->room; i++) {
    if (!part->slots[i]) continue;
    uint64_t at = part->slots[i] & mask;
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = part->slots[i];
  }
  memory_release(part->slots, part->room * (int64_t)sizeof(uint64_t));
  part->slots = slots;
  part->room = room;
  return 0;
}

static void add_known(shard *part, const uint64_t *hashes, int64_t n) {
  uint64_t *slots = part->slots, mask = (uint64_t)part->room - 1;
  int64_t count = part->count;
  for (int64_t i = 0; i < n; i++) {
    if (i + AHEAD < n) __builtin_prefetch(&slots[hashes[i + AHEAD] & mask]);
    uint64_t hash = hashes[i], at = hash & mask;
    part->zero |= hash == 0;
    uint64_t met = slots[at];
    /* Unpredictable branch: kept branch-free. */
    while (!((met == 0) | (met == hash))) met = slots[at = (at + 1) & mask];
    count += met != hash;
    slots[at] = hash;
  }
  part->count = count;
}

static int add_hashes(shard *part, const uint64_t *hashes, int64_t n, mm_error *error) {
  /* By pieces: few of them may be new, for which the set must not grow. */
  for (int64_t from = 0; from < n;) {
    int64_t free = part->room / 2 - part->count, piece = n - from;
    if (free < FIRST_ROOM / 4) TRY(make_room(part, FIRST_ROOM / 2, error));
    free = part->room / 2 - part->count;
    if (piece > free) piece = free;
    add_known(part, hashes + from, piece);
    from += piece;
  }
  return 0;
}

/* ---- The accumulator ---- */

static mm_buffer *gathered_of(const accumulator *acc) { return acc->local; }

static int open_gathered(accumulator *acc, mm_error *error) {
  acc->local = memory_allocate_zero(sizeof(mm_buffer));
  return acc->local ? 0 : error_fail_memory(error, sizeof(mm_buffer));
}

static void close_gathered(accumulator *acc) {
  mm_buffer_free(acc->local);
  memory_release(acc->local, sizeof(mm_buffer));
}

/* `gathered`: the filter, then the hashes. */
static int gather_hashes(mm_buffer *gathered, const uint64_t *entries, int64_t stride, const mm_column *column,
                         int64_t start, int64_t n, mm_error *error) {
  TRY(mm_buffer_reserve(gathered, n * 8, error));
  uint64_t *filter = (uint64_t *)gathered->data, *to = filter + gathered->size / 8;
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) {
    uint64_t hash = entries[i * stride], known = !column->valid || bit_get(column->valid, start + i);
    uint64_t *last = &filter[hash % FILTER];
    to[kept] = hash;
    kept += (*last != hash) & known;
    if (known) *last = hash;
  }
  gathered->size += kept * 8;
  return 0;
}

static int update_set(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  const row_encoding *encoding = &set_of(acc)->encoding;
  mm_buffer *gathered = acc->local;
  uint64_t entries[PIECE * MOST_WORDS];
  if (!gathered->size) {
    TRY(mm_buffer_reserve(gathered, FILTER * 8, error));
    memset(gathered->data, 0, FILTER * 8);
    ((uint64_t *)gathered->data)[0] = 1; /* its slot is another: the hash 0 has not been met */
    gathered->size = FILTER * 8;
  }
  for (int64_t from = 0; from < rows->count; from += PIECE) {
    int64_t n = rows->count - from < PIECE ? rows->count - from : PIECE, start = rows->start + from;
    row_encoding_encode(encoding, 0, column, start, n, entries);
    row_encoding_hash(encoding, entries, n);
    TRY(gather_hashes(gathered, entries, encoding->stride, column, start, n, error));
  }
  return 0;
}

/* What was gathered, part by part; the filter stays. */
static int scatter_hashes(mm_buffer *from, mm_buffer *to, uint32_t *starts, mm_error *error) {
  int64_t n = from->size ? from->size / 8 - FILTER : 0;
  const uint64_t *hashes = n ? (const uint64_t *)from->data + FILTER : NULL;
  uint32_t next[PARTS] = {0}, start = 0;
  to->size = 0;
  TRY(mm_buffer_reserve(to, n * 8, error));
  for (int64_t i = 0; i < n; i++) next[hashes[i] >> 56]++;
  for (int p = 0; p < PARTS; p++) {
    starts[p] = start;
    start += next[p];
    next[p] = starts[p];
  }
  starts[PARTS] = start;
  uint64_t *out = (uint64_t *)to->data;
  for (int64_t i = 0; i < n; i++) out[next[hashes[i] >> 56]++] = hashes[i];
  if (n) from->size = FILTER * 8;
  return 0;
}

static int move_to_set(accumulator *from, accumulator *to, const uint32_t *place, int64_t groups, mm_error *error) {
  (void)place, (void)groups;
  distinct_set *set = set_of(from);
  uint32_t starts[PARTS + 1], turn = atomic_fetch_add(&set->turn, 37);
  TRY(scatter_hashes(gathered_of(from), gathered_of(to), starts, error));
  const uint64_t *hashes = (const uint64_t *)gathered_of(to)->data;
  for (uint32_t i = 0; i < PARTS && !atomic_load_explicit(&set->stopped, memory_order_relaxed); i++) {
    uint32_t p = (turn + i) % PARTS; /* all parts may grow at once, to gigabytes */
    if (starts[p + 1] == starts[p]) continue;
    shard *part = &set->parts[p];
    pthread_mutex_lock(&part->lock);
    int status = add_hashes(part, hashes + starts[p], starts[p + 1] - starts[p], error);
    pthread_mutex_unlock(&part->lock);
    TRY(status);
  }
  return 0;
}

static int combine_sets(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                        mm_error *error) {
  (void)to, (void)number, (void)from, (void)first, (void)n, (void)error;
  return 0; /* the set has it already */
}

static int emit_count(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                      mm_column *column, mm_error *error) {
  (void)states;
  int64_t count = 0;
  for (int p = 0; p < PARTS; p++) count += set_of(acc)->parts[p].count + set_of(acc)->parts[p].zero;
  TRY(column_make_result(column, request->type, n, false, error));
  for (int64_t i = 0; i < n; i++) ((int64_t *)column->data)[i] = count;
  return 0;
}

static const aggregate_function distinct_class = {.size = 1,
                                                  .ordered = true,
                                                  .reduces = true,
                                                  .bind = bind_set,
                                                  .interrupt = interrupt_set,
                                                  .free = free_set,
                                                  .open = open_gathered,
                                                  .close = close_gathered,
                                                  .update = update_set,
                                                  .combine = combine_sets,
                                                  .move = move_to_set,
                                                  .emit = emit_count};

const aggregate_function *count_distinct_global_function(void) { return &distinct_class; }
