/* terminal.c - what the command asks about its terminal, and whether what it printed has arrived.
 * SPDX-License-Identifier: MIT */
#include "command/command.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool mm_host_is_terminal(int32_t fd) { return isatty(fd) == 1; }

int32_t mm_host_terminal_width(int32_t fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int mm_host_flush(mm_error *error) {
  int failure = fflush(stdout) != 0 ? errno : 0;
  if (!failure && !ferror(stdout)) return 0;
  struct pollfd look = {.fd = STDOUT_FILENO, .events = POLLOUT};
  if (!failure) failure = poll(&look, 1, 0) > 0 && look.revents & POLLERR ? EPIPE : EIO; /* an earlier write failed */
  mm_host_fail(error, MM_EIO,
               failure == EPIPE    ? "closed-pipe"
               : failure == ENOSPC ? "disk-full"
                                   : "io-error",
               "cannot write: %s", strerror(failure));
  if (error) memcpy(error->file, "<stdout>", sizeof "<stdout>");
  return MM_EIO;
}
