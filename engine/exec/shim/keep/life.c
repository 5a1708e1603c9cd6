/* life.c: towards what is wanted: service_turn() looks at a service and its instances and does what is next, as often as it is called. */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

static const int64_t DRAIN_POLL_US = 50 * 1000;

bool instance_is_wanted(const struct instance *instance)
{
    return !instance->service->stopping && instance->number <= instance->service->replicas;
}

/* The last one of its service that died and is being started again: HAProxy tries to reach it for some seconds, so a request waits rather
   than fails. One that lives and does not answer well gets none. */
bool instance_is_held(const struct instance *instance)
{
    bool between = instance->state == INSTANCE_BACKOFF || instance->state == INSTANCE_STARTING || instance->state == INSTANCE_STOPPING;
    return between && instance->server == SERVER_READY && instance_is_wanted(instance) && !service_ready(instance->service);
}

static uint32_t free_id(const struct keep *keep)
{
    uint32_t id = 0;
    while (instance_of_step(keep, id))
        id++;
    return id;
}

static void add_instance(struct keep *keep, struct service *service, uint32_t number)
{
    struct instance *instance = mem_alloc(sizeof *instance);
    size_t ports = 0;
    while (service->ports[ports])
        ports++;
    *instance = (struct instance){.service = service, .number = number, .id = free_id(keep), .check.watch.fd = -1, .output.fd = -1};
    instance->ports = mem_alloc_array(ports, sizeof *instance->ports);
    struct instance **end = &service->instances;
    while (*end)
        end = &(*end)->next;
    *end = instance;
}

static bool has_number(const struct service *service, uint32_t number)
{
    for (const struct instance *instance = service->instances; instance; instance = instance->next)
        if (instance->number == number) return true;
    return false;
}

static void unhealthy_for_too_long(struct keep *keep, struct instance *instance)
{
    const struct service *service = instance->service;
    char time[32], found[32] = "no answer";
    text_duration(time, sizeof time, (uint64_t)service->start_ms);
    if (instance->check.status) snprintf(found, sizeof found, "status %d", instance->check.status);
    if (service->health)
        snprintf(instance->message, sizeof instance->message, "not healthy within %s: GET %.200s on port %d: %s", time, service->health,
            instance->ports[0], found);
    else
        snprintf(instance->message, sizeof instance->message, "not healthy within %s: port %d does not accept connections", time,
            instance->ports[0]);
    instance->ended = true;
    instance_end(keep, instance);
}

static void begin_drain(struct instance *instance, int64_t now)
{
    instance->state = INSTANCE_DRAINING;
    instance->ask_us = now + DRAIN_POLL_US / 5;
    instance->next_us = now + instance->service->drain_ms * 1000;
    instance->check.deadline_us = instance->check.next_us = 0;
}

/* Nobody has it any more: HAProxy forgets it, then we do. A connection that is kept open ends with the process, a moment later. */
static void forget(struct keep *keep, struct instance *instance, int64_t now)
{
    if (now < instance->ask_us) return;
    instance->ask_us = now + DRAIN_POLL_US;
    if (server_remove(keep, instance)) instance_free(keep, instance);
}

static void drain(struct keep *keep, struct instance *instance, int64_t now)
{
    if (now >= instance->next_us) return instance_end(keep, instance);
    if (now < instance->ask_us) return;
    instance->ask_us = now + DRAIN_POLL_US;
    if (server_is_idle(keep, instance)) instance_end(keep, instance);
}

static void surplus_turn(struct keep *keep, struct instance *instance, int64_t now)
{
    switch (instance->state) {
    case INSTANCE_BACKOFF: return forget(keep, instance, now);
    case INSTANCE_STARTING:
    case INSTANCE_UNHEALTHY: return instance_end(keep, instance);
    case INSTANCE_HEALTHY: return begin_drain(instance, now);
    case INSTANCE_DRAINING: return drain(keep, instance, now);
    case INSTANCE_STOPPING: return;
    }
}

static void wanted_turn(struct keep *keep, struct instance *instance, int64_t now)
{
    switch (instance->state) {
    case INSTANCE_BACKOFF:
        if (now >= instance->next_us) instance_start(keep, instance);
        return;
    case INSTANCE_STARTING:
    case INSTANCE_UNHEALTHY:
        if (now >= instance->next_us) return unhealthy_for_too_long(keep, instance);
        return check_turn(keep, instance, now);
    case INSTANCE_HEALTHY: return check_turn(keep, instance, now);
    case INSTANCE_DRAINING: /* wanted again before it was ended */
        instance->state = INSTANCE_UNHEALTHY;
        instance->next_us = now + instance->service->start_ms * 1000;
        return check_start(keep, instance, now);
    case INSTANCE_STOPPING: return;
    }
}

/* From here on its share counts, and the other has the rest. */
static void introduce(struct keep *keep, struct service *service)
{
    struct service *other = service_beside(keep, service);
    service->introduced = keep->unsaved = true;
    if (other)
        other->share = SHARE_WHOLE - service->share;
    else
        service->share = SHARE_WHOLE;
}

void service_turn(struct keep *keep, struct service *service, int64_t now)
{
    for (uint32_t number = 1; !service->stopping && number <= service->replicas; number++)
        if (!has_number(service, number)) add_instance(keep, service, number);
    for (struct instance *instance = service->instances, *next; instance; instance = next) {
        next = instance->next;
        server_sync(keep, instance);
        if (instance_is_wanted(instance))
            wanted_turn(keep, instance, now);
        else
            surplus_turn(keep, instance, now);
    }
    for (struct instance *instance = service->instances; instance; instance = instance->next)
        server_sync(keep, instance);
    if (!service->introduced && service_ready(service)) introduce(keep, service);
}

static int64_t instance_deadline(const struct instance *instance)
{
    int64_t first = earliest(instance->check.next_us, instance->check.deadline_us);
    if (instance->state == INSTANCE_DRAINING) return earliest(instance->next_us, instance->ask_us ? instance->ask_us : 1);
    if (instance->state == INSTANCE_BACKOFF && !instance_is_wanted(instance)) return instance->ask_us ? instance->ask_us : 1;
    if (instance->state == INSTANCE_BACKOFF && !instance->next_us) return 1;
    return earliest(first, instance->next_us);
}

int64_t service_deadline(const struct service *service)
{
    int64_t first = service->lease_us;
    for (const struct instance *instance = service->instances; instance; instance = instance->next)
        first = earliest(first, instance_deadline(instance));
    return first;
}
