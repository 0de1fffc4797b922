/* zstd_decoder.h - decompression by a thread that runs ahead of the reader.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/read_context.h"

bool is_zstd(const uint8_t *bytes, int64_t size);

typedef struct zstd_decoder zstd_decoder;
/* `read(source)` gives the bytes as stored, as reader_read does; it is called by a thread of the decoder's. */
int zstd_decoder_new(read_context *reading,
                     int64_t (*read)(void *source, uint8_t *bytes, int64_t size, mm_error *error), void *source,
                     const char *path, zstd_decoder **decoder, mm_error *error);
int64_t zstd_decoder_read(zstd_decoder *decoder, uint8_t *bytes, int64_t size, mm_error *error);
void zstd_decoder_free(zstd_decoder *decoder);
