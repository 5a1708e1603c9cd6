/* telemetry.c: `crescendo telemetry`: how a domain's services answer: a line a version, or every request as the server tells it. */
#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_RECORDS = 100000, FOLLOW_PAUSE_MS = 250, SILENCE_MS = 30 * 1000, STOP = 1 };

/* --- what is asked --- */

static void add_parameter(struct text *path, const char *name, const char *value)
{
    if (!value) return;
    text_add_format(path, "&%s=", name);
    percent_encode(value, path);
}

static int since_ms(const struct options *options, int64_t *ret_ms, struct error *err)
{
    const char *since = options_value(options, "since");
    *ret_ms = 5 * 60 * 1000;
    if (!since || (text_to_duration_ms(since, ret_ms) && *ret_ms > 0)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "--since must be a duration, not '%.60s'", since);
    return error_hint(err, "write 30s, 10m, 2h or 1d");
}

/* The parameters that samples and aggregates share. */
static int add_question(const struct options *options, struct text *path, struct error *err)
{
    static const char *const names[] = {"service", "version", "family"};
    int64_t ms;
    int failed = since_ms(options, &ms, err);
    if (failed) return failed;
    int64_t from_us = (clock_now_ms() - ms) * 1000;
    text_add_format(path, "?from=%lld", (long long)from_us);
    add_parameter(path, "domain", options_argument(options, 0));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        add_parameter(path, names[i], options_value(options, names[i]));
    return 0;
}

/* --- the table --- */

/* Requests of all services of the same family: what `OF ALL` is a part of; the share that was ordered is the inventory's. */
static int64_t family_requests(const json_t *services, const char *family)
{
    int64_t requests = 0;
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        if (text_equal(json_text(service, "family", NULL), family)) requests += json_whole(service, "requests", 0);
    }
    return requests;
}

static void add_latency(struct table *table, const json_t *service, const char *quantile)
{
    int64_t us = json_whole(json_object_get(service, "latency_us"), quantile, -1);
    AUTO(text_release) struct text words = {0};
    if (us >= 0) when_add_latency(&words, us);
    table_add(table, us < 0 ? STYLE_QUIET : STYLE_PLAIN, us < 0 ? "-" : text_view(&words));
}

static void add_row(struct table *table, const json_t *services, const json_t *service)
{
    const char *family = json_text(service, "family", NULL);
    int64_t requests = json_whole(service, "requests", 0), errors = json_whole(service, "errors", 0),
            of = family_requests(services, family);
    const json_t *throughput = json_object_get(service, "throughput");
    table_add(table, family ? STYLE_PLAIN : STYLE_QUIET, family ? family : "(no service)");
    table_add(table, STYLE_PLAIN, json_text(service, "version", ""));
    table_add(table, STYLE_QUIET, json_text(service, "service", ""));
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)requests);
    table_add_format(table, STYLE_PLAIN, "%.2f %%", of ? 100.0 * (double)requests / (double)of : 0);
    table_add_format(table, errors ? STYLE_BAD : STYLE_PLAIN, "%lld", (long long)errors);
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)json_whole(service, "aborted", 0));
    add_latency(table, service, "p50");
    add_latency(table, service, "p95");
    add_latency(table, service, "p99");
    if (json_is_number(throughput))
        table_add_format(table, STYLE_PLAIN, "%.1f/s", json_number_value(throughput));
    else
        table_add(table, STYLE_QUIET, "-");
}

static void print_table(const struct cli *cli, const json_t *services)
{
    static const struct column columns[] = {{"SERVICE", .keep = 10}, {"VERSION", .keep = 8}, {"ID", .drop = 2}, {"REQUESTS", .right = true},
        {"OF ALL", .right = true, .drop = 6}, {"ERRORS", .right = true}, {"LEFT", .right = true, .drop = 1},
        {"P50", .right = true, .drop = 3}, {"P95", .right = true}, {"P99", .right = true, .drop = 4}, {"RATE", .right = true, .drop = 5}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service) add_row(table, services, service);
    write_table(&table, &cli->out);
}

static void print_aggregates(const struct cli *cli, const json_t *answer)
{
    const json_t *services = json_object_get(answer, "services");
    int64_t lost = json_whole(answer, "lost", 0), gaps = json_whole(answer, "gaps", 0);
    const char *since = options_value(&cli->options, "since");
    if (json_array_size(services))
        print_table(cli, services);
    else
        printf("no requests in the last %s%s\n", since ? since : "5m", since ? "" : "; --since 1h looks further back");
    if (gaps) printf("%lld requests could not be recorded (gaps: %lld): the figures are incomplete\n", (long long)lost, (long long)gaps);
}

static int print_figures(struct cli *cli, const char *question, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    int64_t now_us = clock_now_ms() * 1000; /* throughput is over the time that was asked for */
    int failed = client_get(&cli->client, &answer, err, "/telemetry/v1/aggregates%s&to=%lld", question, (long long)now_us);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    print_aggregates(cli, answer);
    return 0;
}

/* --- every request --- */

struct raw {
    struct text line, out; /* what has no end yet; what is to be printed */
    char next[64];         /* where the page behind this one begins; "" while that is not known */
    bool more;
    int failed; /* errno of standard output */
    struct error err;
};

/* The last line of a page leads on, and is not printed. One that tells of an error is the end. */
static void take_line(struct raw *raw, const char *line, size_t size)
{
    AUTO(free_json) json_t *json = NULL;
    if ((text_starts(line, "{\"next\"") || text_starts(line, "{\"error\"")) && json_parse(line, size, "a line", &json, NULL) == 0) {
        const json_t *error = json_object_get(json, "error");
        if (error) error_set(&raw->err, ERROR_PROTOCOL, NOWHERE, "%s", json_text(error, "message", "the server could not read on"));
        snprintf(raw->next, sizeof raw->next, "%s", json_text(json, "next", ""));
        raw->more = json_flag(json, "more", false);
        return;
    }
    text_add_bytes(&raw->out, line, size);
    text_add_char(&raw->out, '\n');
}

static int take_bytes(void *context, const char *bytes, size_t size)
{
    struct raw *raw = context;
    text_add_bytes(&raw->line, bytes, size);
    size_t from = 0;
    for (char *end; (end = memchr(raw->line.bytes + from, '\n', raw->line.size - from)); from = (size_t)(end + 1 - raw->line.bytes)) {
        *end = '\0';
        take_line(raw, raw->line.bytes + from, (size_t)(end - raw->line.bytes) - from);
    }
    memmove(raw->line.bytes, raw->line.bytes + from, raw->line.size - from + 1);
    raw->line.size -= from;
    raw->failed = -file_write_all(STDOUT_FILENO, text_view(&raw->out), raw->out.size);
    raw->out.size = 0;
    return raw->failed ? STOP : 0;
}

static void release_raw(struct raw *raw)
{
    text_release(&raw->line);
    text_release(&raw->out);
}

/* One page; raw->next says where the next one begins. */
static int print_page(struct cli *cli, const char *question, struct raw *raw, struct error *err)
{
    AUTO(free_text)
    char *path = mem_format("/telemetry/v1/samples%s&limit=%d%s%s", question, PAGE_RECORDS, raw->next[0] ? "&after=" : "", raw->next);
    raw->next[0] = '\0';
    raw->more = false;
    int failed = client_stream(&cli->client, path, SILENCE_MS, NULL, take_bytes, raw, err);
    if (raw->failed) return error_set_errno(err, raw->failed, "standard output");
    if (failed) return failed;
    if (!raw->err.code && !raw->next[0]) return error_set(err, ERROR_PROTOCOL, NOWHERE, "the server's answer ends before its last line");
    if (raw->err.code && err) *err = raw->err;
    return -(int)raw->err.code;
}

static int print_raw(struct cli *cli, const char *question, struct error *err)
{
    AUTO(release_raw) struct raw raw = {0};
    bool follow = options_flag(&cli->options, "follow");
    do {
        int failed = print_page(cli, question, &raw, err);
        if (failed) return failed;
        if (follow && !raw.more) nanosleep(&(struct timespec){.tv_nsec = FOLLOW_PAUSE_MS * 1000L * 1000}, NULL);
    } while (raw.more || follow);
    return 0;
}

int telemetry_run(struct cli *cli, struct error *err)
{
    struct text question = {0};
    bool raw = options_flag(&cli->options, "raw");
    int failed = add_question(&cli->options, &question, err);
    if (!failed && options_flag(&cli->options, "follow") && !raw) {
        error_set(err, ERROR_INVALID, NOWHERE, "--follow needs --raw");
        failed = error_hint(err, "for figures that move: watch crescendo telemetry");
    }
    if (!failed) failed = raw ? print_raw(cli, text_view(&question), err) : print_figures(cli, text_view(&question), err);
    text_release(&question);
    return failed;
}
