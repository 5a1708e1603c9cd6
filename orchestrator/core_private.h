/* core_private.h: what the files of the core share. Opened and closed by core.c, in the order of the members. */
#ifndef CRESCENDO_ORCHESTRATOR_CORE_PRIVATE_H
#define CRESCENDO_ORCHESTRATOR_CORE_PRIVATE_H

#include "orchestrator/artifacts.h"
#include "orchestrator/core.h"
#include "orchestrator/logs.h"
#include "orchestrator/orders.h"
#include "orchestrator/sites.h"
#include "orchestrator/telemetry/routes.h"
#include "orchestrator/tmf/resource.h"

enum { CORE_MOUNTS_MAX = 32, CORE_SLOTS = 64 };

struct core {
    uv_loop_t *loop;
    struct core_options options; /* its texts are owned: */
    char *data, *domains, *shim, *step;
    struct engine *engine; /* its journal has the documents, too */
    struct artifacts *artifacts;
    struct orders *orders;
    struct sites *sites;
    char *keepers, *packages; /* absolute: keepers/NAME, artifacts/HEX */
    struct tmf_api *api;      /* context of the resources' hooks: this core */
    struct telemetry_api *telemetry;
    struct logs *logs;
    char *telemetry_folder; /* that of the domain asked for last */
    struct http_mount mounts[CORE_MOUNTS_MAX];
};

/* Puts a mount behind those that are there. */
void core_mount(struct core *core, struct http_mount mount);

#endif
