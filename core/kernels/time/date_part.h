/* date_part.h - the kernels of parts of dates, and of dates and timestamps from each other.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

mm_kernel mm_moment_part(int op, int type);    /* year .. week */
mm_kernel mm_moment_cast(int type, int type2); /* date and timestamp from each other */
