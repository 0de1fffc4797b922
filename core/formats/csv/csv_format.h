/* csv_format.h - CSV, and lines of text.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

extern const mm_format csv_format;
extern const mm_format lines_format; /* one column, `line`, which is never null; only read */
