/* tar.h: writes a tar file (POSIX ustar; sizes from 8 GiB on as GNU tar writes them). Blocks. */
#ifndef CRESCENDO_BASE_TAR_H
#define CRESCENDO_BASE_TAR_H

#include "crescendo/error.h"

#include <stdint.h>

struct tar { /* starts as {fd, ...} */
    int fd;
    uint64_t size;  /* written so far */
    uint64_t files; /* regular files */
};

/* Adds one file, folder or symbolic link as `name` (relative, at most 255 bytes, with a '/' to cut it at within the first 155). A file that
   grows meanwhile is taken as long as it was; what it lost meanwhile becomes zeros. One that is gone, and what is neither of the three, is
   passed over: *ret_taken says. */
int tar_add(struct tar *tar, const char *path, const char *name, bool *ret_taken, struct error *err) MUST_CHECK;
/* Writes the end. */
int tar_end(struct tar *tar, struct error *err) MUST_CHECK;

#endif
