/* zstd_encoder.c - zstd out: frames that know their size and carry a checksum.
 * SPDX-License-Identifier: MIT */
#include "io/zstd_encoder.h"
#include "base/alloc.h"
#include "base/error.h"
#include "io/zstd_memory.h"

struct zstd_encoder {
  ZSTD_CCtx *context;
};

zstd_encoder *zstd_encoder_new(int level, mm_error *error) {
  zstd_encoder *encoder = memory_allocate_zero(sizeof *encoder);
  if (encoder) encoder->context = ZSTD_createCCtx_advanced(zstd_memory);
  if (!encoder || !encoder->context) {
    zstd_encoder_free(encoder);
    error_fail_memory(error, sizeof *encoder);
    return NULL;
  }
  ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_compressionLevel, level ? level : ZSTD_CLEVEL_DEFAULT);
  ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_checksumFlag, 1);
  return encoder;
}

int zstd_encoder_frame(zstd_encoder *encoder, const uint8_t *bytes, int64_t size, mm_buffer *to, mm_error *error) {
  size_t bound = ZSTD_compressBound((size_t)size);
  TRY(mm_buffer_reserve(to, (int64_t)bound, error));
  size_t made = ZSTD_compress2(encoder->context, to->data + to->size, bound, bytes, (size_t)size);
  if (ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation) return error_fail_memory(error, (int64_t)bound);
  if (ZSTD_isError(made))
    return error_fail(error, MM_EBUG, "zstd", "zstd cannot compress: %s", ZSTD_getErrorName(made));
  to->size += (int64_t)made;
  return 0;
}

void zstd_encoder_free(zstd_encoder *encoder) {
  if (!encoder) return;
  ZSTD_freeCCtx(encoder->context);
  memory_release(encoder, sizeof *encoder);
}
