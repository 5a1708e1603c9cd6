/* moment.h: a moment as text: RFC 3339, both ways. Pure. */
#ifndef CRESCENDO_BASE_MOMENT_H
#define CRESCENDO_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

enum { MOMENT_TEXT_SIZE = 32 };
/* Milliseconds since 1970 in UTC: 2026-01-31T08:00:00.000Z. Returns buffer. */
char *moment_format(int64_t ms, char buffer[MOMENT_TEXT_SIZE]);

/* RFC 3339 with 0 to 9 digits of fraction, in Z or with an offset (with or without its colon), as microseconds since 1970: digits behind
   the microsecond are dropped, a leap second is the next minute's first. false: it is absent, or no such moment. */
bool moment_read(const char *text, int64_t *ret_us);

#endif
