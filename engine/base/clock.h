/* clock.h: what time it is. Only shells ask; the pure core is handed the time. */
#ifndef CRESCENDO_BASE_CLOCK_H
#define CRESCENDO_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);       /* wall clock, milliseconds since 1970, for records and absolute deadlines */
int64_t clock_monotonic_us(void); /* for measuring */

enum { CLOCK_TEXT_SIZE = 32 };
/* RFC 3339 in UTC with milliseconds: 2026-01-31T08:00:00.000Z. Returns buffer. */
char *clock_format(int64_t ms, char buffer[CLOCK_TEXT_SIZE]);

#endif
