/* hash.h - the kernels of `hash`.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

kernel_function hash_kernel(int type); /* kernels/hash.c: hash of any type */
