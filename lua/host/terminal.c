/* terminal.c - what the command asks about its terminal.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include <sys/ioctl.h>
#include <unistd.h>

bool mm_host_is_terminal(int32_t fd) { return isatty(fd) == 1; }

int32_t mm_host_terminal_width(int32_t fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
