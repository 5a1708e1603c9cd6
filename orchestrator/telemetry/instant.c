/* instant.c: moments of a query. */
#include "orchestrator/telemetry/instant.h"

#include "base/moment.h"
#include "base/text.h"

#include <string.h>

static const int64_t last_us = 253402300799999999; /* of the year 9999: nothing overflows on the way */

enum { AT_TIME = 10 /* where the time begins behind a date */ };

bool instant_parse(const char *text, int64_t *ret_us)
{
    char plain[64];
    size_t size = strlen(text);
    if (text_to_integer(text, ret_us)) return *ret_us >= 0 && *ret_us <= last_us;
    if (size >= sizeof plain) return false;
    for (size_t i = 0; i <= size; i++)
        plain[i] = text[i] != ' ' ? text[i] : i == AT_TIME ? 'T' : '+';
    return moment_read(plain, ret_us);
}
