/* sse.h: takes server-sent events (WHATWG HTML, 9.2) out of a stream that comes in pieces. Pure. */
#ifndef CRESCENDO_CLI_SSE_H
#define CRESCENDO_CLI_SSE_H

#include "base/text.h"

enum { SSE_EVENT_LIMIT_BYTES = 16 * 1024 * 1024 };

struct sse_event {
    const char *id, *type, *data; /* borrowed for the call; id is the last one seen, "" = none; type defaults to "message" */
};

/* Starts as {0}; sse_release frees. A new connection starts a new one: a half event of the old is dropped. */
struct sse {
    struct text line, id, type, data;
    bool carriage; /* the last byte was a CR: a LF behind it belongs to it */
    bool has_data;
};

/* Calls back for each whole event; a non-zero return of it ends the call with that value. -1: an event over the limit. */
int sse_add(struct sse *sse, const char *bytes, size_t size, int (*event)(void *context, const struct sse_event *event), void *context);
void sse_release(struct sse *sse);

#endif
