/* reader.h - the bytes of one file, of stdin, or of memory, decompressed.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/read_context.h"

typedef struct reader reader;
/* Of a file, or of the bytes of a block, which lives as long. */
int reader_open(read_context *feed, const char *path, const mm_block *block, reader **stream, mm_error *error);
int64_t reader_read(reader *stream, uint8_t *bytes, int64_t size,
                    mm_error *error); /* bytes read, 0 at the end, or a status */
bool reader_is_compressed(const reader *stream);
void reader_free(reader *stream);
