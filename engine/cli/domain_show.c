/* domain_show.c: `crescendo domain show`: one of the core's domains: what is there, what is used of it, what runs on it. */
#include "base/encode.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/domain.h"
#include "cli/domain_policy.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/plain.h"
#include "cli/table.h"

#include <string.h>

/* Any member as a person reads it; caller frees. */
static char *said(const json_t *object, const char *key)
{
    struct text words = {0};
    plain_add_unit(&words, key, json_object_get(object, key));
    return text_take(&words);
}

static void add_cell(struct table *table, const json_t *object, const char *key)
{
    AUTO(free_text) char *words = said(object, key);
    table_add(table, STYLE_PLAIN, words);
}

static void add_state(struct table *table, const json_t *object)
{
    const char *state = json_text(object, "state", "");
    table_add_format(table, style_of_state(state), "%s %s", symbol_of_state(state), state);
}

/* Of a service's last words, which may be a traceback, what fits a cell: the first line. */
static void add_message(struct table *table, const json_t *object)
{
    const char *message = json_text(object, "message", "");
    AUTO(free_text) char *line = mem_copy_bytes(message, strcspn(message, "\r\n"));
    table_add(table, STYLE_BAD, line);
}

static void print_table(struct table *table, bool any, const struct terminal *terminal, struct text *out)
{
    if (any) text_add_char(out, '\n');
    if (any) table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

static void add_keeper(struct text *out, const struct terminal *terminal, const json_t *keeper, const char *trouble)
{
    AUTO(text_release) struct text counts = {0};
    plain_add_members(&counts, keeper, "name address haproxy_pid message");
    if (trouble)
        fact_add_format(out, terminal, "keeper", "%s; %s", trouble, keeper ? "below is what it said last" : "it is tried again");
    else
        fact_add(out, terminal, "keeper", keeper ? "it lives" : "none yet: the first order to the domain starts it");
    fact_add(out, terminal, "message", json_text(keeper, "message", NULL));
    fact_add(out, terminal, "traffic", text_view(&counts));
    if (keeper) fact_add_format(out, terminal, "haproxy", "pid %lld", (long long)json_whole(keeper, "haproxy_pid", 0));
}

/* The core goes on by what the file said before, which the facts below are. */
static void add_mistake(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    const char *message = json_text(domain, "message", NULL);
    if (!message) return;
    AUTO(free_text)
    char *line = mem_format("its file is wrong%s: %s", json_object_get(domain, "site") ? "; what it said before holds" : "", message);
    text_add(out, style_open(STYLE_BAD, terminal->colour));
    display_add(out, line, DISPLAY_LINE);
    text_add(out, style_close(STYLE_BAD, terminal->colour));
    text_add_format(out, "\nsee all: crescendo domain check %s\n", json_text(domain, "name", "NAME"));
}

static void add_header(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    const json_t *keeper = json_object_get(domain, "keeper");
    const char *trouble = json_text(domain, "trouble", NULL);
    AUTO(free_text) char *head = mem_format("domain %s", json_text(domain, "name", "?"));
    AUTO(text_release) struct text where = {0};
    plain_add_members(&where, json_object_get(domain, "site"), "capacity flavours");
    fact_add_head(out, terminal, trouble ? "failed" : keeper ? "active" : "", head);
    add_mistake(out, terminal, domain);
    fact_add(out, terminal, "note", json_text(domain, "note", NULL));
    fact_add(out, terminal, "owner", json_text(domain, "owner", NULL));
    fact_add(out, terminal, "site", text_view(&where));
    add_keeper(out, terminal, keeper, trouble);
    add_policy(out, terminal, json_object_get(domain, "policy"));
}

/* One measure: all of it, what is used, what is left; nothing where there is no limit. */
static void add_measure(struct table *table, const char *name, const json_t *total, const json_t *used)
{
    AUTO(text_release) struct text all = {0}, taken = {0}, left = {0};
    AUTO(free_json) json_t *rest = json_real(json_number_value(total) - json_number_value(used));
    plain_add_unit(&all, name, total);
    plain_add_unit(&taken, name, used);
    if (json_is_number(total)) plain_add_unit(&left, name, rest);
    table_add(table, STYLE_PLAIN, name);
    table_add(table, STYLE_PLAIN, text_view(&all));
    table_add(table, STYLE_PLAIN, text_view(&taken));
    table_add(table, STYLE_PLAIN, text_view(&left));
}

static void add_capacity(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    static const struct column columns[] = {{"CAPACITY"}, {"TOTAL", .right = true}, {"USED", .right = true}, {"LEFT", .right = true}};
    const json_t *used = json_object_get(domain, "used");
    json_t *capacity = json_object_get(json_object_get(domain, "site"), "capacity"), *total;
    struct table *table = table_new(columns, COUNT_OF(columns));
    const char *name;
    json_object_foreach(capacity, name, total) add_measure(table, name, total, json_object_get(used, name));
    print_table(table, json_object_size(capacity), terminal, out);
}

static void add_flavours(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    static const struct column columns[] = {{"FLAVOUR", .keep = 8}, {"WHAT", .keep = 10}};
    json_t *flavours = json_object_get(json_object_get(domain, "site"), "flavours"), *flavour;
    struct table *table = table_new(columns, COUNT_OF(columns));
    const char *name;
    json_object_foreach(flavours, name, flavour)
    {
        AUTO(text_release) struct text words = {0};
        plain_add_members(&words, flavour, "name");
        table_add(table, STYLE_PLAIN, name);
        table_add(table, STYLE_PLAIN, text_view(&words));
    }
    print_table(table, json_object_size(flavours), terminal, out);
}

static void add_share(struct table *table, const json_t *service)
{
    const json_t *percent = json_object_get(service, "share");
    AUTO(free_text) char *share = percent ? mem_format("%.10g %%", json_number_value(percent)) : NULL;
    table_add(table, STYLE_PLAIN, share);
}

static const char *address_of(const json_t *families, const char *name)
{
    size_t i;
    json_t *family;
    json_array_foreach(families, i, family)
    {
        if (text_equal(json_text(family, "name", NULL), name)) return json_text(family, "address", "");
    }
    return "";
}

static void add_service(struct table *table, const json_t *families, const json_t *service)
{
    const char *family = json_text(service, "family", "");
    AUTO(free_text) char *ready = said(service, "ready");
    AUTO(free_text) char *replicas = said(service, "replicas");
    add_cell(table, service, "service");
    table_add(table, STYLE_PLAIN, family);
    add_cell(table, service, "version");
    add_state(table, service);
    add_share(table, service);
    table_add_format(table, STYLE_PLAIN, "%s/%s", ready, replicas);
    table_add(table, STYLE_PLAIN, address_of(families, family));
    add_message(table, service);
}

static void add_services(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    static const struct column columns[] = {{"SERVICE", .right = true}, {"FAMILY", .keep = 8, .drop = 3}, {"VERSION", .keep = 7}, {"STATE"},
        {"SHARE", .right = true}, {"READY", .right = true, .drop = 2}, {"ADDRESS", .drop = 1}, {"MESSAGE", .keep = 8}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    size_t i;
    json_t *service;
    json_array_foreach(json_object_get(domain, "keeper_services"), i, service)
    {
        add_service(table, json_object_get(domain, "families"), service);
    }
    print_table(table, i, terminal, out);
}

static void add_instance(struct table *table, const json_t *instance)
{
    static const char *const keys[] = {"restarts", "port", "pid"};
    add_cell(table, instance, "service");
    add_cell(table, instance, "number");
    add_state(table, instance);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        add_cell(table, instance, keys[i]);
    add_message(table, instance);
}

static void add_instances(struct text *out, const struct terminal *terminal, const json_t *instances)
{
    static const struct column columns[] = {{"SERVICE", .right = true}, {"INSTANCE", .right = true}, {"STATE"},
        {"RESTARTS", .right = true, .drop = 3}, {"PORT", .right = true, .drop = 2}, {"PID", .right = true, .drop = 1},
        {"MESSAGE", .keep = 8}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    size_t i;
    json_t *instance;
    json_array_foreach(instances, i, instance) add_instance(table, instance);
    print_table(table, i, terminal, out);
}

int domain_show(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *domain = NULL;
    AUTO(text_release) struct text name = {0};
    percent_encode(form_argument(cli, 0), &name);
    int failed = client_get(&cli->client, &domain, err, "/domain/v1/domains/%s", text_view(&name));
    if (failed == -ERROR_NOT_FOUND && !err->hint[0]) return error_hint(err, "`crescendo domain` lists them");
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(domain);
    struct text out = {0};
    add_header(&out, &cli->out, domain);
    add_capacity(&out, &cli->out, domain);
    add_flavours(&out, &cli->out, domain);
    add_services(&out, &cli->out, domain);
    add_instances(&out, &cli->out, json_object_get(domain, "instances"));
    print_text(&out);
    return 0;
}
