/* sites.c: while a domain has services, its keeper is looked at about once a second: one that died is started anew, and what it did by
   itself goes into the inventory. */
#include "orchestrator/sites_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "exec/keeper.h"
#include "net/keeper.h"
#include "orchestrator/fulfil/check.h"
#include "orchestrator/fulfil/observe.h"
#include "orchestrator/tmf/resource.h"

#include <stdlib.h>

enum { LOOK_MS = 1000, ANSWER_MS = 5000 };

struct site *site_find(struct sites *sites, const char *name)
{
    for (struct site *site = sites->list; site; site = site->next)
        if (text_equal(site->name, name)) return site;
    return NULL;
}

static struct site *site_get(struct sites *sites, const char *name)
{
    struct site *site = site_find(sites, name);
    if (site) return site;
    site = mem_alloc(sizeof *site);
    site->name = mem_copy_text(name);
    site->next = sites->list;
    sites->list = site;
    return site;
}

/* --- a look ------------------------------------------------------------------------------------------------------------------ */

struct look {
    uv_work_t work;
    struct sites *sites;
    char *name, *folder, *shim;
    json_t *domain; /* what the keeper is told: name, address, ports, our epoch; a copy of its own */
    json_t *strays; /* services to end; NULL = none */
    uint64_t since; /* orders_rested() when it began */
    json_t *lines;
    bool waits; /* its services keep the ports that it had */
    int failed;
    struct error err;
};

static void end_strays(const struct look *look)
{
    json_t *id;
    size_t index;
    json_array_foreach(look->strays, index, id)
    {
        AUTO(free_json)
        json_t *fields = json_pack("{s:O, s:o, s:O}", "service", id, "key", json_sprintf("stray %s", json_string_value(id)), "epoch",
            json_object_get(look->domain, "epoch"));
        struct error ignored; /* it is still there at the next look, then */
        (void)!keeper_ask(look->folder, "stop", fields, ANSWER_MS, NULL, NULL, &ignored);
    }
}

/* Where the file says other ports, a keeper without services ends and one begins that has them; with services, what it has holds. */
static int tell_domain(struct look *look)
{
    AUTO(free_json) json_t *answer = NULL;
    int failed = keeper_ask(look->folder, "domain", look->domain, ANSWER_MS, &answer, NULL, &look->err);
    look->waits = failed == -ERROR_CONFLICT;
    if (failed || !json_object_get(answer, "again")) return look->waits ? 0 : failed;
    failed = keeper_end_awaited(look->folder, ANSWER_MS, &look->err);
    if (!failed) failed = keeper_ensure(look->folder, look->shim, &look->err);
    return failed ? failed : keeper_ask(look->folder, "domain", look->domain, ANSWER_MS, NULL, NULL, &look->err);
}

/* In a worker: the keeper is there, knows its domain, and says how it is. */
static void on_look(uv_work_t *work)
{
    struct look *look = work->data;
    look->failed = file_make_folders(look->folder, 0700, &look->err);
    if (!look->failed) look->failed = keeper_ensure(look->folder, look->shim, &look->err);
    if (!look->failed) look->failed = tell_domain(look);
    if (!look->failed) end_strays(look);
    if (!look->failed) look->failed = keeper_ask(look->folder, "status", NULL, ANSWER_MS, NULL, &look->lines, &look->err);
}

static void write_observed(struct sites *sites, json_t *observed)
{
    struct document_list list = {0};
    json_t *service;
    size_t index;
    json_array_foreach(observed, index, service)
    {
        document_list_add(&list, SERVICE_COLLECTION, json_text(service, "id", ""), NULL, service);
        orders_keep_service(sites->orders, service);
    }
    if (list.count)
        journal_append(sites->journal, &(struct journal_batch){.documents = list.items, .document_count = list.count}, NULL, NULL);
    document_list_release(&list);
}

/* A family that an order is changing, or has changed since the keeper was asked, is told by the order. */
static void observe(struct sites *sites, const struct look *look)
{
    const char *domain = look->name;
    AUTO(free_json) json_t *observed = json_array();
    const char *id;
    json_t *service;
    json_object_foreach((json_t *)orders_services(sites->orders), id, service)
    {
        const char *family = service_family(service);
        if (!family || !text_equal(service_domain(service), domain) || orders_touched(sites->orders, look->since, domain, family)) continue;
        json_t *seen = inventory_observe(service, look->lines);
        if (seen) json_array_append_new(observed, seen);
    }
    write_observed(sites, observed);
}

/* What the inventory has terminated must not run: a keeper that hung may have done later what its order had given up. */
static bool is_stray(struct sites *sites, const struct look *look, const json_t *line)
{
    const char *id = json_text(line, "service", "");
    AUTO(free_json) json_t *document = NULL;
    if (!text_equal(json_text(line, "line", NULL), "service") || text_equal(json_text(line, "state", NULL), "stopping")) return false;
    if (json_object_get(orders_services(sites->orders), id) ||
        orders_touched(sites->orders, look->since, look->name, json_text(line, "family", NULL)))
        return false;
    struct error err;
    return tmf_read(sites->journal, SERVICE_COLLECTION, id, &document, &err) == 0 &&
           text_equal(json_text(document, "state", NULL), "terminated");
}

static void find_strays(struct sites *sites, struct site *site, const struct look *look)
{
    json_t *line;
    size_t index;
    json_array_foreach(look->lines, index, line)
    {
        if (!is_stray(sites, look, line)) continue;
        if (!site->strays) site->strays = json_array();
        json_array_append(site->strays, json_object_get(line, "service"));
        log_line(LOG_LEVEL_WARNING, "%s has service %s, which is terminated: it is ended", site->name, json_text(line, "service", ""));
    }
}

static void tell_failure(struct site *site, const struct look *look)
{
    AUTO(free_text) char *what = mem_format("the keeper of %s is not well; it is tried again", site->name);
    if (look->failed && !site->trouble) log_error(&look->err, what);
    if (!look->failed && site->trouble) log_line(LOG_LEVEL_INFO, "the keeper of %s is well again", site->name);
    free(site->trouble);
    site->trouble = look->failed ? mem_copy_text(look->err.message) : NULL;
}

static void answer_all(struct sites *sites, const struct site *site, struct asking **list)
{
    for (struct asking *asking = take(list), *next; asking; asking = next) {
        next = asking->next;
        sites_respond(sites, site, site->name, asking->request);
        free(asking);
    }
}

static void look_free(struct look *look)
{
    free(look->name);
    free(look->folder);
    free(look->shim);
    json_decref(look->domain);
    json_decref(look->lines);
    json_decref(look->strays);
    free(look);
}

void sites_replaced(struct sites *sites, const char *domain)
{
    AUTO(free_text) char *by = mem_format("the keeper of %s", domain);
    journal_replaced(sites->journal, by);
}

static void look_at(struct sites *sites, struct site *site);

static void on_looked(uv_work_t *work, int status)
{
    struct look *look = work->data;
    struct sites *sites = look->sites;
    struct site *site = sites->closing ? NULL : site_find(sites, look->name);
    (void)status;
    if (site) {
        site->looking = false;
        site->looked_us = clock_monotonic_us();
        tell_failure(site, look);
    }
    if (site && look->failed == -ERROR_STALE) sites_replaced(sites, look->name);
    if (site && !look->failed) {
        json_decref(site->lines);
        site->lines = json_incref(look->lines);
        site->waits = look->waits;
        observe(sites, look);
        find_strays(sites, site, look);
    }
    if (site) answer_all(sites, site, &site->awaiting);
    if (site && site->asking) look_at(sites, site);
    look_free(look);
    sites_release(sites);
}

static void look_at(struct sites *sites, struct site *site)
{
    const json_t *domain = json_object_get(sites_domains(sites), site->name), *at = json_object_get(domain, "site");
    if (journal_check_ours(sites->journal, NULL) < 0) return;
    if (site->looking || !at || !text_equal(json_text(at, "driver", "process"), "process")) return;
    struct look *look = mem_alloc(sizeof *look);
    look->work.data = look;
    look->sites = sites;
    look->name = mem_copy_text(site->name);
    look->folder = mem_format("%s/%s", sites->keepers, site->name);
    look->shim = mem_copy_text(sites->shim);
    look->strays = take(&site->strays);
    look->since = orders_rested(sites->orders);
    look->domain = json_object();
    json_put_text(look->domain, "name", site->name);
    json_put_text(look->domain, "address", json_text(at, "address", "127.0.0.1"));
    json_put_text(look->domain, "ports", json_text(at, "ports", "18080-18099"));
    json_put_whole(look->domain, "epoch", (json_int_t)journal_epoch(sites->journal)->number);
    site->looking = true;
    site->awaiting = take(&site->asking);
    sites->pending++;
    if (uv_queue_work(sites->loop, &look->work, on_look, on_looked) == 0) return;
    answer_all(sites, site, &site->awaiting);
    site->looking = false;
    sites->pending--;
    look_free(look);
}

/* --- which domains are looked at ---------------------------------------------------------------------------------------------------- */

static json_t *domains_in_use(const struct sites *sites)
{
    json_t *names = json_object(), *each, *item;
    const char *id;
    size_t index;
    json_object_foreach((json_t *)orders_services(sites->orders), id, each)
    {
        const char *domain = service_domain(each);
        if (domain && service_family(each)) json_put_flag(names, domain, true);
    }
    json_object_foreach((json_t *)orders_open(sites->orders), id, each)
    {
        json_array_foreach(json_object_get(each, "items"), index, item)
        {
            if (json_text(item, "family", NULL)) json_put_flag(names, json_text(item, "domain", ""), true);
        }
    }
    return names;
}

static void on_timer(uv_timer_t *timer)
{
    struct sites *sites = timer->data;
    AUTO(free_json) json_t *names = domains_in_use(sites);
    const char *name;
    json_t *unused;
    json_object_foreach(names, name, unused)
    {
        look_at(sites, site_get(sites, name));
    }
    if (!json_object_size(names)) uv_timer_stop(timer); /* an idle core sleeps; sites_wake starts it again */
}

void sites_wake(struct sites *sites, const char *domain)
{
    look_at(sites, site_get(sites, domain));
    if (!uv_is_active((uv_handle_t *)&sites->timer)) uv_timer_start(&sites->timer, on_timer, LOOK_MS, LOOK_MS);
}

void sites_answer(struct sites *sites, const char *name, struct request *request)
{
    AUTO(free_json) json_t *names = domains_in_use(sites);
    struct site *site = json_object_get(names, name) ? site_get(sites, name) : site_find(sites, name);
    if (!site) {
        sites_respond(sites, site, name, request);
        return;
    }
    struct asking *asking = mem_alloc(sizeof *asking);
    *asking = (struct asking){site->asking, request};
    site->asking = asking;
    look_at(sites, site);
    if (!site->looking) answer_all(sites, site, &site->asking); /* not ours to look at */
}

/* --- opening, closing ------------------------------------------------------------------------------------------------------------------
 */

void sites_release(struct sites *sites)
{
    if (--sites->pending || !sites->closing) return;
    for (struct site *site = sites->list, *next; site; site = next) {
        next = site->next;
        free(site->name);
        free(site->trouble);
        json_decref(site->lines);
        json_decref(site->strays);
        free(site);
    }
    holders_close(&sites->holders);
    json_decref(sites->files);
    json_decref(sites->wrong);
    free(sites->files_seen);
    free(sites->domains);
    free(sites->keepers);
    free(sites->shim);
    free(sites);
}

static void on_timer_closed(uv_handle_t *timer)
{
    sites_release(timer->data);
}

int sites_open(uv_loop_t *loop, const struct sites_options *options, struct sites **ret, struct error *err)
{
    struct holders *holders = NULL;
    int failed = holders_open(options->journal, &holders, err);
    if (failed) return failed;
    struct sites *sites = mem_alloc(sizeof *sites);
    *sites = (struct sites){.loop = loop,
        .domains = mem_copy_text(options->domains),
        .keepers = mem_copy_text(options->keepers),
        .shim = mem_copy_text(options->shim),
        .orders = options->orders,
        .journal = options->journal,
        .holders = holders,
        .pending = 1};
    uv_timer_init(loop, &sites->timer);
    sites->timer.data = sites;
    AUTO(free_json) json_t *names = domains_in_use(sites);
    const char *name;
    json_t *unused;
    json_object_foreach(names, name, unused)
    {
        sites_wake(sites, name);
    }
    *ret = sites;
    return 0;
}

void sites_close(struct sites **place)
{
    struct sites *sites = take(place);
    if (!sites) return;
    sites->closing = true;
    for (struct site *site = sites->list; site; site = site->next) {
        answer_all(sites, site, &site->asking);
        answer_all(sites, site, &site->awaiting);
    }
    uv_close((uv_handle_t *)&sites->timer, on_timer_closed);
}
