/* disk_private.h: between the calls that are taken (calls.c) and what is noted of them (disk.c). No function here changes errno, but
   disk_fails when it says so. */
#ifndef TESTS_CRASH_POWER_DISK_PRIVATE_H
#define TESTS_CRASH_POWER_DISK_PRIVATE_H

#include "disk.h"

#include <limits.h>
#include <stdbool.h>

/* The function of that name behind this library: the C library's. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A file or folder on the disk. */
struct place {
    char path[PATH_MAX];
    uint64_t inode, size;
};

bool disk_is_deaf(void);
bool disk_is_off(void);

/* Is it below the folder, and not the index of a WAL? */
bool disk_has(const char *path);
bool disk_has_fd(int fd, struct place *ret);
bool disk_has_at(int at, const char *path, struct place *ret);

/* Before size bytes are written at offset, or the file is cut there: what stood there. */
void disk_will_write(int fd, const struct place *place, uint64_t offset, uint64_t size);
/* Since: the log's size before the sync; what came later may be on the disk, or not. */
uint64_t disk_log_size(void);
void disk_synced(const struct place *place, uint64_t since);
void disk_made(const char *path);
/* Keeps a file that is about to lose its name; returns its number, 0 where there is none (or it is a folder). */
uint64_t disk_keep(const char *path);
void disk_moved(const struct place *from, const char *to, uint64_t replaced);
void disk_gone(const struct place *place, uint64_t number);

/* The next durable point is about to be reached, and was; does not return where the process is to stop there. */
uint32_t disk_point(const char *what, const char *path);
void disk_point_done(uint32_t point, const char *what, const char *path);
/* Counts this call; true: it is to fail, and errno says how. */
bool disk_fails(int call, const char *what, const char *path);

#endif
