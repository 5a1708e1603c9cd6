/* instant.h: a moment as one writes it in a query: RFC 3339, or microseconds since 1970. Pure. */
#ifndef CRESCENDO_TELEMETRY_INSTANT_H
#define CRESCENDO_TELEMETRY_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-27T09:00:00Z", "2026-11-27T10:00:00.25+01:00" (a space for the +, as queries make of it), or "1795770000000000". Digits behind
   the microsecond are dropped; a leap second is the next minute's first. false: it is neither, or behind the year 9999. */
bool instant_parse(const char *text, int64_t *ret_us);

#endif
