/* verbs.c: what the keeper can be told. A verb that changes something changes it in memory, saves the state with its key and its answer,
   and takes the change back when that fails; what follows from it is done by keep_turn(), and its routes before it is answered. */
#include "keep.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_BYTES = 256 };
static const int64_t LONGEST_LEASE_MS = 24 * 3600 * 1000;

typedef int (*verb_function)(struct keep *keep, const struct line *line, struct text *out, struct error *err);

static int no_service(const struct line *line, struct error *err)
{
    const char *name = line_text(line, "service");
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no service '%.70s' here", name ? name : "");
    return error_hint(err, "`status` names those that there are");
}

/* Its key and answer go to the disk together with what was changed. */
static int commit(struct keep *keep, const struct line *line, const struct text *out, struct error *err)
{
    const char *key = line_text(line, "key");
    if (key && key_find(keep, key)) key = NULL; /* of a verb that needs none */
    if (key) key_add(keep, key, line_hash(line), text_view(out));
    int failed = state_save(keep, err);
    if (failed && key) key_drop_last(keep);
    if (!failed) routes_sync(keep);
    return failed;
}

/* --- hello, domain, find --- */
static int verb_hello(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    int64_t version;
    int failed = line_number(line, "version", 1, 1, 1, &version, err);
    if (failed) return error_hint(err, "this keeper speaks version 1");
    text_add(out, " version=1");
    add_number(out, "pid", getpid());
    add_word(out, "domain", keep->domain);
    return 0;
}

static int read_ports(const char *text, int *ret_first, int *ret_last, struct error *err)
{
    const char *dash = text ? strchr(text, '-') : NULL;
    AUTO(free_text) char *first_text = text ? mem_copy_bytes(text, dash ? (size_t)(dash - text) : strlen(text)) : NULL;
    int64_t first = 0, last = 0;
    bool good = first_text && text_to_integer(first_text, &first) && text_to_integer(dash ? dash + 1 : first_text, &last) && first > 0 &&
                last >= first && last <= 65535;
    if (!good) return error_set(err, ERROR_INVALID, NOWHERE, "ports=%.40s is not a range like 18080-18099", text ? text : "");
    *ret_first = (int)first;
    *ret_last = (int)last;
    return 0;
}

static int check_domain(const struct keep *keep, const char *name, const char *address, int first, int last, struct error *err)
{
    struct in_addr ignored;
    if (!address || inet_pton(AF_INET, address, &ignored) != 1)
        return error_set(err, ERROR_INVALID, NOWHERE, "address=%.60s is not an IPv4 address", address ? address : "");
    if (!keep->domain) return 0;
    if (strcmp(keep->domain, name) == 0 && strcmp(keep->address, address) == 0 && keep->first_port == first && keep->last_port == last)
        return 1;
    if (strcmp(keep->domain, name) == 0 && !keep->services) return 0; /* it may move */
    error_set(err, ERROR_CONFLICT, NOWHERE, "this is the domain %s on %s, ports %d-%d, already", keep->domain, keep->address,
        keep->first_port, keep->last_port);
    return error_hint(err, "end its services first; a domain never gets another name");
}

struct range {
    char *domain, *address;
    int first_port, last_port;
};

static struct range range_swap(struct keep *keep, struct range range)
{
    struct range before = {keep->domain, keep->address, keep->first_port, keep->last_port};
    keep->domain = range.domain;
    keep->address = range.address;
    keep->first_port = range.first_port;
    keep->last_port = range.last_port;
    return before;
}

static void range_free(struct range *range)
{
    free(range->domain);
    free(range->address);
}

static int verb_domain(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    const char *name, *address = line_text(line, "address");
    int first = 0, last = 0;
    int failed = line_name(line, "name", &name, err);
    if (!failed) failed = read_ports(line_text(line, "ports"), &first, &last, err);
    if (!failed) failed = check_domain(keep, name, address, first, last, err);
    if (failed) return failed > 0 ? 0 : failed;
    AUTO(range_free) struct range other = range_swap(keep, (struct range){mem_copy_text(name), mem_copy_text(address), first, last});
    bool moves = other.domain != NULL;
    if (moves) add_number(out, "again", 1);
    failed = commit(keep, line, out, err);
    if (failed) other = range_swap(keep, other);
    if (failed) return failed;
    keep->moved |= moves;
    if (!keep->moved) ports_hold(keep); /* else the guardian holds the ports before: the next keeper and its guardian begin with these */
    return 0;
}

static int verb_find(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    const char *name = line_text(line, "key");
    if (!name) return error_set(err, ERROR_INVALID, NOWHERE, "find needs key=");
    const struct key *key = key_find(keep, name);
    text_add(out, key ? " seen=done" : " seen=absent");
    if (key) text_add(out, key->answer);
    return 0;
}

/* --- start --- */
static unsigned free_backend(const struct keep *keep, const struct family *family)
{
    for (unsigned backend = 0; backend < KEEP_ARMS; backend++) {
        bool taken = false;
        for (const struct service *service = keep->services; service; service = service->next)
            taken |= service->family == family && service->backend == backend;
        if (!taken) return backend;
    }
    return KEEP_ARMS;
}

static int check_room(const struct keep *keep, const struct service *service, struct error *err)
{
    unsigned all = 0, beside = 0;
    if (keep->moved) return error_set(err, ERROR_UNAVAILABLE, NOWHERE, "the domain gets other ports: its next keeper begins in a moment");
    if (!keep->domain) {
        error_set(err, ERROR_UNAVAILABLE, NOWHERE, "this keeper does not know yet which domain it keeps");
        return error_hint(err, "say first: domain name=NAME address=ADDRESS ports=FIRST-LAST");
    }
    if (access(service->folder, F_OK) < 0)
        return error_set(err, ERROR_NOT_FOUND, NOWHERE, "the folder %.180s of %s is not there", service->folder, service->name);
    for (const struct service *other = keep->services; other; other = other->next) {
        all++;
        if (strcmp(other->name, service->name) == 0) {
            error_set(
                err, ERROR_CONFLICT, NOWHERE, "there is a service %s already%s", service->name, other->stopping ? ", being stopped" : "");
            return error_hint(err, "`status` shows it; a start that is repeated carries the key of the first");
        }
        beside += !other->stopping && strcmp(other->family_name, service->family_name) == 0;
    }
    if (beside >= 2) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "the family %s has two services already", service->family_name);
        return error_hint(err, "stop one of them first");
    }
    return all < KEEP_SERVICES ? 0 : error_set(err, ERROR_LIMIT, NOWHERE, "a domain has at most %d services", KEEP_SERVICES);
}

static int join_family(struct keep *keep, struct service *service, struct error *err)
{
    service->family = family_find(keep, service->family_name);
    if (!service->family) {
        ports_look_again(keep);
        struct family *family = mem_alloc(sizeof *family);
        family->name = mem_copy_text(service->family_name);
        int failed = family_port(keep, family, err);
        if (failed) {
            family_free(family);
            return failed;
        }
        family->next = keep->families;
        service->family = keep->families = family;
    }
    service->backend = free_backend(keep, service->family);
    if (service->backend < KEEP_ARMS) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "two services of the family %s are still on their way out", service->family_name);
    return error_hint(err, "wait until they are gone: `status`");
}

static void append(struct keep *keep, struct service *service)
{
    struct service **end = &keep->services;
    while (*end)
        end = &(*end)->next;
    *end = service;
}

static void take_back(struct keep *keep, struct service *service)
{
    struct family *family = service->family;
    for (struct service **at = &keep->services; *at; at = &(*at)->next)
        if (*at == service) {
            *at = service->next;
            break;
        }
    service_free(service);
    if (family) family_release(keep, family);
}

static int enter(struct keep *keep, const struct line *line, struct service *service, struct text *out, struct error *err)
{
    int failed = join_family(keep, service, err);
    if (failed) return failed;
    failed = arm_new(keep, service, err);
    if (failed) return failed;
    append(keep, service);
    if (!service_beside(keep, service)) service->share = SHARE_WHOLE;
    AUTO(free_text) char *address = mem_format("http://%s:%d", keep->address, service->family->port);
    add_word(out, "address", address);
    add_number(out, "share", service->share);
    return commit(keep, line, out, err);
}

int verb_start(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    struct service *service = NULL;
    int failed = service_read(line, &service, err);
    if (failed) return failed;
    failed = check_room(keep, service, err);
    if (!failed) failed = enter(keep, line, service, out, err);
    if (failed) take_back(keep, service);
    return failed;
}

/* --- replicas, share, lease, stop --- */
static int find_service(struct keep *keep, const struct line *line, struct service **ret, struct error *err)
{
    const char *name;
    int failed = line_name(line, "service", &name, err);
    if (failed) return failed;
    *ret = service_find(keep, name);
    return *ret && !(*ret)->stopping ? 0 : no_service(line, err);
}

static int verb_replicas(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    struct service *service;
    int64_t replicas;
    int failed = find_service(keep, line, &service, err);
    if (!failed) failed = line_number(line, "replicas", 0, KEEP_REPLICAS, -1, &replicas, err);
    if (failed) return failed;
    uint32_t previous = service->replicas;
    service->replicas = (uint32_t)replicas;
    add_number(out, "previous", previous);
    failed = commit(keep, line, out, err);
    if (failed) service->replicas = previous;
    return failed;
}

/* Requests may always go away from one that is not well; that it has no healthy instance may change any moment. */
static int check_share(const struct keep *keep, const struct service *service, int64_t share, struct error *err)
{
    if (share == 0 || !service_beside(keep, service)) return 0;
    if (service->lost) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "the lease of %s was lost: its share went back to %lld", service->name,
            (long long)service_share(keep, service));
        return error_hint(err, "set its share to 0 first");
    }
    if (service_ready(service) || share <= service_share(keep, service)) return 0;
    error_set(err, ERROR_UNAVAILABLE, NOWHERE, "%s has no healthy instance that could take requests", service->name);
    return error_hint(err, "ask again when it has one: `status service=%s` says why it has none", service->name);
}

static void move_share(struct keep *keep, struct service *service, int64_t share, int64_t lease_ms)
{
    struct service *other = service_beside(keep, service);
    int64_t now = service_share(keep, service);
    bool lent = other && lease_ms && share > 0 && share < SHARE_WHOLE;
    if (lent && !service->lease_ms) service->before = now;
    if (lent)
        lease_set(service, lease_ms);
    else
        lease_end(service);
    if (share == 0) service->lost = false;
    service->share = other ? share : SHARE_WHOLE;
    if (!other) return;
    if (service->introduced) other->share = SHARE_WHOLE - share;
    lease_end(other);
}

static int verb_share(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    struct service *service;
    int64_t share, lease_ms = 0;
    int failed = find_service(keep, line, &service, err);
    if (!failed) failed = line_number(line, "share", 0, SHARE_WHOLE, -1, &share, err);
    if (!failed) failed = line_number(line, "lease_ms", 0, LONGEST_LEASE_MS, 0, &lease_ms, err);
    if (!failed) failed = check_share(keep, service, share, err);
    if (failed) return failed;
    struct service *other = service_beside(keep, service), before = *service, other_before = other ? *other : before;
    add_number(out, "previous", service_share(keep, service));
    move_share(keep, service, share, lease_ms);
    failed = commit(keep, line, out, err);
    if (!failed) return 0;
    *service = before;
    if (other) *other = other_before;
    return failed;
}

static int verb_lease(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    struct service *service;
    int64_t lease_ms;
    int failed = find_service(keep, line, &service, err);
    if (!failed) failed = line_number(line, "lease_ms", 1, LONGEST_LEASE_MS, 0, &lease_ms, err);
    if (failed) return failed;
    if (!service->lease_ms)
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%s has no lease%s", service->name, service->lost ? ": it was lost" : "");
    struct service before = *service;
    lease_set(service, lease_ms);
    add_number(out, "deadline_ms", service->lease_wall_us / 1000);
    failed = commit(keep, line, out, err);
    if (failed) *service = before;
    return failed;
}

static int verb_stop(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    const char *name;
    int failed = line_name(line, "service", &name, err);
    if (failed) return failed;
    struct service *service = service_find(keep, name);
    if (!service || service->stopping) return commit(keep, line, out, err);
    struct service *other = service_beside(keep, service), before = *service, other_before = other ? *other : before;
    lease_end(service);
    service->stopping = true;
    if (other) {
        lease_end(other);
        other->share = SHARE_WHOLE;
    }
    failed = commit(keep, line, out, err);
    if (!failed) return 0;
    *service = before;
    if (other) *other = other_before;
    return failed;
}

/* --- all --- */
static const struct {
    const char *name;
    verb_function run;
    bool keyed;
} verbs[] = {{"hello", verb_hello, false}, {"domain", verb_domain, false}, {"start", verb_start, true}, {"replicas", verb_replicas, true},
    {"share", verb_share, true}, {"lease", verb_lease, false}, {"stop", verb_stop, true}, {"find", verb_find, false},
    {"status", verb_status, false}};

/* 1: it was done under this key, and *out is the answer that was given. */
static int answer_again(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    const char *name = line_text(line, "key");
    if (!name || !*name || strlen(name) > KEY_BYTES)
        return error_set(err, ERROR_INVALID, NOWHERE, "%s needs key=, of at most %d bytes", line->verb, KEY_BYTES);
    const struct key *key = key_find(keep, name);
    if (!key) return 0;
    if (key->hash != line_hash(line))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "key=%.100s was used for something else: %s with other values", name, line->verb);
    text_add(out, key->answer);
    return 1;
}

/* A core says its epoch; its steps, which do what a core had recorded before, and people do not. */
static int check_epoch(struct keep *keep, const struct line *line, struct error *err)
{
    int64_t epoch;
    int failed = line_number(line, "epoch", 0, INT64_MAX, 0, &epoch, err);
    if (failed || !line_text(line, "epoch") || fence_pass(&keep->shim, (uint64_t)epoch)) return failed;
    error_set(err, ERROR_STALE, NOWHERE, "this keeper obeys a core that was started later (epoch %llu; yours is %lld)",
        (unsigned long long)fence_epoch(&keep->shim), (long long)epoch);
    return error_hint(err, "stop this core: another one has its data folder");
}

int verb_do(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    int failed = check_epoch(keep, line, err);
    if (failed) return failed;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(verbs[i].name, line->verb) != 0) continue;
        int seen = verbs[i].keyed ? answer_again(keep, line, out, err) : 0;
        return seen < 0 ? seen : seen > 0 ? 0 : verbs[i].run(keep, line, out, err);
    }
    error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is nothing that a keeper can be asked", line->verb);
    return error_hint(err, "hello, domain, start, replicas, share, lease, stop, find or status");
}
