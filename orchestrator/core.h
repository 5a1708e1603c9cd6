/* core.h: the orchestration core: catalogues, ordering and inventory over TM Forum APIs, with its own data folder and journal. An order is
   a run of an engine of its own (run/engine.h). Embedded in `crescendo serve` behind a Unix socket, or a program by itself (`crescendo
   core`); it and the pipelines' engine speak only HTTP. One loop thread. */
#ifndef CRESCENDO_ORCHESTRATOR_CORE_H
#define CRESCENDO_ORCHESTRATOR_CORE_H

#include "http/server.h"
#include "run/engine.h"

struct core;

struct core_options {
    const char *data;        /* DATA/core, or what --data says: journal.db, runs/N/, artifacts/, keepers/NAME/ */
    const char *domains;     /* the folder of domains/NAME.yaml; those with a `site` are the core's to drive */
    const char *shim, *step; /* programs */
    unsigned slots;          /* of its engine; 0 = as many as its orders need */
    step_types *drivers;     /* the driver types (orchestrator/drivers/registry.h), handed in by main */
    void (*failed)(void *context, const struct error *err); /* its journal cannot be written: stop */
    void *context;
};

int core_open(uv_loop_t *loop, const struct core_options *options, struct core **ret, struct error *err) MUST_CHECK;
void core_close(struct core **core);
/* What it answers, ended by routes == NULL; valid until core_close. */
const struct http_mount *core_mounts(struct core *core);
bool core_is_idle(const struct core *core); /* no order that is not at rest */
struct engine *core_engine(struct core *core);

#endif
