/* domain_file.c: the text of a new domain's file. */
#include "cli/domain_file.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/* FIRST-LAST, both ports that need no privileges. */
static bool is_range(const char *ports)
{
    const char *dash = strchr(ports, '-');
    AUTO(free_text) char *first = dash ? mem_copy_bytes(ports, (size_t)(dash - ports)) : NULL;
    int64_t from = 0, to = 0;
    return dash && text_to_integer(first, &from) && text_to_integer(dash + 1, &to) && from >= 1024 && from <= to && to <= 65535;
}

/* One word of YAML: nothing that would need quotes. */
static bool is_word(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at >= 127 || strchr("#'\"{}[],&*!|>%@`", *at)) return false;
    return *text;
}

static int check(const struct domain_wish *wish, struct error *err)
{
    if (!text_is_name(wish->name)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' cannot be a domain's name", wish->name);
        return error_hint(err, "small letters, digits and hyphens, a letter first: greek-indoor");
    }
    if (wish->url && (wish->address || wish->ports)) {
        error_set(err, ERROR_INVALID, NOWHERE, "--address and --ports are of a domain that our core drives, --url is another core's");
        return error_hint(err, "leave out one or the other");
    }
    if (wish->ports && !is_range(wish->ports)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no range of ports", wish->ports);
        return error_hint(err, "FIRST-LAST from 1024 to 65535: --ports 18080-18099");
    }
    if (wish->address && (!is_word(wish->address) || strlen(wish->address) > 45))
        return error_set(err, ERROR_INVALID, NOWHERE, "'%.60s' is no IP address", wish->address);
    if (wish->url && !is_word(wish->url)) return error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' is no URL", wish->url);
    if (wish->dialect && !text_is_name(wish->dialect))
        return error_set(err, ERROR_INVALID, NOWHERE, "'%.60s' is no dialect", wish->dialect);
    return 0;
}

static void add_site(struct text *out, const struct domain_wish *wish)
{
    text_add_format(out,
        "url: embedded               # the core of the server whose data folder this is in\n\n"
        "site:                       # the core drives it itself\n"
        "  driver: process           # programs on this machine, behind HAProxy\n"
        "  address: %s\n"
        "  ports: %s        # one for each family: what shares an address, all versions of a service\n"
        "  # capacity: { cpu: 4, memory: 8GiB, instances: 20 }   # what orders may use; without it there is no limit\n",
        wish->address ? wish->address : "127.0.0.1", wish->ports ? wish->ports : "18080-18099");
}

int domain_file_text(const struct domain_wish *wish, char **ret, struct error *err)
{
    int failed = check(wish, err);
    if (failed) return failed;
    struct text out = {0};
    text_add_format(&out, "# %s: a domain, a place where services run. All that may stand here: docs/reference/domain.md\ndomain: %s\n",
        wish->name, wish->name);
    if (wish->url)
        text_add_format(&out, "url: %s\n", wish->url);
    else
        add_site(&out, wish);
    if (wish->dialect) text_add_format(&out, "dialect: %s\n", wish->dialect);
    text_add(&out,
        "\n# policy:                   # by what a canary is judged here; these are the defaults\n"
        "#   promotion: judged       # in a pipeline only behind a kpi step; free: without one, too, which holds without all this\n"
        "#   share: [5%, 25%, 50%]   # one after another; then it is promoted\n"
        "#   every: 10s              # how often it is judged\n"
        "#   budget: { false-rollback: 1%, shortest: 2m, longest: 60m, warm-up: 30s }\n"
        "#   kpis:\n"
        "#     - { kpi: latency, tolerate: 5%, clear: 20% }\n"
        "#     - { kpi: errors, tolerate-odds: 1.25, clear-odds: 2.5 }\n"
        "#   lease: 60s              # a share between 0 and 100 % goes back by itself when nobody renews it for so long\n");
    *ret = text_take(&out);
    return 0;
}
