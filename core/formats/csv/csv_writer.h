/* csv_writer.h - the sink that writes CSV.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

extern const mm_option_table csv_writing;
/* As mm_format.sink. */
mm_stage *csv_sink_new(const char *path, const void *options, const mm_output_options *output, mm_error *error);
