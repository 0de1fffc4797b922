/* zstd_decoder.h - decompression by a thread that runs ahead of the reader.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/read_context.h"

bool mm_is_zstd(const uint8_t *bytes, int64_t size);

typedef struct mm_decoder mm_decoder;
/* `read(source)` gives the bytes as stored, as mm_stream_read does; it is called by a thread of the decoder's. */
int mm_decoder_new(mm_feed *feed, int64_t (*read)(void *source, uint8_t *bytes, int64_t size, mm_error *error),
                   void *source, const char *path, mm_decoder **decoder, mm_error *error);
int64_t mm_decoder_read(mm_decoder *decoder, uint8_t *bytes, int64_t size, mm_error *error);
void mm_decoder_free(mm_decoder *decoder);
