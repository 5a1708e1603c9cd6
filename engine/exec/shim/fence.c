/* fence.c: the highest epoch of a server that commanded us, in the folder's file `epoch`, so that who takes our place knows it. Not synced:
   a server of a lower one that could still reach us dies with the machine, as we do. */
#include "shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t fence_read(int folder_fd)
{
    char digits[32] = "";
    int fd = openat(folder_fd, "epoch", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return 0;
    ssize_t got = read(fd, digits, sizeof digits - 1);
    close(fd);
    return got > 0 ? strtoull(digits, NULL, 10) : 0;
}

/* One that cannot be written (a full disk) holds as long as we live. */
static void fence_write(int folder_fd, uint64_t epoch)
{
    char digits[32];
    int size = snprintf(digits, sizeof digits, "%llu\n", (unsigned long long)epoch);
    int fd = openat(folder_fd, "epoch.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    bool whole = write(fd, digits, (size_t)size) == size;
    close(fd);
    if (whole)
        renameat(folder_fd, "epoch.new", folder_fd, "epoch");
    else
        unlinkat(folder_fd, "epoch.new", 0);
}

uint64_t fence_epoch(struct shim *shim)
{
    if (!shim->epoch) shim->epoch = fence_read(shim->folder_fd);
    return shim->epoch;
}

bool fence_pass(struct shim *shim, uint64_t epoch)
{
    if (epoch < fence_epoch(shim)) return false;
    if (epoch > shim->epoch) fence_write(shim->folder_fd, epoch);
    shim->epoch = epoch;
    return true;
}
