/* inventory.c: `crescendo inventory`: the services that orders made, and where they answer. */
#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/commands_tables.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/plain.h"
#include "cli/table.h"
#include "cli/documents.h"
#include "cli/when.h"
#include "net/tmf/characteristic.h"

#include <stdio.h>
#include <unistd.h>

enum { LINES = 200, SILENCE_MS = 30 * 1000, STOP = 1 };

static const char *domain_of(const json_t *service)
{
    const char *name = name_by_role(json_object_get(service, "place"), "domain");
    return name ? name : "";
}

static const json_t *specification_of(const json_t *service)
{
    return json_object_get(service, "serviceSpecification");
}

/* What a family is called; networks and users of a service have its name and their own. Caller frees. */
static char *name_of(const json_t *service)
{
    AUTO(free_text) char *component = document_value_text(service, "component");
    const char *name = json_text(specification_of(service), "name", json_text(service, "name", "?"));
    bool is_compute = document_value(service, "traffic.share") || text_equal(json_text(service, "category", NULL), "compute");
    return is_compute || !*component ? mem_copy_text(name) : mem_format("%s/%s", name, component);
}

/* "1/2" of a service with instances, "" of others. Caller frees. */
static char *readiness(const json_t *service)
{
    AUTO(free_text) char *ready = document_value_text(service, "ready");
    AUTO(free_text) char *replicas = document_value_text(service, "replicas");
    return *ready ? mem_format("%s/%s", ready, *replicas ? replicas : "?") : take(&replicas);
}

static void add_row(struct table *table, const json_t *service, int64_t now_ms)
{
    const char *state = json_text(service, "state", "?");
    AUTO(free_text) char *name = name_of(service);
    AUTO(free_text) char *share = document_value_text(service, "traffic.share");
    AUTO(free_text) char *ready = readiness(service);
    AUTO(free_text) char *address = document_value_text(service, "address");
    int64_t since_ms = document_time(service, "startDate");
    table_add(table, STYLE_PLAIN, json_text(service, "id", ""));
    table_add(table, STYLE_PLAIN, name);
    table_add(table, STYLE_PLAIN, json_text(specification_of(service), "version", ""));
    table_add(table, STYLE_PLAIN, domain_of(service));
    table_add_format(table, style_of_state(state), "%s %s", symbol_of_state(state), state);
    table_add_format(table, STYLE_PLAIN, "%s%s", share, *share ? " %" : "");
    table_add(table, STYLE_PLAIN, ready);
    table_add(table, STYLE_PLAIN, address);
    table_add_when(table, since_ms ? since_ms : document_time(service, "serviceDate"), now_ms);
}

static void print_services(const struct cli *cli, const json_t *services)
{
    static const struct column columns[] = {{"SERVICE", .right = true}, {"NAME", .keep = 10}, {"VERSION", .keep = 7},
        {"DOMAIN", .keep = 6, .drop = 3}, {"STATE"}, {"SHARE", .right = true}, {"READY", .right = true, .drop = 2}, {"ADDRESS", .drop = 4},
        {"SINCE", .drop = 1}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service) add_row(table, service, now_ms);
    write_table(&table, &cli->out);
}

/* What is asked of the core, which keeps what has ended for ever. Caller frees. */
static char *query_of(const char *domain, bool all)
{
    struct text query = {0};
    if (!all) text_add(&query, "state=active,inactive,reserved,designed,feasibilityChecked");
    if (domain) text_add_format(&query, "%splace.name=", all ? "" : "&");
    if (domain) percent_encode(domain, &query);
    return text_take(&query);
}

/* Of what came, also from a core that knows no filters. */
static json_t *choose(const json_t *services, const char *domain, bool all)
{
    json_t *chosen = json_array();
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        bool ended = text_equal(json_text(service, "state", NULL), "terminated");
        if ((all || !ended) && (!domain || text_equal(domain, domain_of(service)))) json_array_append(chosen, service);
    }
    return chosen;
}

static int list(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *services = NULL, *chosen = NULL;
    const char *domain = options_value(&cli->options, "domain");
    bool all = options_flag(&cli->options, "all");
    AUTO(free_text) char *query = query_of(domain, all);
    int failed = core_list(&cli->client, CORE_SERVICES, *query ? query : NULL, 0, &services, err);
    if (failed) return failed;
    chosen = choose(services, domain, all);
    if (options_flag(&cli->options, "json")) return print_json(chosen);
    if (json_array_size(chosen))
        print_services(cli, chosen);
    else
        puts(all && !domain ? "no services yet: crescendo order add NAME" : "no services; --all shows those that have ended");
    return 0;
}

/* The characteristics that have a line of their own, or that are of no use to a person. */
static bool is_shown_already(const char *name)
{
    static const char *const shown[] = {"address", "component", "traffic.share", "ready", "replicas", "version", "family"};
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        if (text_equal(shown[i], name)) return true;
    return false;
}

static void add_characteristics(struct text *out, const struct terminal *terminal, const json_t *service)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(service, "serviceCharacteristic"), i, one)
    {
        const char *name = json_text(one, "name", "");
        AUTO(text_release) struct text words = {0};
        if (!*name || is_shown_already(name)) continue;
        plain_add_unit(&words, name, document_value(service, name));
        fact_add_format(out, terminal, "also", "%s = %s", name, text_view(&words));
    }
}

static void add_relations(struct text *out, const struct terminal *terminal, const json_t *service)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(service, "serviceRelationship"), i, one)
    {
        const json_t *other = json_object_get(one, "service");
        fact_add_format(
            out, terminal, json_text(one, "relationshipType", "with"), "%s %s", json_text(other, "id", "?"), json_text(other, "name", ""));
    }
    json_array_foreach(json_object_get(service, "note"), i, one) fact_add(out, terminal, "note", json_text(one, "text", NULL));
}

static void print_service(const struct cli *cli, const json_t *service)
{
    const struct terminal *terminal = &cli->out;
    const json_t *specification = specification_of(service), *order = json_array_get(json_object_get(service, "serviceOrderItem"), 0);
    const char *state = json_text(service, "state", "?");
    AUTO(free_text) char *name = name_of(service);
    AUTO(free_text)
    char *head = mem_format("service %s  %s %s  %s", json_text(service, "id", "?"), name, json_text(specification, "version", ""), state);
    AUTO(free_text) char *address = document_value_text(service, "address");
    AUTO(free_text) char *share = document_value_text(service, "traffic.share");
    AUTO(free_text) char *ready = readiness(service);
    AUTO(free_text) char *component = document_value_text(service, "component");
    struct text out = {0};
    fact_add_head(&out, terminal, state, head);
    fact_add(&out, terminal, "domain", domain_of(service));
    fact_add(&out, terminal, "component", component);
    fact_add(&out, terminal, "address", address);
    if (*share) fact_add_format(&out, terminal, "share", "%s %%", share);
    fact_add(&out, terminal, "instances", ready);
    fact_add(&out, terminal, "order", json_text(order, "serviceOrderId", NULL));
    fact_add_time(&out, terminal, "since", document_time(service, "startDate"));
    fact_add_time(&out, terminal, "ended", document_time(service, "endDate"));
    add_characteristics(&out, terminal, service);
    add_relations(&out, terminal, service);
    print_text(&out);
}

static int show(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *service = NULL;
    int failed = core_get(&cli->client, CORE_SERVICES, form_argument(cli, 0), &service, err);
    if (failed == -ERROR_NOT_FOUND && !err->hint[0]) return error_hint(err, "`crescendo inventory --all` lists them");
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(service);
    print_service(cli, service);
    return 0;
}

/* --- what one printed --- */

struct printing {
    struct display_filter filter;
    bool clean;
    int failed; /* errno of standard output */
};

static int print_bytes(void *context, const char *bytes, size_t size)
{
    struct printing *printing = context;
    AUTO(text_release) struct text out = {0};
    if (printing->clean)
        display_filter_add(&printing->filter, bytes, size, &out);
    else
        text_add_bytes(&out, bytes, size);
    printing->failed = -file_write_all(STDOUT_FILENO, text_view(&out), out.size);
    return printing->failed ? STOP : 0;
}

static int add_question(const struct options *options, const char *id, struct text *path, struct error *err)
{
    int64_t instance = 0, lines = 0;
    if (options_flag(options, "json")) return error_set(err, ERROR_INVALID, NOWHERE, "what a service printed is text: it has no --json");
    int failed = options_number(options, "instance", 1, 0, &instance, err);
    if (!failed) failed = options_number(options, "tail", 1, LINES, &lines, err);
    if (failed) return failed;
    text_add(path, "/logs/v1/services/");
    percent_encode(id, path);
    text_add_format(path, "?tail=%lld", (long long)lines);
    if (instance) text_add_format(path, "&instance=%lld", (long long)instance);
    return 0;
}

static int logs(struct cli *cli, struct error *err)
{
    AUTO(text_release) struct text path = {0}, rest = {0};
    struct printing printing = {.filter = {.keep = cli->out.colour ? DISPLAY_COLOUR : DISPLAY_LINES}, .clean = isatty(STDOUT_FILENO)};
    int failed = add_question(&cli->options, form_argument(cli, 0), &path, err);
    if (!failed) failed = client_stream(&cli->client, text_view(&path), SILENCE_MS, NULL, print_bytes, &printing, err);
    if (printing.clean) display_filter_end(&printing.filter, &rest);
    if (!printing.failed && rest.size) printing.failed = -file_write_all(STDOUT_FILENO, text_view(&rest), rest.size);
    if (printing.failed) return error_set_errno(err, printing.failed, "standard output");
    return failed;
}

const struct form inventory_forms[] = {
    {"list", "", "what runs", .options = "domain all", .run = list},
    {"show", "SERVICE", "all about one service", 1, 1, .run = show},
    {"logs", "SERVICE", "what its instances printed last", 1, 1, .options = "instance tail", .run = logs},
    {.name = NULL},
};
