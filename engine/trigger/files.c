/* files.c: texts that came in a request's body become a source set. */
#include "trigger/files.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

static int read_file(const json_t *file, struct arena *arena, struct source *ret, struct error *err)
{
    const char *name = json_text(file, "name", NULL);
    const json_t *text = json_object_get(file, "text");
    const char *base64 = json_text(file, "base64", NULL);
    if (!name || !*name || (!json_is_string(text) && !base64))
        return error_set(err, ERROR_INVALID, NOWHERE, "request body: each of 'files' must be {name, text} or {name, base64}");
    struct source source = {.name = arena_copy_text(arena, name)};
    if (base64) {
        struct text decoded = {0};
        if (!base64_decode(base64, strlen(base64), &decoded)) {
            text_release(&decoded);
            return error_set(err, ERROR_INVALID, NOWHERE, "request body: '%s' in 'files' is not base64", name);
        }
        source.bytes = arena_copy_bytes(arena, text_view(&decoded), decoded.size);
        source.size = decoded.size;
        text_release(&decoded);
    } else {
        source.size = json_string_length(text);
        source.bytes = arena_copy_bytes(arena, json_string_value(text), source.size);
    }
    *ret = source;
    return 0;
}

int files_read(const json_t *list, struct arena *arena, struct source *items, size_t capacity, size_t *count, struct error *err)
{
    if (list && !json_is_array(list)) return error_set(err, ERROR_INVALID, NOWHERE, "request body: 'files' must be a list");
    size_t index;
    json_t *file;
    json_array_foreach(list, index, file)
    {
        if (*count == capacity) return error_set(err, ERROR_LIMIT, NOWHERE, "request body: more than %d files", FILES_MAX);
        int code = read_file(file, arena, &items[*count], err);
        if (code < 0) return code;
        ++*count;
    }
    return 0;
}
