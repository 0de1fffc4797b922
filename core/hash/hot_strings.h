/* hot_strings.h - strings that were seen in a column, each with a small number.
 *
 * DESIGN. The part of hot_keys that knows text, a cache like it: it compares a text as words out of the column's bytes
 * and sorts a vector's rows by how many words they take, where hash_table compares entries that were encoded before.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

#define HOT_UNKNOWN UINT32_MAX

/* Texts that were seen, each with a number below HOT_UNKNOWN. */
typedef struct hot_strings hot_strings;
int hot_strings_init(hot_strings **strings, mm_error *error);
void hot_strings_free(hot_strings *strings);
void hot_strings_clear(hot_strings *strings);
/* How many texts it knows, null not among them. */
int32_t hot_strings_count(const hot_strings *strings);
/* Numbers of up to MM_VECTOR rows; HOT_UNKNOWN: it has not been seen, or there was no room for it. */
void hot_strings_find(hot_strings *strings, const mm_column *column, int64_t start, int64_t n, uint32_t *numbers);
/* The number of the text (or null) in a row, which becomes `number` if it had none. HOT_UNKNOWN: there is no room. */
uint32_t hot_strings_add(hot_strings *strings, const mm_column *column, int64_t row, uint32_t number);
