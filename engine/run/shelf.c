/* shelf.c: reads the files that the server keeps beside what is submitted. */
#include "run/shelf.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1000 };

static int is_yaml(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(entry->d_name, ".yaml");
}

static int read_one(const char *folder, const char *as, const char *name, struct arena *arena, struct source *ret, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    int failed = file_read(path, LIMIT_PIPELINE_BYTES, &bytes, &size, err);
    if (failed) return failed;
    *ret = (struct source){arena_format(arena, "%s/%s", as, name), arena_copy_bytes(arena, bytes, size), size};
    return 0;
}

int shelf_read(const char *folder, const char *as, struct arena *arena, struct source_set *set, struct error *err)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_yaml, alphasort), failed = 0;
    if (count < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, errno, "cannot list %s", folder);
    struct source *items = arena_alloc_array(arena, set->count + (size_t)count, sizeof *items);
    if (count > FILES_MAX) failed = error_set(err, ERROR_LIMIT, NOWHERE, "%s holds more than %d files", folder, FILES_MAX);
    if (set->count) memcpy(items, set->items, set->count * sizeof *items);
    for (int i = 0; i < count && !failed; i++)
        failed = read_one(folder, as, names[i]->d_name, arena, &items[set->count + (size_t)i], err);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (!failed) *set = (struct source_set){items, set->count + (size_t)count};
    return failed;
}

bool shelf_differs(const char *folder, const char *name, const char *digest)
{
    AUTO(free_text) char *path = mem_format("%s/%s.yaml", folder, name);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    char now[SHA256_HEX];
    if (file_read(path, LIMIT_PIPELINE_BYTES, &bytes, &size, NULL)) return true;
    sha256_hex(bytes, size, now);
    return !text_equal(now, digest);
}
