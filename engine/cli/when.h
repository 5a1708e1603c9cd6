/* when.h: times in words, as tables show them. Pure: what time it is now is handed in. */
#ifndef CRESCENDO_CLI_WHEN_H
#define CRESCENDO_CLI_WHEN_H

#include "cli/table.h"

/* Adds "now", "12 s ago", "3 d ago", after a month the date; nothing for 0. */
void when_add(struct text *out, int64_t ms, int64_t now_ms);
/* Adds how long something took, or takes until now where end_ms is 0; nothing when it never began (begin_ms 0). */
void when_add_took(struct text *out, int64_t begin_ms, int64_t end_ms, int64_t now_ms);
/* "812 us", "20.4 ms", "28.7 s": three or four digits. */
void when_add_latency(struct text *out, int64_t us);

void table_add_when(struct table *table, int64_t ms, int64_t now_ms); /* the same as a cell */
void table_add_took(struct table *table, int64_t begin_ms, int64_t end_ms, int64_t now_ms);

#endif
