/* reader.h - the bytes of one file, of stdin, or of memory, decompressed.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/read_context.h"

typedef struct mm_stream mm_stream;
/* Of a file, or of the bytes of a block, which lives as long. */
int mm_stream_open(mm_feed *feed, const char *path, const mm_block *block, mm_stream **stream, mm_error *error);
int64_t mm_stream_read(mm_stream *stream, uint8_t *bytes, int64_t size,
                       mm_error *error); /* bytes read, 0 at the end, or a status */
bool mm_stream_compressed(const mm_stream *stream);
void mm_stream_free(mm_stream *stream);
