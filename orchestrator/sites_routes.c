/* sites_routes.c: a lease is renewed; a domain is looked at. */
#include "orchestrator/sites_private.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/keeper.h"
#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/fulfil/site.h"
#include "spec/domain.h"

#include <stdlib.h>
#include <string.h>

/* --- leases --------------------------------------------------------------------------------------------------------------------- */

enum { ANSWER_MS = 5000 };

struct renewal {
    uv_work_t work;
    struct sites *sites;
    struct request *request;
    char *folder, *domain, *service;
    int64_t ttl_ms;
    uint64_t epoch; /* the core's */
    json_t *answer;
    int failed;
    struct error err;
};

static void on_renew(uv_work_t *work)
{
    struct renewal *renewal = work->data;
    AUTO(free_json)
    json_t *fields =
        json_pack("{s:s, s:I, s:I}", "service", renewal->service, "lease_ms", renewal->ttl_ms, "epoch", (json_int_t)renewal->epoch);
    renewal->failed = keeper_ask(renewal->folder, "lease", fields, ANSWER_MS, &renewal->answer, NULL, &renewal->err);
}

/* It is the core that was replaced, not the engine that asks it. */
static void tell_replaced(struct renewal *renewal)
{
    struct error err;
    if (!renewal->sites->closing) sites_replaced(renewal->sites, renewal->domain);
    error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "this core was replaced by another one");
    respond_error(renewal->request, &err);
}

static void on_renewed(uv_work_t *work, int status)
{
    struct renewal *renewal = work->data;
    int64_t deadline_ms = 0;
    (void)status;
    if (renewal->failed == -ERROR_STALE) {
        tell_replaced(renewal);
    } else if (renewal->failed) {
        respond_error(renewal->request, &renewal->err);
    } else {
        json_t *body = json_object();
        json_put_text(body, "service", renewal->service);
        if (text_to_integer(json_text(renewal->answer, "deadline_ms", ""), &deadline_ms)) json_put_whole(body, "deadline_ms", deadline_ms);
        respond_json(renewal->request, 200, body);
    }
    sites_release(renewal->sites);
    json_decref(renewal->answer);
    free(renewal->folder);
    free(renewal->domain);
    free(renewal->service);
    free(renewal);
}

/* One that does not say who it is (a person's curl, an engine before epochs) is not held back. */
static int check_holder(struct sites *sites, const json_t *body, struct error *err)
{
    const char *engine = json_text(body, "engine", NULL);
    return engine ? holders_pass(sites->holders, engine, (uint64_t)json_whole(body, "epoch", 0), err) : 0;
}

static void handle_lease(struct request *request, void *context)
{
    struct sites *sites = context;
    const char *id = request_part(request, "service");
    const json_t *service = json_object_get(orders_services(sites->orders), id);
    const char *domain = service_domain(service);
    struct error err;
    if (!domain || !service_family(service)) {
        error_set(&err, ERROR_NOT_FOUND, NOWHERE, "there is no service %.60s that could hold a lease", id);
        respond_error(request, &err);
        return;
    }
    if (check_holder(sites, request_body(request), &err) < 0) {
        respond_error(request, &err);
        return;
    }
    struct renewal *renewal = mem_alloc(sizeof *renewal);
    renewal->work.data = renewal;
    renewal->sites = sites;
    renewal->domain = mem_copy_text(domain);
    renewal->epoch = journal_epoch(sites->journal)->number;
    sites->pending++;
    renewal->request = request;
    renewal->folder = mem_format("%s/%s", sites->keepers, domain);
    renewal->service = mem_copy_text(id);
    renewal->ttl_ms = json_whole(request_body(request), "ttl_ms", 0);
    uv_queue_work(sites->loop, &renewal->work, on_renew, on_renewed);
}

/* --- domains ------------------------------------------------------------------------------------------------------------------------ */

static json_t *use_of(const struct sites *sites, const char *name, size_t *ret_services)
{
    json_t *sum = json_object(), *service;
    const char *id;
    *ret_services = 0;
    json_object_foreach((json_t *)orders_services(sites->orders), id, service)
    {
        if (!text_equal(service_domain(service), name)) continue;
        AUTO(free_json) json_t *use = service_use(service);
        measures_add(sum, use, 1);
        ++*ret_services;
    }
    return sum;
}

/* What is not wrong and yet not as its owner may think: ports that another domain wants too, or that do not hold yet. */
static char *note_of(struct sites *sites, const char *name, const json_t *domain)
{
    const json_t *at = json_object_get(domain, "site"), *other;
    const struct site *site = site_find(sites, name);
    const char *key, *ports = json_text(at, "ports", "");
    struct text note = {0};
    if (at && site && site->waits)
        text_add_format(&note, "ports %s, as its file says, hold once its services are gone; until then it has those before", ports);
    json_object_foreach(sites->files, key, other)
    {
        const json_t *there = json_object_get(other, "site");
        if (text_equal(key, name) || !domain_sites_overlap(at, there)) continue;
        text_add_format(&note, "%sits ports %s overlap those of %s, %s", note.size ? "; " : "", ports, key, json_text(there, "ports", ""));
    }
    return note.size ? text_take(&note) : NULL;
}

/* domain NULL: its file was never right. */
static json_t *describe(struct sites *sites, const char *name, const json_t *domain)
{
    size_t services;
    json_t *body = json_object();
    json_put_text(body, "name", name);
    json_put_text(body, "owner", json_text(domain, "owner", NULL));
    json_put(body, "policy", json_incref(json_object_get(domain, "policy")));
    json_put(body, "site", json_incref(json_object_get(domain, "site")));
    json_put(body, "used", use_of(sites, name, &services));
    json_put_whole(body, "services", (int64_t)services);
    json_put_text(body, "message", json_text(sites->wrong, name, NULL));
    AUTO(free_text) char *note = note_of(sites, name, domain);
    json_put_text(body, "note", note);
    return body;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Of all that have a file, sorted; the list is the caller's, the names are the files'. */
static const char **names_of(const struct sites *sites, size_t *ret_count)
{
    const char **names = mem_alloc_array(json_object_size(sites->files) + json_object_size(sites->wrong) + 1, sizeof *names), *name;
    json_t *unused;
    size_t count = 0;
    json_object_foreach(sites->files, name, unused) names[count++] = name;
    json_object_foreach(sites->wrong, name, unused)
    {
        if (!json_object_get(sites->files, name)) names[count++] = name;
    }
    qsort(names, count, sizeof *names, compare_names);
    *ret_count = count;
    return names;
}

static void handle_list(struct request *request, void *context)
{
    struct sites *sites = context;
    const json_t *domains = sites_domains(sites);
    json_t *list = json_array();
    size_t count = 0;
    const char **names = names_of(sites, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, describe(sites, names[i], json_object_get(domains, names[i])));
    free(names);
    json_t *body = json_object();
    json_put(body, "domains", list);
    respond_json(request, 200, body);
}

/* The keeper's lines are text; what counts is a number here, a share a percentage. */
static json_t *typed_line(const json_t *line)
{
    static const char *const numbers[] = {"replicas", "ready", "lease_ms", "number", "pid", "port", "restarts", "requests", "records",
        "dropped", "haproxy_pid", "share", "open", NULL};
    json_t *copy = json_copy((json_t *)line);
    json_object_del(copy, "line");
    for (const char *const *name = numbers; *name; name++) {
        int64_t value;
        if (text_to_integer(json_text(copy, *name, ""), &value)) json_object_set_new(copy, *name, json_integer(value));
    }
    json_t *share = json_object_get(copy, "share");
    if (share) json_object_set_new(copy, "share", json_real(json_number_value(share) / 100));
    if (json_object_get(copy, "lost")) json_object_set_new(copy, "lost", json_boolean(text_equal(json_text(copy, "lost", NULL), "1")));
    return copy;
}

/* What the keeper says of itself, by kind of line. */
static void put_keeper(json_t *body, const json_t *lines)
{
    static const struct {
        const char *line, *member;
    } kinds[] = {{"family", "families"}, {"service", "keeper_services"}, {"instance", "instances"}};
    const json_t *line;
    size_t index;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        json_put(body, kinds[i].member, json_array());
    json_array_foreach(lines, index, line)
    {
        AUTO(free_json) json_t *copy = typed_line(line);
        if (text_equal(json_text(line, "line", NULL), "domain")) json_object_set(body, "keeper", copy);
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (text_equal(json_text(line, "line", NULL), kinds[i].line)) json_array_append(json_object_get(body, kinds[i].member), copy);
    }
}

void sites_respond(struct sites *sites, const struct site *site, const char *name, struct request *request)
{
    json_t *body = describe(sites, name, json_object_get(sites_domains(sites), name));
    put_keeper(body, site ? site->lines : NULL);
    json_put_text(body, "trouble", site ? site->trouble : NULL);
    respond_json(request, 200, body);
}

static void handle_one(struct request *request, void *context)
{
    struct sites *sites = context;
    const char *name = request_part(request, "name");
    if (json_object_get(sites_domains(sites), name) || json_object_get(sites->wrong, name)) {
        sites_answer(sites, name, request);
        return;
    }
    struct error err;
    error_set(&err, ERROR_NOT_FOUND, NOWHERE, "this core has no domain %.60s", name);
    error_hint(&err, "a domain of its own has a `site` in domains/NAME.yaml");
    respond_error(request, &err);
}

static const struct field lease_fields[] = {
    {.name = "ttl_ms", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED, .min = 1000, .max = 3600 * 1000, .help = "How long from now"},
    {.name = "engine", .type = FIELD_TEXT, .help = "Who renews it: names the journal of the server that asks"},
    {.name = "epoch",
        .type = FIELD_INTEGER,
        .min = 0,
        .max = INT64_MAX,
        .help = "Which start of that server it is: refused below the highest"},
    FIELD_END,
};

static const struct route routes[] = {
    {"PUT", "/lease/v1/leases/{service}", handle_lease, "Renews the lease of a service's share", lease_fields},
    {"GET", "/domain/v1/domains", handle_list, "The domains that this core drives"},
    {"GET", "/domain/v1/domains/{name}", handle_one, "A domain: site, use, families, services, instances"},
    ROUTE_END,
};

struct http_mount sites_mount(struct sites *sites)
{
    return (struct http_mount){.routes = routes, .context = sites};
}
