/* catalogue.c: `crescendo catalogue`: what is published, all about one offering, and taking one back. */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands_tables.h"
#include "cli/facts.h"
#include "cli/offerings.h"
#include "cli/output.h"
#include "cli/plain.h"
#include "cli/publish.h"
#include "cli/table.h"
#include "cli/documents.h"
#include "cli/when.h"

#include <stdio.h>

static int64_t published_ms(const json_t *offering)
{
    int64_t since_ms = document_time(json_object_get(offering, "validFor"), "startDateTime");
    return since_ms ? since_ms : document_time(offering, "lastUpdate");
}

static void print_offerings(const struct cli *cli, const json_t *offerings)
{
    static const struct column columns[] = {
        {"NAME", .keep = 12}, {"VERSION", .keep = 7}, {"STATUS", .drop = 3}, {"PUBLISHED", .drop = 2}, {"ID", .keep = 8, .drop = 1}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *offering;
    json_array_foreach(offerings, i, offering)
    {
        const char *status = json_text(offering, "lifecycleStatus", "");
        table_add(table, STYLE_PLAIN, json_text(offering, "name", ""));
        table_add(table, STYLE_PLAIN, json_text(offering, "version", ""));
        table_add(table, style_of_state(status), status);
        table_add_when(table, published_ms(offering), now_ms);
        table_add(table, STYLE_QUIET, json_text(offering, "id", ""));
    }
    write_table(&table, &cli->out);
}

static int list(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *offerings = NULL;
    int failed = core_list(&cli->client, CORE_OFFERINGS, NULL, 0, &offerings, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(offerings);
    if (json_array_size(offerings))
        print_offerings(cli, offerings);
    else
        puts("nothing is published yet: a pipeline's step `publish`, or crescendo catalogue publish FILE.tar.gz");
    return 0;
}

/* {"compute": {"name": ...}}: the kind is the only key. */
static void add_component(struct table *table, const json_t *component)
{
    const char *kind;
    json_t *body;
    json_object_foreach((json_t *)component, kind, body)
    {
        AUTO(text_release) struct text words = {0};
        plain_add_members(&words, body, "name");
        table_add(table, STYLE_PLAIN, json_text(body, "name", ""));
        table_add(table, STYLE_PLAIN, kind);
        table_add(table, STYLE_PLAIN, text_view(&words));
    }
}

/* "quantile 95%  below 40ms": a bound is in the unit of its KPI. */
static void add_promise(struct table *table, const json_t *promise)
{
    static const char *const bounds[] = {"below", "above"};
    AUTO(text_release) struct text words = {0};
    plain_add_members(&words, promise, "kpi below above");
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        const json_t *bound = json_object_get(promise, bounds[i]);
        if (!bound) continue;
        text_add_format(&words, "%s%s ", words.size ? "  " : "", bounds[i]);
        plain_add_unit(&words, json_text(promise, "kpi", ""), bound);
    }
    table_add(table, STYLE_PLAIN, json_text(promise, "kpi", ""));
    table_add(table, STYLE_PLAIN, text_view(&words));
}

static void add_table(struct text *out, const struct terminal *terminal, const struct column *columns, size_t count, const json_t *rows,
    void (*row)(struct table *table, const json_t *row))
{
    struct table *table = table_new(columns, count);
    size_t i;
    json_t *one;
    json_array_foreach(rows, i, one) row(table, one);
    if (i) text_add_char(out, '\n');
    if (i) table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

static void add_package(struct text *out, const struct terminal *terminal, const json_t *specification)
{
    const json_t *package = json_array_get(json_object_get(specification, "attachment"), 0), *size = json_object_get(package, "size");
    AUTO(text_release) struct text bytes = {0};
    int64_t size_bytes = json_is_object(size) ? json_whole(size, "amount", 0) : json_integer_value(size);
    if (size_bytes > 0) text_add_size(&bytes, size_bytes);
    fact_add(out, terminal, "package", json_text(package, "name", NULL));
    fact_add(out, terminal, "digest", json_text(package, "digest", NULL));
    fact_add(out, terminal, "size", text_view(&bytes));
    fact_add(out, terminal, "url", json_text(package, "url", NULL));
}

static void print_offering(const struct cli *cli, const json_t *offering, const json_t *specification)
{
    static const struct column components[] = {{"COMPONENT", .keep = 10}, {"KIND"}, {"WHAT", .keep = 10}},
                               promises[] = {{"KPI"}, {"PROMISE", .keep = 10}};
    const struct terminal *terminal = &cli->out;
    const json_t *descriptor = document_value(specification, "descriptor");
    const char *status = json_text(offering, "lifecycleStatus", "?");
    struct text out = {0};
    AUTO(free_text) char *head = mem_format("%s %s  %s", json_text(offering, "name", "?"), json_text(offering, "version", ""), status);
    fact_add_head(&out, terminal, status, head);
    fact_add(&out, terminal, "offering", json_text(offering, "id", NULL));
    fact_add(&out, terminal, "service", json_text(specification, "id", NULL));
    fact_add(&out, terminal, "description", json_text(offering, "description", NULL));
    fact_add(&out, terminal, "kind", json_text(descriptor, "kind", NULL));
    fact_add_time(&out, terminal, "published", published_ms(offering));
    add_package(&out, terminal, specification);
    add_table(&out, terminal, components, COUNT_OF(components), json_object_get(descriptor, "components"), add_component);
    add_table(&out, terminal, promises, COUNT_OF(promises), json_object_get(descriptor, "sla"), add_promise);
    print_text(&out);
}

static int show(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *offering = NULL, *specification = NULL;
    int failed = offering_find(&cli->client, form_argument(cli, 0), form_argument(cli, 1), &offering, err);
    if (!failed) failed = offering_specification(&cli->client, offering, &specification, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) {
        AUTO(free_json) json_t *both = json_object();
        json_put(both, "offering", take(&offering));
        json_put(both, "serviceSpecification", take(&specification));
        return print_json(both);
    }
    print_offering(cli, offering, specification);
    return 0;
}

static int retire(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *offering = NULL, *change = json_object(), *answer = NULL;
    const char *name = form_argument(cli, 0), *version = form_argument(cli, 1);
    int failed = offering_find(&cli->client, name, version, &offering, err);
    if (failed) return failed;
    json_put_text(change, "lifecycleStatus", "Retired");
    failed = core_patch(&cli->client, CORE_OFFERINGS, json_text(offering, "id", ""), change, &answer, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    printf("%s %s is retired: it cannot be ordered any more; what runs goes on\n", name, version);
    return 0;
}

const struct form catalogue_forms[] = {
    {"list", "", "what is published", .run = list},
    {"show", "NAME|ID [VERSION]", "one offering: its package, components and promises", 1, 2, .run = show},
    {"publish", "FILE.tar.gz", "puts a package into the catalogue, as the step `publish` does", 1, 1, "service", catalogue_publish},
    {"retire", "NAME VERSION", "it cannot be ordered any more; what runs goes on", 2, 2, .run = retire},
    {.name = NULL},
};
