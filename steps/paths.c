/* paths.c: which relative paths and link targets stay below the folder that they are meant for. */
#include "paths.h"

#include <string.h>
#include <strings.h>

static bool part_is(const char *part, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(part, text, size) == 0;
}

bool path_stays_inside(const char *path)
{
    if (!*path || *path == '/') return false;
    while (*path) {
        size_t size = strcspn(path, "/");
        if (size == 0 || part_is(path, size, ".") || part_is(path, size, "..")) return false;
        path += size;
        if (*path) path++;
    }
    return true;
}

bool path_part_is_safe(const char *name)
{
    if (!*name || strchr(name, '/')) return false;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcasecmp(name, ".git") != 0;
}

bool link_stays_inside(const char *target, size_t depth)
{
    bool at_front = true;
    if (!*target || *target == '/') return false;
    while (*target) {
        size_t size = strcspn(target, "/");
        if (part_is(target, size, "..")) {
            if (!at_front || depth == 0) return false;
            depth--;
        } else if (size > 0 && !part_is(target, size, ".")) {
            at_front = false;
        }
        target += size;
        if (*target) target++;
    }
    return true;
}

size_t path_depth(const char *path)
{
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '/' && path[1];
    return depth;
}
