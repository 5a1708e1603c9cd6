/* sites.h: the domains that a core drives by itself: their files, their keepers, and what the keepers do meanwhile. */
#ifndef CRESCENDO_ORCHESTRATOR_SITES_H
#define CRESCENDO_ORCHESTRATOR_SITES_H

#include "http/server.h"
#include "orchestrator/orders.h"

struct sites;
struct sites_options {
    const char *domains; /* the folder of domains/NAME.yaml; those with a `site` count */
    const char *keepers; /* absolute: keepers/NAME */
    const char *shim;
    struct orders *orders;
    struct journal *journal;
};

int sites_open(uv_loop_t *loop, const struct sites_options *options, struct sites **ret, struct error *err) MUST_CHECK;
/* Lets the keepers be: they outlive the core. Memory goes when the loop has come round. */
void sites_close(struct sites **sites);

/* name → typed domain, as the files are now, or were when they were last right. Borrowed until the loop comes round. */
const json_t *sites_domains(struct sites *sites);
/* An order will need this domain's keeper: sees to it now rather than at the next look. Does not wait. */
void sites_wake(struct sites *sites, const char *domain);
/* PUT /lease/v1/leases/{service}, GET /domain/v1/domains[/{name}] */
struct http_mount sites_mount(struct sites *sites);

#endif
