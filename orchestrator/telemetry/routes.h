/* routes.h: GET /telemetry/v1/samples and /telemetry/v1/aggregates. Whoever mounts them says where a domain's records are; nothing else of
   the core is needed. A long answer is made in pieces of about a millisecond each, between which the loop does its other work. */
#ifndef CRESCENDO_TELEMETRY_ROUTES_H
#define CRESCENDO_TELEMETRY_ROUTES_H

#include "http/server.h"

struct telemetry_context {
    uv_loop_t *loop;
    /* A domain's folder KEEP, whose records are in KEEP/telemetry; borrowed until the next call; it may be missing. domain NULL: the only
       one that there is. NULL: there is no such domain; or, for NULL, not exactly one. */
    const char *(*folder)(void *context, const char *domain);
    void *context;
};

struct telemetry_api;
/* The context is copied. */
struct telemetry_api *telemetry_api_open(const struct telemetry_context *context);
/* Ends answers that are under way. The loop has to come round once more. */
void telemetry_api_close(struct telemetry_api **api);
struct http_mount telemetry_api_mount(struct telemetry_api *api); /* valid until it is closed */

#endif
