/* status.c: the verb status: the domain, its families, services and instances, each with its own words about how it is. */
#include "keep.h"

#include <stdio.h>
#include <string.h>

enum { HOPELESS_STARTS = 5 }; /* about two seconds of back-off */

static const char *const instance_states[] = {
    [INSTANCE_BACKOFF] = "backoff",
    [INSTANCE_STARTING] = "starting",
    [INSTANCE_HEALTHY] = "healthy",
    [INSTANCE_UNHEALTHY] = "unhealthy",
    [INSTANCE_DRAINING] = "draining",
    [INSTANCE_STOPPING] = "stopping",
};

/* Each of its instances ended again and again before it was healthy: waiting for start_ms to pass would tell nothing more. */
static bool is_hopeless(const struct service *service)
{
    const struct instance *instance = service->instances;
    while (instance && instance->failures >= HOPELESS_STARTS)
        instance = instance->next;
    return service->instances && !instance;
}

static const char *state_of(const struct service *service)
{
    if (service->stopping) return "stopping";
    if (service->introduced) return "active";
    if (is_hopeless(service)) return "failed";
    return now_us() < service->started_us + service->start_ms * 1000 ? "starting" : "failed";
}

/* Output may hold anything: what is no text is left out, and so is half a character at the start of a cut. */
static void add_output(struct text *out, const char *bytes, size_t size)
{
    while (size && ((unsigned char)*bytes & 0xc0) == 0x80) {
        bytes++;
        size--;
    }
    while (size && bytes[size - 1] == '\n')
        size--;
    bool utf8 = text_is_utf8(bytes, size);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f || (c > 0x7f && !utf8))
            text_add_char(out, '?');
        else
            text_add_char(out, bytes[i]);
    }
}

static void add_part(struct text *out, const char *part, const char *bytes, size_t size)
{
    if (!size) return;
    if (out->size) text_add(out, "; ");
    text_add(out, part);
    add_output(out, bytes, size);
}

/* What its health check heard so far, while nothing worse is known. */
static void add_health(struct text *out, const struct instance *instance)
{
    char heard[280];
    bool asked = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_UNHEALTHY;
    if (!asked || instance->message[0] || !instance->check.status || !instance->service->health) return;
    int size = snprintf(heard, sizeof heard, "not healthy: GET %.200s on port %d: status %d", instance->service->health, instance->ports[0],
        instance->check.status);
    if (size > 0) add_part(out, "", heard, (size_t)size < sizeof heard ? (size_t)size : sizeof heard - 1);
}

/* A tail that was cut begins in the middle of a line, which tells nobody anything where another line follows. */
static void add_tail(struct text *out, const char *tail, size_t size)
{
    bool was_cut = size >= TAIL_BYTES;
    while (size && tail[size - 1] == '\n')
        size--;
    const char *newline = was_cut ? memchr(tail, '\n', size) : NULL;
    size_t cut = newline ? (size_t)(newline + 1 - tail) : 0;
    add_part(out, "its last output: ", tail + cut, size - cut);
}

/* A message about the process before this one stands beside that one's output. What a healthy one prints is no news. */
static void add_words_of(struct text *out, const struct instance *instance)
{
    bool of_last = instance->running && !instance->ended && (instance->message[0] || !instance->tail_size);
    add_part(out, "", instance->message, strlen(instance->message));
    add_part(out, "", instance->isolation, strlen(instance->isolation));
    add_health(out, instance);
    if (instance->state == INSTANCE_HEALTHY && !instance->message[0]) return;
    if (of_last)
        add_tail(out, instance->last_tail, instance->last_tail_size);
    else
        add_tail(out, instance->tail, instance->tail_size);
}

static void add_instance(struct text *out, const struct instance *instance)
{
    struct text message = {0};
    add_words_of(&message, instance);
    text_add(out, "instance");
    add_word(out, "service", instance->service->name);
    add_number(out, "number", instance->number);
    add_number(out, "pid", instance->pid);
    add_number(out, "port", instance->ports[0]);
    add_word(out, "state", instance_states[instance->state]);
    add_number(out, "restarts", instance->restarts);
    add_word(out, "message", text_view(&message));
    text_add_char(out, '\n');
    text_release(&message);
}

/* The words of the instance that has most to say: one that is not healthy, else the first. */
static const struct instance *spokesman(const struct service *service)
{
    for (const struct instance *instance = service->instances; instance; instance = instance->next)
        if (instance->state != INSTANCE_HEALTHY && instance->message[0]) return instance;
    return service->instances;
}

static void add_service(const struct keep *keep, struct text *out, const struct service *service)
{
    struct text message = {0};
    const struct instance *instance = spokesman(service);
    if (service->lost) text_add(&message, "its lease was lost, so its share went back");
    if (instance) add_words_of(&message, instance);
    text_add(out, "service");
    add_word(out, "service", service->name);
    add_word(out, "family", service->family_name);
    add_word(out, "version", service->version);
    add_number(out, "share", service_share(keep, service));
    add_number(out, "replicas", service->replicas);
    add_number(out, "ready", service_ready(service));
    add_word(out, "state", state_of(service));
    add_number(out, "lease_ms", lease_left_ms(service));
    add_number(out, "lost", service->lost);
    add_number(out, "open", (int64_t)service->open);
    add_word(out, "message", text_view(&message));
    text_add_char(out, '\n');
    text_release(&message);
    for (instance = service->instances; instance; instance = instance->next)
        add_instance(out, instance);
}

/* HAProxy's counters first: what was logged by then is recorded before it is counted. */
static void add_domain(struct keep *keep, struct text *out)
{
    runtime_poll(keep);
    uint64_t requests = runtime_requests(keep);
    records_read(keep, true);
    records_flush(keep);
    const struct haproxy *haproxy = &keep->haproxy;
    text_add(out, "domain");
    add_word(out, "name", keep->domain);
    add_word(out, "address", keep->address);
    add_number(out, "requests", (int64_t)requests);
    add_number(out, "records", (int64_t)keep->records.total);
    add_number(out, "dropped", (int64_t)(haproxy->dropped_before + haproxy->dropped + haproxy->unlogged + keep->records.failed));
    add_number(out, "haproxy_pid", keep->haproxy.pid);
    if (!keep->haproxy.pid && keep->families) {
        struct text message = {0};
        add_output(&message, keep->haproxy.tail, keep->haproxy.tail_size);
        add_word(out, "message", text_view(&message));
        text_release(&message);
    }
    text_add_char(out, '\n');
}

static void add_family(const struct keep *keep, struct text *out, const struct family *family)
{
    text_add(out, "family");
    add_word(out, "name", family->name);
    AUTO(free_text) char *address = mem_format("http://%s:%d", keep->address, family->port);
    add_word(out, "address", address);
    add_number(out, "port", family->port);
    text_add_char(out, '\n');
}

int verb_status(struct keep *keep, const struct line *line, struct text *out, struct error *err)
{
    const char *name = line_text(line, "service");
    if (name && !service_find(keep, name)) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no service '%.70s' here", name);
    add_domain(keep, out);
    for (const struct family *family = keep->families; family; family = family->next)
        add_family(keep, out, family);
    for (const struct service *service = keep->services; service; service = service->next)
        if (!name || strcmp(name, service->name) == 0) add_service(keep, out, service);
    return 0;
}
