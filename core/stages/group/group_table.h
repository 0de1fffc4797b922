/* group_table.h - a hash table of keys with the states of aggregates beside it.
 *
 * DESIGN. The key of a row is written as an entry of 64-bit words, so that comparing keys of any types is comparing
 * words. A table numbers the entries in order of first appearance; accumulators are arrays of states beside it, indexed
 * by that number. Each worker absorbs one morsel into a table of its own, resolving a vector of rows to numbers first
 * and then running one tight loop per accumulator. At the end of the morsel the table is cut: what it holds becomes a
 * partial, and partials are merged strictly in morsel order, in one table while groups are few, else in partitions by
 * the top bits of the hash, which workers take on side by side. Merging a group's states in morsel order is all that a
 * result depends on.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/hash_table.h"
#include "stages/group/group_plan.h"

typedef struct group_table {
  const group_plan *plan;
  hash_table keys;
  arena arena;
  accumulator *accumulators;
  mm_buffer first; /* uint64_t of each group: where it first appeared, morsel above position */
  int64_t room;    /* groups that the states have room for */
} group_table;

int group_table_init(group_table *groups, const group_plan *plan, int64_t head, mm_error *error);
void group_table_free(group_table *groups);
/* Make states for groups up to the count of keys. `first` of the new ones is up to the caller. */
int group_table_extend(group_table *groups, int64_t from, mm_error *error);
/* Room for the states of so many groups; what is there stays. */
int group_table_reserve(group_table *groups, int64_t count, mm_error *error);
