/* foreign.h - what foreign types are called.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include <stdint.h>

/* What a foreign type is called, for people. */
void foreign_name(const struct ArrowSchema *schema, char *text, int64_t size);
