/* sse.c: takes server-sent events out of a stream that comes in pieces. */
#include "cli/sse.h"

#include <string.h>

static void empty(struct text *text)
{
    text->size = 0;
    if (text->bytes) text->bytes[0] = '\0';
}

static void set(struct text *text, const char *value)
{
    empty(text);
    text_add(text, value);
}

static void take_field(struct sse *sse)
{
    char *line = sse->line.bytes, *colon = strchr(line, ':');
    const char *value = "";
    if (colon) {
        *colon = '\0';
        value = colon[1] == ' ' ? colon + 2 : colon + 1;
    }
    if (strcmp(line, "id") == 0) {
        set(&sse->id, value);
    } else if (strcmp(line, "event") == 0) {
        set(&sse->type, value);
    } else if (strcmp(line, "data") == 0) {
        if (sse->has_data) text_add_char(&sse->data, '\n');
        text_add(&sse->data, value);
        sse->has_data = true;
    }
}

/* An empty line ends an event; without data there is none (a comment that keeps the connection alive). */
static int end_line(struct sse *sse, int (*event)(void *context, const struct sse_event *event), void *context)
{
    int result = 0;
    if (sse->line.size) {
        if (sse->line.bytes[0] != ':') take_field(sse);
    } else {
        const char *type = sse->type.size ? text_view(&sse->type) : "message";
        if (sse->has_data) result = event(context, &(struct sse_event){text_view(&sse->id), type, text_view(&sse->data)});
        sse->has_data = false;
        empty(&sse->data);
        empty(&sse->type);
    }
    empty(&sse->line);
    return result;
}

int sse_add(struct sse *sse, const char *bytes, size_t size, int (*event)(void *context, const struct sse_event *event), void *context)
{
    for (size_t at = 0; at < size;) {
        if (sse->carriage && bytes[at] == '\n') at++;
        sse->carriage = false;
        size_t rest = 0;
        while (at + rest < size && bytes[at + rest] != '\n' && bytes[at + rest] != '\r')
            rest++;
        if (sse->line.size + sse->data.size + rest > SSE_EVENT_LIMIT_BYTES) return -1;
        text_add_bytes(&sse->line, bytes + at, rest);
        at += rest;
        if (at >= size) break;
        sse->carriage = bytes[at++] == '\r';
        int result = end_line(sse, event, context);
        if (result) return result;
    }
    return 0;
}

void sse_release(struct sse *sse)
{
    text_release(&sse->line);
    text_release(&sse->id);
    text_release(&sse->type);
    text_release(&sse->data);
    *sse = (struct sse){0};
}
