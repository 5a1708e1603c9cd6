/* http.h: the one HTTP client for talking to the world, for programs that may block: steps. Over libcurl. */
#ifndef CRESCENDO_NET_HTTP_H
#define CRESCENDO_NET_HTTP_H

#include "crescendo/error.h"

#include <stddef.h>

struct http_request {
    const char *method, *url;   /* http and https only */
    const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
    const char *body;           /* NULL = none */
    size_t body_size;
    int timeout_ms;          /* of all of it; 0 = 30 s */
    int connect_timeout_ms;  /* 0 = 10 s */
    size_t limit_bytes;      /* of the answer's body; 0 = 16 MiB */
    unsigned redirects;      /* how many may be followed, GET and HEAD only; 0 = none */
    const char *unix_socket; /* connects there instead of to the url's host; NULL = no */
};
struct http_response {
    int status;
    char *type;     /* Content-Type, or NULL */
    char *location; /* Location as an absolute URL, or NULL */
    char *body;     /* NUL-terminated */
    size_t size;
};

/* Blocks. A status of 400 and more is not an error here. -ERROR_UNAVAILABLE, -ERROR_TIMEOUT, -ERROR_PROTOCOL, -ERROR_LIMIT,
   -ERROR_INVALID (the url). err->retryable is set only where the request cannot have reached the peer, or changes nothing
   there (GET, HEAD): sending it again is then safe. */
int http_send(const struct http_request *request, struct http_response *ret, struct error *err) MUST_CHECK;
void http_response_release(struct http_response *response);

#endif
