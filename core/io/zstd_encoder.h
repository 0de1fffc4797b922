/* zstd_encoder.h - zstd frames.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* One zstd frame of `size` bytes, with its size and a checksum, appended to `to`. */
typedef struct mm_encoder mm_encoder;
mm_encoder *mm_encoder_new(int level, mm_error *error);
int mm_encoder_frame(mm_encoder *encoder, const uint8_t *bytes, int64_t size, mm_buffer *to, mm_error *error);
void mm_encoder_free(mm_encoder *encoder);
