/* list_directory.c - the names in a directory, for `list` and for the suggestion of a file that is there.
 * SPDX-License-Identifier: MIT */
#include "command/command.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>

int mm_host_list_directory(const char *path, mm_buffer *names, mm_error *error) {
  DIR *folder = opendir(path);
  if (!folder)
    return mm_host_fail(error, MM_EIO, "cannot-open", "cannot read the folder %s: %s", path, strerror(errno));
  int status = MM_OK;
  for (struct dirent *entry = readdir(folder); entry && status >= 0; entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    status = mm_buffer_append(names, entry->d_name, (int64_t)strlen(entry->d_name) + 1, error);
  }
  closedir(folder);
  return status;
}
