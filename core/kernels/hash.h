/* hash.h - the kernels of `hash`.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

mm_kernel mm_hash_kernel(int type); /* kernels/hash.c: hash of any type */
