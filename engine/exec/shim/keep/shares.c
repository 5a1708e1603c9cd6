/* shares.c: who gets which part of a family's requests, and leases. Pure but for the fields of the services that it is given. */
#include "keep.h"

#include <string.h>

struct service *service_beside(const struct keep *keep, const struct service *service)
{
    for (struct service *other = keep->services; other; other = other->next)
        if (other != service && other->family == service->family && !other->stopping) return other;
    return NULL;
}

unsigned service_ready(const struct service *service)
{
    unsigned count = 0;
    for (const struct instance *instance = service->instances; instance; instance = instance->next)
        count += instance->state == INSTANCE_HEALTHY;
    return count;
}

/* The share of the one that was introduced last decides; until it is, the other has all. */
int64_t service_share(const struct keep *keep, const struct service *service)
{
    if (service->stopping) return 0;
    const struct service *other = service_beside(keep, service);
    if (!other) return SHARE_WHOLE;
    if (!service->introduced && other->introduced) return 0;
    if (service->introduced && !other->introduced) return SHARE_WHOLE;
    return service->share;
}

/* What SECOND is sent just now. One that is to have no instances leaves its requests to the other, unless that is to have none of them. One
   whose instances died or are not well does not: its requests wait for the next one, or fail, or else whoever judges it by them would not
   see it. */
static int64_t sent_share(const struct keep *keep, const struct service *first, const struct service *second)
{
    int64_t share = service_share(keep, second);
    if (first == second || share == 0) return 0;
    if (share == SHARE_WHOLE || !first->replicas == !second->replicas) return share;
    return first->replicas ? 0 : SHARE_WHOLE;
}

/* "FIRST:SECOND:SHARE": names of backends and SECOND's share, as one value, so that a change of it is one step. */
void family_route(const struct keep *keep, const struct family *family, char *route, size_t room)
{
    const struct service *first = NULL, *second = NULL;
    for (const struct service *service = keep->services; service; service = service->next) {
        if (service->family != family || service->stopping) continue;
        if (!first)
            first = service;
        else
            second = service;
    }
    if (!second) second = first;
    if (!first)
        snprintf(route, room, "closed");
    else
        snprintf(route, room, "p%d%c:p%d%c:%lld", family->port, 'a' + (int)first->backend, family->port, 'a' + (int)second->backend,
            (long long)sent_share(keep, first, second));
}

void lease_set(struct service *service, int64_t lease_ms)
{
    service->lease_ms = lease_ms;
    service->lease_us = now_us() + lease_ms * 1000;
    service->lease_wall_us = wall_us() + lease_ms * 1000;
}

void lease_end(struct service *service)
{
    service->lease_ms = service->lease_us = service->lease_wall_us = 0;
}

int64_t lease_left_ms(const struct service *service)
{
    if (!service->lease_ms) return 0;
    int64_t left = (service->lease_us - now_us()) / 1000;
    return left > 0 ? left : 1; /* 0 would say that there is none */
}

bool leases_expire(struct keep *keep, int64_t now)
{
    bool any = false;
    for (struct service *service = keep->services; service; service = service->next) {
        if (!service->lease_ms || now < service->lease_us) continue;
        struct service *other = service_beside(keep, service);
        lease_end(service);
        service->lost = any = true;
        service->share = service->before;
        if (other) other->share = SHARE_WHOLE - service->share;
    }
    return any;
}
