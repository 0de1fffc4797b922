/* lane_error.h - why a lane failed.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "program/frame.h"

/* Describe why `lane` failed in step: id, message, value, place. */
void describe_lane_error(const program_frame *frame, const program_step *step, int32_t lane, mm_error *error);
