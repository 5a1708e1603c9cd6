/* clock.h: what time it is. Only shells ask; the pure core is handed the time. */
#ifndef CRESCENDO_BASE_CLOCK_H
#define CRESCENDO_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);       /* wall clock, milliseconds since 1970, for records and absolute deadlines */
int64_t clock_monotonic_us(void); /* for measuring */

#endif
