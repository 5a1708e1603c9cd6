/* parts.h: what the files of the resource engine share. A call belongs to its api's list from call_new until tmf_answer or tmf_refuse. */
#ifndef CRESCENDO_TMF_PARTS_H
#define CRESCENDO_TMF_PARTS_H

#include "orchestrator/tmf/resource.h"

enum {
    TMF_BODY_BYTES = 1024 * 1024,
    TMF_BODY_DEPTH = 64,
    TMF_ROUTES = 6, /* five verbs and the end */
    STATUS_MEDIA_TYPE = 415,
};

struct tmf_api {
    struct journal *journal;
    void *context;
    struct tmf_bound *bound; /* one for each resource */
    size_t bound_count;
    struct tmf_hub *hubs; /* one for each base */
    size_t hub_count;
    struct http_mount *mounts;
    struct tmf_call *calls; /* that are not answered */
};

/* A resource with its routes: the context of its handlers. */
struct tmf_bound {
    struct tmf_api *api;
    const struct tmf_resource *resource;
    char *all, *one; /* paths */
    struct route routes[TMF_ROUTES];
};

/* Where a listener would be registered; not yet. */
struct tmf_hub {
    const char *base;
    char *all, *one;
    struct route routes[3];
};

struct tmf_call {
    struct tmf_api *api;
    const struct tmf_resource *resource;
    struct request *request;
    int status; /* of the answer that waits for its commit */
    json_t *answer;
    struct tmf_call *next, *previous;
};

/* call.c */
struct tmf_call *call_new(const struct tmf_bound *bound, struct request *request);
void call_refuse(struct tmf_call *call, int status, const struct error *err);
void calls_end(struct tmf_api *api); /* 503 for all that are open */

/* refer.c: -ERROR_INVALID names the first thing that the document refers to and that is not there. stored: NULL in a create. */
int refer_check(struct journal *journal, const struct tmf_resource *resource, const json_t *stored, const json_t *document,
    struct error *err) MUST_CHECK;

/* verbs.c, list.c: the handlers; context is a struct tmf_bound */
void tmf_handle_list(struct request *request, void *context);
void tmf_handle_get(struct request *request, void *context);
void tmf_handle_create(struct request *request, void *context);
void tmf_handle_patch(struct request *request, void *context);
void tmf_handle_delete(struct request *request, void *context);

#endif
