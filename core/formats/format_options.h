/* format_options.h - one option of a format, checked.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* See that an option may have a value; `shown` names it in messages. */
int format_option_check(const mm_option_info *info, const char *shown, const mm_option *given, mm_error *error);
