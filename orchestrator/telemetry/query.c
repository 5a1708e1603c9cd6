/* query.c: reads the parameters of a telemetry request. */
#include "orchestrator/telemetry/query.h"

#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/telemetry/instant.h"

#include <stdlib.h>

static const int64_t limit_max = 10 * 1000 * 1000;

static const char *parameter(const struct request *request, const char *name)
{
    const char *text = request_query(request, name);
    return text && *text ? text : NULL;
}

static int read_instant(const struct request *request, const char *name, bool *ret_given, int64_t *ret_us, struct error *err)
{
    const char *text = parameter(request, name);
    *ret_given = text != NULL;
    if (!text || instant_parse(text, ret_us)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "'%s' is no moment: '%.60s'", name, text);
    return error_hint(err, "write 2026-01-31T08:00:00Z, or microseconds since 1970");
}

static int read_time(const struct request *request, struct telemetry_query *query, struct error *err)
{
    struct telemetry_filter *filter = &query->filter;
    int failed = read_instant(request, "from", &query->has_from, &filter->from_us, err);
    if (!failed) failed = read_instant(request, "to", &query->has_to, &filter->to_us, err);
    if (failed || !query->has_from || !query->has_to || filter->from_us < filter->to_us) return failed;
    return error_set(err, ERROR_INVALID, NOWHERE, "'from' must be before 'to'");
}

static int read_step(const struct request *request, struct telemetry_query *query, struct error *err)
{
    const char *text = parameter(request, "step");
    int64_t step_ms;
    if (!text) return 0;
    if (!text_to_duration_ms(text, &step_ms) || step_ms < 1 || step_ms > INT64_MAX / 1000)
        return error_set(err, ERROR_INVALID, NOWHERE, "'step' must be a duration like 10s, not '%.60s'", text);
    query->step_us = step_ms * 1000;
    if (query->has_from) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "'step' needs 'from': the first step begins there");
    return error_hint(err, "a step is a duration like 10s");
}

static int read_page(const struct request *request, struct telemetry_query *query, struct error *err)
{
    const char *after = parameter(request, "after"), *limit = parameter(request, "limit");
    if (after && !telemetry_cursor_parse(after, &query->after)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'after' is no place in the records: '%.60s'", after);
        return error_hint(err, "it is the `next` of an earlier answer");
    }
    if (!limit || (text_to_integer(limit, &query->limit) && query->limit > 0 && query->limit <= limit_max)) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "'limit' must be a number from 1 to %lld", (long long)limit_max);
}

static bool is(const char *wanted, const char *found)
{
    return !wanted || text_equal(wanted, found);
}

static void choose_arms(const struct request *request, const struct telemetry_reader *reader, struct telemetry_filter *filter)
{
    const char *service = parameter(request, "service"), *version = parameter(request, "version"), *family = parameter(request, "family");
    if (!service && !version && !family) return;
    size_t count;
    const struct telemetry_arm *arms = telemetry_arms(reader, &count);
    filter->arm_count = count ? arms[count - 1].number + 1 : 1;
    bool *wanted = mem_alloc_array(filter->arm_count, sizeof *wanted);
    for (size_t i = 0; i < count; i++)
        wanted[arms[i].number] = is(service, arms[i].service) && is(version, arms[i].version) && is(family, arms[i].family);
    filter->arms = wanted;
}

int query_read(const struct request *request, const struct telemetry_reader *reader, struct telemetry_query *ret, struct error *err)
{
    struct telemetry_query query = {.filter = {.from_us = INT64_MIN, .to_us = INT64_MAX}};
    int failed = read_time(request, &query, err);
    if (!failed) failed = read_step(request, &query, err);
    if (!failed) failed = read_page(request, &query, err);
    if (failed) return failed;
    choose_arms(request, reader, &query.filter);
    *ret = query;
    return 0;
}

void query_release(struct telemetry_query *query)
{
    free((bool *)query->filter.arms);
    *query = (struct telemetry_query){0};
}
