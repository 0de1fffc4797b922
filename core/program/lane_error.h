/* lane_error.h - why a lane failed.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "program/frame.h"

/* Describe why `lane` failed in step: id, message, value, place. */
void mm_describe_failure(const mm_frame *frame, const mm_step *step, int32_t lane, mm_error *error);
