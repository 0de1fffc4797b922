/* integer.h - integers and booleans from and to text. No locale, no allocation.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Parse the whole text (no surrounding blanks): optional sign, digits. 0: done; 1: not a number of this form; 2: out of
 * range. */
int parse_i64(const char *text, int64_t size, int64_t *value);
int parse_u64(const char *text, int64_t size, uint64_t *value);
int parse_bool(const char *text, int64_t size, bool *value); /* true false (any case) */
/* The text of a number; returns its length, at most 20. */
int format_i64(char *text, int64_t value);
int format_u64(char *text, uint64_t value);
