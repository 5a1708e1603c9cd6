/* domain.c: `crescendo domain`: the core's own domains as a table, and the table of its forms. */
#include "cli/domain.h"

#include "base/mem.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdio.h>

static void add_row(struct table *table, const json_t *domain, bool with_message)
{
    const json_t *site = json_object_get(domain, "site");
    table_add(table, STYLE_PLAIN, json_text(domain, "name", ""));
    table_add(table, STYLE_PLAIN, json_text(site, "driver", ""));
    table_add(table, STYLE_PLAIN, json_text(site, "address", ""));
    table_add(table, STYLE_PLAIN, json_text(site, "ports", ""));
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)json_whole(domain, "services", 0));
    table_add(table, STYLE_QUIET, json_text(domain, "owner", ""));
    if (with_message) table_add(table, STYLE_BAD, json_text(domain, "message", json_text(domain, "note", "")));
}

static void print_domains(const struct cli *cli, const json_t *domains)
{
    static const struct column columns[] = {{"NAME", .keep = 8}, {"DRIVER", .drop = 2}, {"ADDRESS", .keep = 9, .drop = 4},
        {"PORTS", .drop = 3}, {"SERVICES", .right = true}, {"OWNER", .keep = 6, .drop = 1}, {"MESSAGE", .keep = 24}};
    size_t i;
    json_t *domain;
    bool with_message = false;
    json_array_foreach(domains, i, domain) with_message =
        with_message || json_object_get(domain, "message") || json_object_get(domain, "note");
    struct table *table = table_new(columns, COUNT_OF(columns) - !with_message);
    json_array_foreach(domains, i, domain) add_row(table, domain, with_message);
    write_table(&table, &cli->out);
}

static int list(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    int failed = client_get(&cli->client, &answer, err, "/domain/v1/domains");
    if (failed) return failed;
    const json_t *domains = json_object_get(answer, "domains");
    if (options_flag(&cli->options, "json")) return print_json(domains);
    if (json_array_size(domains))
        print_domains(cli, domains);
    else
        puts("the core drives no domain yet: crescendo domain add NAME");
    return 0;
}

const struct form domain_forms[] = {
    {"list", "", "the domains that the core drives itself", .run = list},
    {"show", "NAME", "one domain: its capacity, services and instances", 1, 1, .run = domain_show},
    {"add", "NAME", "writes the file of a new domain into this machine's data folder", 1, 1, "address ports url dialect", domain_add},
    {"remove", "NAME", "takes the file away again, when no service is left there", 1, 1, .run = domain_remove},
    {"check", "NAME|FILE", "every mistake in the file of a domain; needs no server", 1, 1, .run = domain_check},
    {.name = NULL},
};
