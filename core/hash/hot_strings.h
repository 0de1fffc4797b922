/* hot_strings.h - strings that were seen in a column, each with a small number.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

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
