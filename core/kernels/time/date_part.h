/* date_part.h - the kernels of parts of dates, and of dates and timestamps from each other.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

kernel_function date_part_kernel(int op, int type);    /* year .. week */
kernel_function date_cast_kernel(int type, int type2); /* date and timestamp from each other */
