/* date_part.h - the casts of dates and timestamps from each other.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/operations.h"

kernel_function date_cast_kernel(int type, int type2); /* NULL: no such cast */
