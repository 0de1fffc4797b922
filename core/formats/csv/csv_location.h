/* csv_location.h - where in which file something is.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_chunk.h"

/* Fill in file, line and column of a byte of a piece; `path` is that of the span's file. */
void mm_place(const char *path, const mm_piece *piece, const mm_span *span, int64_t position, mm_error *error);
