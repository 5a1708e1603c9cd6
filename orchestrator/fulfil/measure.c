/* measure.c: what sites and components are measured by, and how that is written for a person. */
#include "orchestrator/fulfil/site.h"

#include "base/json.h"

const struct measure site_measures[] = {
    {"cpu", "compute", MEASURE_AT_LEAST, UNIT_CPU, true},
    {"memory", "compute", MEASURE_AT_LEAST, UNIT_BYTES, true},
    {"disk", "compute", MEASURE_AT_LEAST, UNIT_BYTES, true},
    {"instances", "compute", MEASURE_AT_LEAST, UNIT_COUNT, true},
    {"downlink", "network", MEASURE_AT_LEAST, UNIT_BITRATE, true},
    {"uplink", "network", MEASURE_AT_LEAST, UNIT_BITRATE, true},
    {"latency", "network", MEASURE_AT_MOST, UNIT_MS, false},
    {"reliability", "network", MEASURE_AT_LEAST, UNIT_PERCENT, false},
    {"slice-type", "network", MEASURE_SAME, UNIT_WORD, false},
    {"users", "user", MEASURE_AT_LEAST, UNIT_COUNT, true},
    {.name = NULL},
};

static void print_bitrate(double bits, struct text *out)
{
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    size_t unit = 0;
    for (; bits >= 1000 && unit < 3; unit++)
        bits /= 1000;
    text_add_format(out, "%g %s", bits, units[unit]);
}

static void print_number(enum measure_unit unit, double number, struct text *out)
{
    switch (unit) {
    case UNIT_CPU: text_add_format(out, "%g", number / 1000); break;
    case UNIT_BYTES: text_add_size(out, (int64_t)number); break;
    case UNIT_BITRATE: print_bitrate(number, out); break;
    case UNIT_MS: text_add_format(out, "%g ms", number); break;
    case UNIT_PERCENT: text_add_format(out, "%g %%", number); break;
    case UNIT_COUNT:
    case UNIT_WORD: text_add_format(out, "%g", number); break;
    }
}

void measure_print(const struct measure *measure, const json_t *value, struct text *out)
{
    text_add_format(out, "%s ", measure->name);
    if (json_is_string(value))
        text_add(out, json_string_value(value));
    else if (json_is_number(value))
        print_number(measure->unit, json_number_value(value), out);
    else
        text_add(out, "none");
}

void measures_add(json_t *sum, const json_t *part, double factor)
{
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        const json_t *value = json_object_get(part, measure->name);
        if (!measure->adds_up || !json_is_number(value)) continue;
        double before = json_number_value(json_object_get(sum, measure->name));
        json_put(sum, measure->name, json_real(before + factor * json_number_value(value)));
    }
}
