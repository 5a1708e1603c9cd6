/* match.c: which route of the mounted tables a method and a path mean. */
#include "http/match.h"

#include "base/encode.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct segments {
    char *values[MATCH_SEGMENTS_MAX];
    size_t count;
};

static void free_segments(struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++)
        free(segments->values[i]);
}

/* False: not a path, a broken %XX, or more segments than any route has. */
static bool split_path(const char *path, struct segments *segments)
{
    while (*path == '/') {
        path++;
        size_t size = strcspn(path, "/");
        if (segments->count == MATCH_SEGMENTS_MAX) return false;
        AUTO(free_text) char *raw = mem_copy_bytes(path, size);
        struct text decoded = {0};
        if (!percent_decode(raw, &decoded)) {
            text_release(&decoded);
            return false;
        }
        segments->values[segments->count++] = text_take(&decoded);
        path += size;
    }
    return *path == '\0' && segments->count > 0;
}

/* Does one segment fit the template's? A {part} is noted in *match, its value still borrowed from the segments. */
static bool fits_segment(const char *template, size_t size, char *value, struct match *match)
{
    if (size < 2 || template[0] != '{') return strlen(value) == size && memcmp(template, value, size) == 0;
    if (!*value || match->part_count == MATCH_PARTS_MAX) return false;
    size_t part = match->part_count++;
    match->parts[part].name = template + 1;
    match->parts[part].name_size = size - 2;
    match->parts[part].value = value;
    return true;
}

static bool fits(const char *template, const struct segments *segments, struct match *match)
{
    match->part_count = 0;
    for (size_t i = 0; i < segments->count; i++) {
        if (*template != '/') return false;
        size_t size = strcspn(++template, "/");
        if (!fits_segment(template, size, segments->values[i], match)) return false;
        template += size;
    }
    return *template == '\0';
}

static bool fits_method(const char *wanted, const char *method)
{
    return text_equal(wanted, method) || (text_equal(wanted, "GET") && text_equal(method, "HEAD"));
}

static void own_parts(struct match *match)
{
    for (size_t i = 0; i < match->part_count; i++)
        match->parts[i].value = mem_copy_text(match->parts[i].value);
}

enum match_result match_route(const struct http_mount *mounts, const char *method, const char *path, struct match *ret, struct text *allow)
{
    AUTO(free_segments) struct segments segments = {0};
    if (!split_path(path, &segments)) return MATCH_MALFORMED;
    enum match_result result = MATCH_NO_PATH;
    for (; mounts->routes; mounts++) {
        for (const struct route *route = mounts->routes; route->method; route++) {
            struct match match = {.mount = mounts, .route = route, .context = mounts->context};
            if (!fits(route->path, &segments, &match)) continue;
            if (fits_method(route->method, method)) {
                own_parts(&match);
                *ret = match;
                return MATCH_FOUND;
            }
            text_add_format(allow, "%s%s", allow->size ? ", " : "", route->method);
            result = MATCH_NO_METHOD;
        }
    }
    return result;
}

static bool begins_alike(const char *path, const char *template)
{
    size_t size = strcspn(path + 1, "/") + 1;
    return strncmp(path, template, size) == 0 && (template[size] == '/' || !template[size]);
}

const struct http_mount *match_error_mount(const struct http_mount *mounts, const char *path)
{
    for (; mounts->routes && *path == '/'; mounts++)
        for (const struct route *route = mounts->routes; route->method && mounts->error_body; route++)
            if (begins_alike(path, route->path)) return mounts;
    return NULL;
}

void match_release(struct match *match)
{
    for (size_t i = 0; i < match->part_count; i++)
        free(match->parts[i].value);
    *match = (struct match){0};
}

const char *match_part(const struct match *match, const char *name)
{
    for (size_t i = 0; i < match->part_count; i++) {
        bool same_size = match->parts[i].name_size == strlen(name);
        if (same_size && memcmp(match->parts[i].name, name, match->parts[i].name_size) == 0) return match->parts[i].value;
    }
    return NULL;
}
