/* plain.c: JSON in a few words. */
#include "cli/plain.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

enum { DEPTH_MAX = 4 };

static void add(struct text *out, const json_t *value, unsigned depth);

static void add_parts(struct text *out, const json_t *value, unsigned depth)
{
    const char *key;
    json_t *part;
    size_t i, count = 0;
    json_object_foreach((json_t *)value, key, part)
    {
        text_add_format(out, "%s%s=", count++ ? " " : "", key);
        add(out, part, depth + 1);
    }
    json_array_foreach(value, i, part)
    {
        if (count++) text_add(out, json_is_string(part) ? " " : ", ");
        add(out, part, depth + 1);
    }
}

static void add(struct text *out, const json_t *value, unsigned depth)
{
    if (json_is_string(value)) {
        text_add(out, json_string_value(value));
    } else if (json_is_real(value)) {
        text_add_format(out, "%g", json_real_value(value));
    } else if ((json_is_object(value) || json_is_array(value)) && depth < DEPTH_MAX) {
        add_parts(out, value, depth);
    } else if (value && !json_is_null(value)) {
        AUTO(free_text) char *text = json_canonical(value);
        text_add(out, text);
    }
}

void plain_add(struct text *out, const json_t *value)
{
    add(out, value, 0);
}

static void add_bits(struct text *out, double bits)
{
    static const struct {
        double least;
        const char *name;
    } units[] = {{1e9, "Gbps"}, {1e6, "Mbps"}, {1e3, "kbps"}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (bits < units[i].least) continue;
        text_add_format(out, "%g%s", bits / units[i].least, units[i].name);
        return;
    }
    text_add_format(out, "%gbps", bits);
}

void plain_add_unit(struct text *out, const char *name, const json_t *value)
{
    static const struct {
        const char *name;
        enum { BYTES, BITS, WITH } as;
        const char *behind;
    } units[] = {{"memory", BYTES, NULL}, {"disk", BYTES, NULL}, {"packet-size", BYTES, NULL}, {"downlink", BITS, NULL},
        {"uplink", BITS, NULL}, {"throughput", BITS, NULL}, {"cpu", WITH, "m"}, {"latency", WITH, "ms"}, {"runtime", WITH, "ms"},
        {"period", WITH, "ms"}, {"reliability", WITH, "%"}, {"quantile", WITH, "%"}, {"errors", WITH, "%"}, {"rate", WITH, "/s"},
        {"traffic.lease", WITH, "ms"}};
    for (size_t i = 0; json_is_number(value) && i < COUNT_OF(units); i++) {
        if (!text_equal(units[i].name, name)) continue;
        double number = json_number_value(value);
        if (units[i].as == BYTES)
            text_add_size(out, (int64_t)number);
        else if (units[i].as == BITS)
            add_bits(out, number);
        else
            text_add_format(out, "%.10g%s", number, units[i].behind);
        return;
    }
    plain_add(out, value);
}

static bool is_skipped(const char *key, const char *skip)
{
    size_t size = strlen(key);
    for (const char *at = skip; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == size && memcmp(at, key, size) == 0) return true;
    return false;
}

void plain_add_members(struct text *out, const json_t *object, const char *skip)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_skipped(key, skip) || json_is_null(value)) continue;
        text_add_format(out, "%s%s ", count++ ? "  " : "", key);
        plain_add_unit(out, key, value);
    }
}
