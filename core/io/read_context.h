/* read_context.h - what the readers of one input share.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/wait.h"
#include <pthread.h>
#include <stdatomic.h>

/* What the readers of one input share: one lock, what ends them, and how far they are. */
typedef struct read_context {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  file_wait wait;
  _Atomic int64_t consumed; /* bytes as stored */
  int64_t read_size;        /* bytes read at a time */
} read_context;
