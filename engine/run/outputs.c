/* outputs.c: the file that a run step hands its outputs over in. */
#include "run/outputs.h"

#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <stdlib.h>
#include <string.h>

struct lines {
    const char *at, *end;
    unsigned number; /* of the line last taken */
};

static bool next_line(struct lines *lines, const char **ret_line, size_t *ret_size)
{
    if (lines->at == lines->end) return false;
    const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    const char *stop = newline ? newline : lines->end;
    *ret_line = lines->at;
    *ret_size = (size_t)(stop - lines->at);
    lines->at = newline ? newline + 1 : lines->end;
    lines->number++;
    return true;
}

/* The text between `name<<MARK` and the line MARK, without the last newline. */
static int read_block(struct lines *lines, const char *mark, size_t mark_size, struct text *value, struct error *err)
{
    unsigned first = lines->number;
    const char *line;
    size_t size;
    for (bool more = false; next_line(lines, &line, &size); more = true) {
        if (size == mark_size && memcmp(line, mark, size) == 0) return 0;
        if (more) text_add_char(value, '\n');
        text_add_bytes(value, line, size);
    }
    return error_set(err, ERROR_INVALID, NOWHERE, "$CRESCENDO_OUTPUT, line %u: the block's end mark '%.*s' is missing", first,
        (int)(mark_size > 40 ? 40 : mark_size), mark);
}

static int read_output(struct lines *lines, const char *line, size_t size, json_t *outputs, struct error *err)
{
    const char *sign = memchr(line, '=', size), *block = memmem(line, size, "<<", 2);
    bool is_block = block && (!sign || block < sign);
    const char *end = is_block ? block : sign;
    AUTO(free_text) char *name = end ? mem_copy_bytes(line, (size_t)(end - line)) : NULL;
    if (!name || !text_is_name(name))
        return error_set(err, ERROR_INVALID, NOWHERE, "$CRESCENDO_OUTPUT, line %u: expected name=value, found '%.*s'", lines->number,
            (int)(size > 60 ? 60 : size), line);
    AUTO(text_release) struct text value = {0};
    if (is_block) {
        if (read_block(lines, block + 2, (size_t)(line + size - block - 2), &value, err) < 0) return -(int)ERROR_INVALID;
    } else {
        text_add_bytes(&value, sign + 1, (size_t)(line + size - sign - 1));
    }
    if (value.size > LIMIT_OUTPUT_BYTES)
        return error_set(err, ERROR_LIMIT, NOWHERE, "output '%s' has %zu bytes; the limit is %d", name, value.size, LIMIT_OUTPUT_BYTES);
    json_t *text = json_stringn(text_view(&value), value.size);
    if (!text) return error_set(err, ERROR_INVALID, NOWHERE, "output '%s' is not UTF-8 text", name);
    json_object_set_new(outputs, name, text);
    return 0;
}

int outputs_parse(const char *bytes, size_t size, json_t **ret_outputs, struct error *err)
{
    struct lines lines = {bytes, bytes + size, 0};
    json_t *outputs = NULL;
    const char *line;
    size_t length;
    int failed = 0;
    *ret_outputs = NULL;
    while (!failed && size && next_line(&lines, &line, &length)) {
        if (length == 0) continue;
        if (!outputs) outputs = json_object();
        failed = read_output(&lines, line, length, outputs, err);
    }
    if (failed)
        json_decref(outputs);
    else
        *ret_outputs = outputs;
    return failed;
}
