/* domains.c: reads the files of the server's domains. */
#include "run/domains.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DOMAINS_MAX = 1000 };

static int is_domain(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(entry->d_name, ".yaml");
}

static int read_one(const char *folder, const char *name, struct arena *arena, struct source *ret, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    int failed = file_read(path, LIMIT_PIPELINE_BYTES, &bytes, &size, err);
    if (failed) return failed;
    *ret = (struct source){arena_format(arena, "domains/%s", name), arena_copy_bytes(arena, bytes, size), size};
    return 0;
}

int domains_read(const char *folder, struct arena *arena, struct source_set *set, struct error *err)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_domain, alphasort), failed = 0;
    if (count < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, errno, "cannot list the domains in %s", folder);
    struct source *items = arena_alloc_array(arena, set->count + (size_t)count, sizeof *items);
    if (count > DOMAINS_MAX) failed = error_set(err, ERROR_LIMIT, NOWHERE, "%s holds more than %d domains", folder, DOMAINS_MAX);
    if (set->count) memcpy(items, set->items, set->count * sizeof *items);
    for (int i = 0; i < count && !failed; i++)
        failed = read_one(folder, names[i]->d_name, arena, &items[set->count + (size_t)i], err);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (!failed) *set = (struct source_set){items, set->count + (size_t)count};
    return failed;
}
