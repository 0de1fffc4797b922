/* zstd_encoder.h - zstd frames.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* One zstd frame of `size` bytes, with its size and a checksum, appended to `to`. */
typedef struct zstd_encoder zstd_encoder;
zstd_encoder *zstd_encoder_new(int level, mm_error *error);
int zstd_encoder_frame(zstd_encoder *encoder, const uint8_t *bytes, int64_t size, mm_buffer *to, mm_error *error);
void zstd_encoder_free(zstd_encoder *encoder);
