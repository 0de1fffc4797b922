/* format_registry.h - which formats there are.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* The format of a file that begins so. */
const mm_format *format_by_content(const uint8_t *bytes, int64_t size);
/* The format that a path is written in by its end. */
const mm_format *format_by_path(const char *path);
/* A format by its name, or MM_EUSAGE with a hint that lists those that read (or write). */
int format_by_name(const char *name, bool reads, const mm_format **format, mm_error *error);
