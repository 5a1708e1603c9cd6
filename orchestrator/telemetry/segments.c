/* segments.c: the list of segments. It is made anew only when the folder changed; else only the last one's size is looked at.
   A segment's records are counted after the folder was listed: then one that has a successor in the list grows no more. */
#include "orchestrator/telemetry/segments.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_DIGITS = 8, SEGMENT_MAX_RECORDS = 1 << 30 };

char *segment_path(const char *folder, uint32_t number, const char *suffix)
{
    return mem_format("%s/%0*u%s", folder, NAME_DIGITS, number, suffix);
}

void segments_release(struct segments *segments)
{
    free(segments->items);
    *segments = (struct segments){0};
}

struct segment *segments_from(struct segments *segments, uint32_t number)
{
    size_t low = 0, high = segments->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segments->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < segments->count ? &segments->items[low] : NULL;
}

/* 0: not the name of a segment. */
static uint32_t number_of_name(const char *name)
{
    char *end;
    if (strspn(name, "0123456789") < NAME_DIGITS || !text_ends(name, ".seg")) return 0;
    errno = 0;
    unsigned long long number = strtoull(name, &end, 10);
    return errno == 0 && strcmp(end, ".seg") == 0 && number < UINT32_MAX ? (uint32_t)number : 0;
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = ((const struct segment *)a)->number, right = ((const struct segment *)b)->number;
    return (left > right) - (left < right);
}

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

/* Fills a new list with the numbers that are there; what was known of a segment goes over into it. */
static int list(struct segments *old, const char *folder, struct segments *ret, struct error *err)
{
    AUTO(close_folder) DIR *listing = opendir(folder);
    if (!listing) return errno == ENOENT ? 0 : error_set_errno(err, errno, "opening %s", folder);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(listing)); errno = 0) {
        uint32_t number = number_of_name(entry->d_name);
        if (!number) continue;
        ret->items = mem_grow(ret->items, &ret->capacity, ret->count + 1, sizeof *ret->items);
        const struct segment *known = segments_from(old, number);
        ret->items[ret->count++] = known && known->number == number ? *known : (struct segment){.number = number};
    }
    if (errno) return error_set_errno(err, errno, "reading %s", folder);
    if (ret->count) qsort(ret->items, ret->count, sizeof *ret->items, by_number);
    return 0;
}

static int count_records(const char *folder, struct segment *segment, struct error *err)
{
    AUTO(free_text) char *path = segment_path(folder, segment->number, ".seg");
    struct stat status;
    if (stat(path, &status) < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "looking at %s", path);
    off_t bytes = status.st_size - TELEMETRY_HEADER_BYTES;
    off_t records = bytes > 0 ? bytes / (off_t)sizeof(struct telemetry_record) : 0;
    segment->records = records > SEGMENT_MAX_RECORDS ? SEGMENT_MAX_RECORDS : (uint32_t)records;
    return 0;
}

/* Two segments may be made within one tick of the file system's clock: so the next number is looked for as well. */
static bool is_as_listed(const struct segments *segments, const char *folder, const struct stat *status)
{
    if (!segments->count || status->st_mtim.tv_sec != segments->changed.tv_sec || status->st_mtim.tv_nsec != segments->changed.tv_nsec)
        return false;
    AUTO(free_text) char *next = segment_path(folder, segments->items[segments->count - 1].number + 1, ".seg");
    return access(next, F_OK) != 0;
}

int segments_refresh(struct segments *segments, const char *folder, struct error *err)
{
    struct stat status = {0};
    if (stat(folder, &status) < 0 && errno != ENOENT) return error_set_errno(err, errno, "looking at %s", folder);
    if (is_as_listed(segments, folder, &status)) return count_records(folder, &segments->items[segments->count - 1], err);
    AUTO(segments_release) struct segments fresh = {.changed = status.st_mtim, .inode = status.st_ino};
    if (fresh.inode != segments->inode) segments_release(segments); /* made anew: the numbers mean other segments */
    int failed = list(segments, folder, &fresh, err);
    for (size_t i = 0; !failed && i < fresh.count; i++) {
        if (fresh.items[i].is_final) continue;
        failed = count_records(folder, &fresh.items[i], err);
        fresh.items[i].is_final = i + 1 < fresh.count;
    }
    if (failed) return failed;
    struct segments old = *segments;
    *segments = fresh;
    fresh = old;
    return 0;
}
