/* count_distinct.c - n_unique, exactly: a table of (group, value) pairs beside the states.
 *
 * DESIGN. A pair is a key of two columns, the first being the number of the group. A partial has the pairs of a group
 * side by side, its states tell where; when it is merged they get the number of the group in the other table, and a new
 * hash. Where most pairs of a morsel are new, looking them up there is wasted: the rest is appended as it comes, and
 * found out when it is merged; unless groups are so few that one worker merges them.
 *
 * SPDX-License-Identifier: MIT */
#include "aggregates/families.h"
#include "aggregates/saved_state.h"
#include "base/alloc.h"
#include "base/error.h"
#include "hash/hash_table.h"
#include "types/column.h"
#include "types/type.h"
#include <string.h>

enum { FIRST_ROWS = 4096, PIECE = 256, PAIR_WORDS = 6 }; /* a hash, the group, at most two words of value, raw bits */
typedef struct unique {                                  /* a group's pairs, side by side */
  union {
    int64_t start;           /* in a partial */
    const uint64_t *entries; /* when all is combined, and they will be saved */
  };
  int64_t count;
} unique;

/* What an accumulator keeps beside its states. */
typedef struct pair_table {
  hash_table pairs;
  int64_t rows;  /* that they came from */
  bool appended; /* some were not looked up */
} pair_table;

static pair_table *table_of(const accumulator *acc) { return acc->local; }
static hash_table *pairs_of(const accumulator *acc) { return &table_of(acc)->pairs; }
static const row_encoding *encoding_of(const accumulator *acc) { return acc->shared; }

static int bind_pairs(accumulator *acc, mm_error *error) {
  mm_type types[] = {{.id = MM_U32}, acc->type};
  acc->shared = memory_allocate_zero(sizeof(row_encoding));
  return acc->shared ? row_encoding_init(acc->shared, types, 2, false, error)
                     : error_fail_memory(error, sizeof(row_encoding));
}

static void free_pairs(accumulator *acc) {
  row_encoding_free(acc->shared);
  memory_release(acc->shared, sizeof(row_encoding));
}

static int open_pairs(accumulator *acc, mm_error *error) {
  pair_table *table = memory_allocate_zero(sizeof *table);
  if (!table) return error_fail_memory(error, sizeof *table);
  table->pairs = (hash_table){.encoding = encoding_of(acc), .arena = acc->arena};
  acc->local = table;
  return 0;
}

static void close_pairs(accumulator *acc) {
  hash_table_free(pairs_of(acc));
  memory_release(acc->local, sizeof(pair_table));
}

static int64_t count_pairs(const accumulator *acc) { return pairs_of(acc)->count; }

/* Entries are so small that a call of memcpy costs more than the copy. */
static inline void copy_entry(uint64_t *to, const uint64_t *from, int64_t stride) {
  to[0] = from[0];
  to[1] = from[1];
  if (stride > 2) to[2] = from[2];
  for (int64_t w = 3; w < stride; w++) to[w] = from[w];
}

static int update_pairs(accumulator *acc, const mm_column *column, row_vector *rows, mm_error *error) {
  const row_encoding *encoding = encoding_of(acc);
  pair_table *table = table_of(acc);
  uint64_t entries[PIECE * PAIR_WORDS];
  uint32_t numbers[PIECE];
  for (int64_t from = 0; from < rows->count; from += PIECE) {
    int64_t n = rows->count - from < PIECE ? rows->count - from : PIECE, kept = 0;
    mm_column groups = {.type = {.id = MM_U32}, .length = n, .data = rows->group + from};
    row_encoding_encode(encoding, 0, &groups, 0, n, entries);
    row_encoding_encode(encoding, 1, column, rows->start + from, n, entries);
    for (int64_t i = 0; i < n; i++) {
      if (column->valid && !bit_get(column->valid, rows->start + from + i)) continue;
      if (kept != i) copy_entry(entries + kept * encoding->stride, entries + i * encoding->stride, encoding->stride);
      kept++;
    }
    row_encoding_hash(encoding, entries, kept);
    bool many = table->rows >= FIRST_ROWS && rows->groups >= SHARED_GROUPS;
    table->appended |= rows->distinct || (many && table->pairs.count > table->rows / 2);
    table->rows += kept;
    if (table->appended) TRY(hash_table_append(&table->pairs, entries, kept, numbers, error));
    else TRY(hash_table_resolve(&table->pairs, entries, kept, numbers, error));
  }
  return 0;
}

static inline uint32_t group_of(const uint64_t *entry) { return (uint32_t)entry[1]; }
static inline void set_group(uint64_t *entry, uint32_t group) { entry[1] = (entry[1] & ~(uint64_t)UINT32_MAX) | group; }

/* Pairs side by side by group, in an empty buffer; group i becomes place[i] (NULL: i). */
static int arrange_pairs(const hash_table *pairs, unique *states, const uint32_t *place, int64_t groups,
                         mm_buffer *entries, mm_error *error) {
  int64_t n = pairs->count, stride = pairs->encoding->stride, start = 0;
  TRY(mm_buffer_reserve(entries, n * stride * 8, error));
  entries->size = n * stride * 8;
  for (int64_t g = 0; g < groups; g++) states[g] = (unique){0};
  for (int64_t i = 0; i < n; i++) {
    uint32_t group = group_of(hash_table_entry(pairs, i));
    states[place ? place[group] : group].count++;
  }
  for (int64_t g = 0; g < groups; g++) {
    states[g].start = start;
    start += states[g].count;
  }
  for (int64_t i = 0; i < n; i++) {
    const uint64_t *entry = hash_table_entry(pairs, i);
    uint32_t group = place ? place[group_of(entry)] : group_of(entry);
    uint64_t *moved = (uint64_t *)entries->data + states[group].start++ * stride;
    copy_entry(moved, entry, stride);
    set_group(moved, group);
  }
  for (int64_t g = 0; g < groups; g++) states[g].start -= states[g].count;
  return 0;
}

static int move_pairs(accumulator *from, accumulator *to, const uint32_t *place, int64_t groups, mm_error *error) {
  pairs_of(to)->entries.size = 0;
  TRY(arrange_pairs(pairs_of(from), accumulator_state(to, 0), place, groups, &pairs_of(to)->entries, error));
  pairs_of(to)->count = pairs_of(from)->count;
  hash_table_clear(pairs_of(from));
  table_of(from)->appended = false;
  table_of(from)->rows = 0;
  return 0;
}

static int combine_pairs(accumulator *to, const uint32_t *number, const accumulator *from, int64_t first, int64_t n,
                         mm_error *error) {
  const row_encoding *encoding = encoding_of(to);
  const unique *added = accumulator_state(from, first);
  uint64_t entries[PIECE * PAIR_WORDS];
  uint32_t numbers[PIECE];
  int64_t filled = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < added[i].count; k++) {
      uint64_t *entry = entries + filled * encoding->stride;
      copy_entry(entry, hash_table_entry(pairs_of(from), added[i].start + k), encoding->stride);
      set_group(entry, number[i]);
      if (++filled < PIECE) continue;
      row_encoding_hash(encoding, entries, filled);
      TRY(hash_table_resolve(pairs_of(to), entries, filled, numbers, error));
      filled = 0;
    }
  }
  row_encoding_hash(encoding, entries, filled);
  return hash_table_resolve(pairs_of(to), entries, filled, numbers, error);
}

/* Only for saving: what was found out is not looked up again. */
static int finalize_saved(accumulator *acc, int64_t groups, mm_error *error) {
  hash_table *pairs = pairs_of(acc);
  unique *states = accumulator_state(acc, 0);
  mm_buffer entries = {0};
  int status = arrange_pairs(pairs, states, NULL, groups, &entries, error);
  if (status < 0) {
    mm_buffer_free(&entries);
    return status;
  }
  mm_buffer_free(&pairs->entries);
  pairs->entries = entries;
  for (int64_t g = 0; g < groups; g++)
    states[g].entries = states[g].count ? hash_table_entry(pairs, states[g].start) : NULL;
  return 0;
}

static int finalize_pairs(accumulator *acc, int64_t groups, mm_error *error) {
  if (acc->saves) return finalize_saved(acc, groups, error);
  unique *states = accumulator_state(acc, 0);
  for (int64_t g = 0; g < groups; g++) states[g] = (unique){0};
  for (int64_t i = 0; i < pairs_of(acc)->count; i++) states[group_of(hash_table_entry(pairs_of(acc), i))].count++;
  return 0;
}

/* ---- Saved: the values; of text, how many, their sizes, and their bytes ---- */

static int save_pairs(const accumulator *acc, const void *state, mm_buffer *to, mm_error *error) {
  const row_encoding *encoding = encoding_of(acc);
  const unique *saved = state;
  int64_t size;
  if (type_is_text(acc->type.id)) {
    TRY(mm_buffer_append(to, &saved->count, 8, error));
    for (int64_t i = 0; i < saved->count; i++) {
      row_encoding_value(encoding, 1, saved->entries + i * encoding->stride, &size);
      TRY(mm_buffer_append(to, &size, 4, error));
    }
  }
  for (int64_t i = 0; i < saved->count; i++) {
    const uint8_t *value = row_encoding_value(encoding, 1, saved->entries + i * encoding->stride, &size);
    TRY(mm_buffer_append(to, value, size, error));
  }
  return 0;
}

/* At most PIECE values of a column without nulls. */
static int add_values(accumulator *acc, int64_t group, const mm_column *values, mm_error *error) {
  const row_encoding *encoding = encoding_of(acc);
  uint64_t entries[PIECE * PAIR_WORDS];
  uint32_t numbers[PIECE], groups[PIECE];
  for (int64_t i = 0; i < values->length; i++) groups[i] = (uint32_t)group;
  mm_column column = {.type = {.id = MM_U32}, .length = values->length, .data = groups};
  row_encoding_encode(encoding, 0, &column, 0, values->length, entries);
  row_encoding_encode(encoding, 1, values, 0, values->length, entries);
  row_encoding_hash(encoding, entries, values->length);
  return hash_table_resolve(pairs_of(acc), entries, values->length, numbers, error);
}

static int load_numbers(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t width = mm_type_width(acc->type);
  bool bits = width == 0;
  if (bits) width = 1;
  if (size % width) return saved_state_refuse(error);
  for (int64_t left = size / width; left;) {
    uint64_t aligned[PIECE] = {0};
    mm_column values = {.type = acc->type, .length = left < PIECE ? left : PIECE, .data = aligned};
    for (int64_t i = 0; bits && i < values.length; i++)
      if (bytes[i] & 1) bit_set(aligned, i);
    if (!bits) memcpy(aligned, bytes, (size_t)(values.length * width));
    TRY(add_values(acc, group, &values, error));
    bytes += values.length * width;
    left -= values.length;
  }
  return 0;
}

static int load_texts(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t left;
  if (size < 8) return saved_state_refuse(error);
  memcpy(&left, bytes, 8);
  if (left < 0 || left > (size - 8) / 4) return saved_state_refuse(error);
  const uint8_t *sizes = bytes + 8, *texts = sizes + left * 4, *end = bytes + size;
  while (left) {
    int32_t offsets[PIECE + 1] = {0};
    mm_column values = {.type = acc->type, .length = left < PIECE ? left : PIECE, .data = texts, .offsets = offsets};
    for (int64_t i = 0; i < values.length; i++) {
      uint32_t length;
      memcpy(&length, sizes + i * 4, 4);
      if (length > end - texts - offsets[i]) return saved_state_refuse(error);
      offsets[i + 1] = offsets[i] + (int32_t)length;
    }
    TRY(add_values(acc, group, &values, error));
    texts += offsets[values.length];
    sizes += values.length * 4;
    left -= values.length;
  }
  return texts == end ? 0 : saved_state_refuse(error);
}

static int load_pairs(accumulator *acc, int64_t group, const uint8_t *bytes, int64_t size, mm_error *error) {
  return type_is_text(acc->type.id) ? load_texts(acc, group, bytes, size, error)
                                    : load_numbers(acc, group, bytes, size, error);
}

/* ---- The class ---- */

static int emit_counts(const accumulator *acc, const aggregate_request *request, void *const *states, int64_t n,
                       mm_column *column, mm_error *error) {
  (void)acc;
  TRY(column_make_result(column, request->type, n, false, error));
  int64_t *out = (int64_t *)column->data;
  for (int64_t i = 0; i < n; i++) out[i] = ((const unique *)states[i])->count;
  return 0;
}

static const aggregate_function unique_class = {.size = sizeof(unique),
                                                .ordered = true,
                                                .bind = bind_pairs,
                                                .free = free_pairs,
                                                .open = open_pairs,
                                                .close = close_pairs,
                                                .entries = count_pairs,
                                                .update = update_pairs,
                                                .combine = combine_pairs,
                                                .move = move_pairs,
                                                .finalize = finalize_pairs,
                                                .emit = emit_counts,
                                                .save = save_pairs,
                                                .load = load_pairs};

const aggregate_function *count_distinct_function(aggregate_use use) {
  if (use.type.id == MM_NULL) return count_function(use);
  return use.alone && !type_is_text(use.type.id) ? count_distinct_global_function() : &unique_class;
}
