/* local.h: the one HTTP client for talking to our own server: over its Unix socket, or plain TCP on a trusted network. Blocking,
   no library, so that the hook stays static and the command line starts in a millisecond. Everything that talks to the
   world uses http.h (libcurl) instead. */
#ifndef CRESCENDO_NET_LOCAL_H
#define CRESCENDO_NET_LOCAL_H

#include "crescendo/error.h"

#include <stddef.h>

struct local_request {
    const char *server;        /* "unix:/path/to/socket" or "http://host:port" */
    const char *method, *path; /* "GET", "/v1/runs?limit=5" */
    const char *token;         /* NULL = none */
    const char *body, *type;   /* NULL = none; type defaults to application/json */
    size_t body_size;
    int timeout_ms;              /* for connecting and for each silence; 0 = 10 s; -1 = none */
    const char *last_event_id;   /* NULL = none */
    void (*late)(void *context); /* called once when the answer has not begun after late_ms; may be NULL */
    void *late_context;
    int late_ms;
    /* When set, the body of a 2xx answer is handed over as it arrives; a non-zero return ends the transfer. */
    int (*on_bytes)(void *context, const char *bytes, size_t size);
    void *context;
};
struct local_response {
    int status;
    char *body; /* NUL-terminated; empty when on_bytes took it; free with local_response_release */
    size_t size;
};

/* -ERROR_UNAVAILABLE: nobody listens there; -ERROR_TIMEOUT; -ERROR_PROTOCOL. A status of 400 and more is not an error here. */
int local_send(const struct local_request *request, struct local_response *ret, struct error *err) MUST_CHECK;
void local_response_release(struct local_response *response);

#endif
