/* quantity.c: numbers with a unit: a table of units by type, and the reading of one. */
#include "spec/quantity.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 18 };

static const struct unit {
    enum field_type type;
    const char *name;
    double factor;
} units[] = {{FIELD_PERCENT, "%", 1}, {FIELD_CPU, "", 1000}, {FIELD_CPU, "m", 1}, {FIELD_BITRATE, "bps", 1}, {FIELD_BITRATE, "kbps", 1e3},
    {FIELD_BITRATE, "Mbps", 1e6}, {FIELD_BITRATE, "Gbps", 1e9}, {FIELD_RATE, "/s", 1}, {FIELD_RATE, "/m", 1 / 60.0},
    {FIELD_RATE, "/h", 1 / 3600.0}, {FIELD_LATENCY, "us", 1e-3}, {FIELD_LATENCY, "ms", 1}, {FIELD_LATENCY, "s", 1e3}};

/* Characters of digits, or digits, a dot and digits; 0: there is no such number in front. */
static size_t number_size(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    if (!whole || text[whole] != '.') return whole;
    size_t fraction = strspn(text + whole + 1, "0123456789");
    return fraction ? whole + 1 + fraction : 0;
}

/* What is counted in whole units must come out whole: 0.0001 processors are none. */
static json_t *value_of(enum field_type type, double value)
{
    if (type != FIELD_CPU && type != FIELD_BITRATE) return json_real(value);
    if (value > 9e15) return NULL;
    json_int_t whole = (json_int_t)(value + 0.5);
    double difference = value - (double)whole;
    return difference < 1e-6 && difference > -1e-6 ? json_integer(whole) : NULL;
}

bool quantity_from_text(enum field_type type, const char *text, json_t **ret_value)
{
    size_t size = number_size(text);
    if (!size || size > DIGITS_MAX) return false;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (units[i].type != type || strcmp(text + size, units[i].name) != 0) continue;
        json_t *value = value_of(type, strtod(text, NULL) * units[i].factor);
        if (value) *ret_value = value;
        return value != NULL;
    }
    return false;
}
