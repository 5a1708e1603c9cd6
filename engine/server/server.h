/* server.h: the server's context: made by main, handed to every route. */
#ifndef CRESCENDO_SERVER_SERVER_H
#define CRESCENDO_SERVER_SERVER_H

#include "http/server.h"
#include "orchestrator/core.h"
#include "run/engine.h"
#include "server/tokens.h"
#include "trigger/spool.h"
#include "trigger/trigger.h"

enum { API_VERSION = 1 };

struct server {
    uv_loop_t loop;
    struct engine *engine;
    struct trigger trigger; /* context of the triggers' routes */
    struct spool *spool;
    struct tokens *tokens; /* NULL without --token-file */
    struct core *core;     /* embedded, with a socket of its own */
    struct http_server *local, *tcp, *core_local;
    struct http_mount *mounts; /* the core's, too */
    char *address;             /* NULL without --listen */
    char *data, *library, *socket_path, *core_socket, *domains, *shim, *step, *hook;
    int64_t started_ms;
    int exit_code;
    bool replaced; /* another server has the folder */
};

/* One table per file routes_NAME.c; their context is the server. */
extern const struct route runs_routes[], logs_routes[], events_routes[], follow_routes[], explain_routes[], evidence_routes[],
    approvals_routes[], resolve_routes[], version_routes[];

/* The {run} of a path. False: the request was answered 404. */
bool server_read_run(struct request *request, uint64_t *ret_run);
/* A number of the query within bounds; the fallback where it is absent. False: the request was answered 400. */
bool server_read_number(struct request *request, const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *ret);
/* Answers with the run's row, or the error. */
void server_respond_run(struct server *server, struct request *request, int status, uint64_t run);

#endif
