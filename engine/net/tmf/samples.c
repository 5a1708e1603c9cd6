/* samples.c: a domain's records of requests, page by page; a line of JSON each. */
#include "net/tmf/samples.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_SAMPLES = 50 * 1000, PAGE_BYTES = 32 * 1024 * 1024 };
static const long long no_time_yet_us = 253402300799999999; /* of the year 9999, the last that the peer understands */

struct page {
    const struct tmf_client *client;
    const struct sample_sink *sink;
    char next[SAMPLE_PLACE_SIZE];
    bool more;
    size_t samples;
};

static int broken(const struct tmf_client *client, const char *what, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "%.40s: GET /telemetry/v1/samples: %s", client->name, what);
}

/* --- what is asked ----------------------------------------------------------------------------------------------------------------------
 */

static void add_parameter(struct text *url, const char *name, const char *value)
{
    text_add_format(url, "&%s=", name);
    percent_encode(value, url);
}

static char *url_of(const struct tmf_client *client, const struct sample_question *question, const char *after, size_t limit)
{
    struct text url = {0};
    text_add_format(&url, "%s/telemetry/v1/samples?limit=%zu", client->base, limit);
    add_parameter(&url, "domain", question->domain);
    add_parameter(&url, "family", question->family);
    if (after)
        add_parameter(&url, "after", after);
    else
        text_add_format(&url, "&from=%lld", no_time_yet_us);
    return text_take(&url);
}

static bool is_away(int status)
{
    return status == 502 || status == 503 || status == 504;
}

static int get(const struct tmf_client *client, const char *url, int patience_ms, struct http_response *ret, struct error *err)
{
    const struct http_request request = {
        .method = "GET", .url = url, .limit_bytes = PAGE_BYTES, .timeout_ms = client->timeout_ms, .unix_socket = client->socket};
    int64_t end = clock_monotonic_us() / 1000 + patience_ms;
    for (int pause = 0;;) {
        struct error problem = {0};
        int failed = http_send(&request, ret, &problem);
        bool again = failed ? problem.retryable : is_away(ret->status);
        if (!again || clock_monotonic_us() / 1000 >= end) {
            if (failed && err) *err = problem;
            return failed ? error_wrap(err, "%.40s", client->name) : 0;
        }
        if (!failed) http_response_release(ret);
        tmf_pause(&pause);
    }
}

/* --- what is answered -------------------------------------------------------------------------------------------------------------------
 */

static bool has_flag(const json_t *line, const char *name)
{
    size_t index;
    json_t *flag;
    json_array_foreach(json_object_get(line, "flags"), index, flag) if (text_equal(json_string_value(flag), name)) return true;
    return false;
}

static int take_sample(struct page *page, const json_t *line, struct error *err)
{
    int64_t duration_us = json_whole(line, "duration", -1), status = json_whole(line, "status", -1);
    if (duration_us < 0 || duration_us > UINT32_MAX || status < 0 || status > 999) return broken(page->client, "a line is no sample", err);
    const struct sample sample = {.service = json_text(line, "service", ""),
        .duration_us = (uint32_t)duration_us,
        .status = (unsigned)status,
        .aborted = has_flag(line, "aborted"),
        .no_server = has_flag(line, "no_server")};
    page->sink->sample(page->sink->context, &sample);
    page->samples++;
    return 0;
}

static int take_next(struct page *page, const json_t *line, struct error *err)
{
    const char *next = json_text(line, "next", "");
    if (!*next || strlen(next) >= sizeof page->next || next[strspn(next, "0123456789.")])
        return broken(page->client, "it names no place", err);
    snprintf(page->next, sizeof page->next, "%s", next);
    page->more = json_flag(line, "more", false);
    return 0;
}

static int take_line(struct page *page, const char *bytes, size_t size, struct error *err)
{
    AUTO(free_json) json_t *line = NULL;
    if (page->next[0]) return broken(page->client, "it goes on behind its last line", err);
    if (json_parse(bytes, size, "a sample", &line, NULL) < 0) return broken(page->client, "a line is no JSON", err);
    if (json_object_get(line, "error"))
        return broken(page->client, json_text(json_object_get(line, "error"), "message", "the peer could not read on"), err);
    if (json_object_get(line, "next")) return take_next(page, line, err);
    if (!json_object_get(line, "gap")) return take_sample(page, line, err);
    page->sink->gap(page->sink->context, json_whole(line, "gap", 0));
    return 0;
}

static int take_lines(struct page *page, const struct http_response *response, struct error *err)
{
    const char *at = response->body, *end = response->body + response->size;
    for (const char *newline; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        int failed = take_line(page, at, (size_t)(newline - at), err);
        if (failed) return failed;
    }
    return page->next[0] ? 0 : broken(page->client, "the answer ends before its last line", err);
}

static int refused(const struct tmf_client *client, const struct http_response *response, struct error *err)
{
    enum error_code code = response->status >= 500 ? ERROR_UNAVAILABLE : response->status == 404 ? ERROR_NOT_FOUND : ERROR_INVALID;
    return error_set(err, code, NOWHERE, "%.40s: GET /telemetry/v1/samples answered %d: %.100s", client->name, response->status,
        response->body ? response->body : "");
}

static int read_page(struct page *page, const struct sample_question *question, const char *after, size_t limit, struct error *err)
{
    AUTO(http_response_release) struct http_response response = {0};
    AUTO(free_text) char *url = url_of(page->client, question, after, limit);
    int failed = get(page->client, url, question->patience_ms, &response, err);
    if (failed) return failed;
    if (response.status != 200) return refused(page->client, &response, err);
    return take_lines(page, &response, err);
}

/* Does place b stand before a? Then the records are others than those that a was a place in. */
static bool goes_back(const char *a, const char *b)
{
    unsigned long segment_a = 0, record_a = 0, segment_b = 0, record_b = 0;
    if (!a || sscanf(a, "%lu.%lu", &segment_a, &record_a) != 2 || sscanf(b, "%lu.%lu", &segment_b, &record_b) != 2) return false;
    return segment_b < segment_a || (segment_b == segment_a && record_b < record_a);
}

int samples_read(const struct tmf_client *client, const struct sample_question *question, const struct sample_sink *sink,
    char ret_next[SAMPLE_PLACE_SIZE], struct error *err)
{
    char after[SAMPLE_PLACE_SIZE] = "";
    if (question->after) snprintf(after, sizeof after, "%s", question->after);
    for (size_t left = question->limit; left;) {
        struct page page = {.client = client, .sink = sink};
        const char *from = after[0] ? after : NULL;
        int failed = read_page(&page, question, from, left < PAGE_SAMPLES ? left : PAGE_SAMPLES, err);
        if (failed) return failed;
        if (goes_back(from, page.next))
            return error_set(err, ERROR_STATE, NOWHERE, "%.40s: its records end before %s, where they were read to", client->name, from);
        snprintf(after, sizeof after, "%s", page.next);
        left -= page.samples < left ? page.samples : left;
        if (!page.more) break;
    }
    snprintf(ret_next, SAMPLE_PLACE_SIZE, "%s", after);
    return 0;
}
