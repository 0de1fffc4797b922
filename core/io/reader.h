/* reader.h - the bytes of one file, of stdin, or of memory, decompressed.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/read_context.h"

typedef struct file_reader file_reader;
/* Of a file, or of the bytes of a block, which lives as long. */
int reader_open(read_context *reading, const char *path, const mm_block *block, file_reader **reader, mm_error *error);
int64_t reader_read(file_reader *reader, uint8_t *bytes, int64_t size,
                    mm_error *error); /* bytes read, 0 at the end, or a status */
/* The first bytes, before any was read, without reading them: at least `size`, or all there are; they stay valid until
 * the first are read. Their number, or a status; what comes before a failure hides it. */
int64_t reader_peek(file_reader *reader, const uint8_t **bytes, int64_t size, mm_error *error);
bool reader_is_compressed(const file_reader *reader);
void reader_free(file_reader *reader);
