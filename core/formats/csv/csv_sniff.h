/* csv_sniff.h - what a file is, by its name and first bytes.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

const char *csv_other_format(const uint8_t *bytes,
                             int64_t size); /* "gzip", ...: what it is when it is nothing we read, or NULL */
char csv_guess_delimiter(const char *path, const uint8_t *text, int64_t size, int quote);
