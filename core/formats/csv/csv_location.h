/* csv_location.h - where in which file something is.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_chunk.h"

/* Fill in file, line and column of a byte of a chunk; `path` is that of the span's file. */
void csv_locate(const char *path, const csv_chunk *chunk, const csv_span *span, int64_t position, mm_error *error);
