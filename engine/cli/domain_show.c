/* domain_show.c: `crescendo domain show`: one of the core's domains: what is there, what is used of it, what runs on it. */
#include "base/encode.h"
#include "base/mem.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/plain.h"
#include "cli/table.h"

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

static void print_table(struct table *table, bool any, const struct terminal *terminal, struct text *out)
{
    if (any) text_add_char(out, '\n');
    if (any) table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

static void add_header(struct text *out, const struct terminal *terminal, const json_t *domain)
{
    static const char *const parts[] = {"keeper", "haproxy"};
    const json_t *site = json_object_get(domain, "site");
    const char *state = json_text(domain, "state", ""), *name = json_text(domain, "name", "?");
    AUTO(free_text) char *head = mem_format("domain %s%s%s", name, *state ? "  " : "", state);
    AUTO(text_release) struct text where = {0};
    plain_add_members(&where, site, "capacity flavours");
    fact_add_head(out, terminal, state, head);
    fact_add(out, terminal, "message", json_text(domain, "message", NULL));
    fact_add(out, terminal, "owner", json_text(domain, "owner", NULL));
    fact_add(out, terminal, "site", text_view(&where));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const json_t *part = json_object_get(domain, parts[i]);
        AUTO(text_release) struct text words = {0};
        if (json_is_object(part))
            plain_add_members(&words, part, NULL);
        else
            plain_add(&words, part);
        fact_add(out, terminal, parts[i], text_view(&words));
    }
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

static void add_service(struct table *table, const json_t *family, const json_t *service)
{
    AUTO(free_text) char *share = said(service, "share"), *ready = said(service, "ready"), *replicas = said(service, "replicas");
    table_add(table, STYLE_PLAIN, json_text(service, "service", ""));
    table_add(table, STYLE_PLAIN, json_text(family, "name", ""));
    add_cell(table, service, "version");
    add_state(table, service);
    table_add_format(table, STYLE_PLAIN, "%s%s", share, *share ? " %" : "");
    table_add_format(table, STYLE_PLAIN, "%s%s%s", ready, *replicas ? "/" : "", replicas);
    table_add(table, STYLE_PLAIN, json_text(family, "address", ""));
    table_add(table, STYLE_BAD, json_text(service, "message", ""));
}

static void add_instance(struct table *table, const json_t *service, const json_t *instance)
{
    table_add(table, STYLE_PLAIN, json_text(service, "service", ""));
    add_cell(table, instance, "number");
    add_state(table, instance);
    add_cell(table, instance, "restarts");
    add_cell(table, instance, "port");
    add_cell(table, instance, "pid");
    table_add(table, STYLE_BAD, json_text(instance, "message", ""));
}

static void add_instances(struct table *table, const json_t *service)
{
    size_t i;
    json_t *instance;
    json_array_foreach(json_object_get(service, "instances"), i, instance) add_instance(table, service, instance);
}

static void add_families(struct text *out, const struct terminal *terminal, const json_t *families)
{
    static const struct column of_services[] = {{"SERVICE", .right = true}, {"FAMILY", .keep = 8}, {"VERSION", .keep = 7}, {"STATE"},
        {"SHARE", .right = true}, {"READY", .right = true}, {"ADDRESS"}, {"MESSAGE", .keep = 8}},
                               of_instances[] = {{"SERVICE", .right = true}, {"INSTANCE", .right = true}, {"STATE"},
                                   {"RESTARTS", .right = true}, {"PORT", .right = true}, {"PID", .right = true}, {"MESSAGE", .keep = 8}};
    struct table *services = table_new(of_services, COUNT_OF(of_services)), *instances = table_new(of_instances, COUNT_OF(of_instances));
    size_t f, s, count = 0;
    json_t *family, *service;
    json_array_foreach(families, f, family)
    {
        json_array_foreach(json_object_get(family, "services"), s, service)
        {
            add_service(services, family, service);
            add_instances(instances, service);
            count += json_array_size(json_object_get(service, "instances"));
        }
    }
    print_table(services, json_array_size(families), terminal, out);
    print_table(instances, count, terminal, out);
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
    add_families(&out, &cli->out, json_object_get(domain, "families"));
    print_text(&out);
    return 0;
}
