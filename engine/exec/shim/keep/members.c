/* members.c: a domain's services and families: found, and freed. */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

struct service *service_find(const struct keep *keep, const char *name)
{
    for (struct service *service = keep->services; service; service = service->next)
        if (strcmp(service->name, name) == 0) return service;
    return NULL;
}

struct family *family_find(const struct keep *keep, const char *name)
{
    for (struct family *family = keep->families; family; family = family->next)
        if (strcmp(family->name, name) == 0) return family;
    return NULL;
}

void service_free(struct service *service)
{
    free(service->name);
    free(service->family_name);
    free(service->version);
    free(service->folder);
    free(service->health);
    list_release(&service->command);
    list_release(&service->environment);
    list_release(&service->ports);
    free(service);
}

void family_free(struct family *family)
{
    free(family->name);
    free(family);
}

void family_release(struct keep *keep, struct family *family)
{
    for (const struct service *service = keep->services; service; service = service->next)
        if (service->family == family) return;
    for (struct family **at = &keep->families; *at; at = &(*at)->next)
        if (*at == family) {
            *at = family->next;
            family_free(family);
            return;
        }
}
