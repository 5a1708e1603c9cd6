/* route.h: one table of routes drives dispatch and the API's description; a handler is one function. */
#ifndef CRESCENDO_ROUTE_H
#define CRESCENDO_ROUTE_H

#include "crescendo/error.h"
#include "crescendo/field.h"

#include <jansson.h>
#include <stdint.h>

struct request; /* one HTTP request; valid until it is answered */
struct stream;  /* an answer that goes on: events, a followed log */

struct route {
    const char *method, *path;                              /* "GET", "/v1/runs/{run}/steps" */
    void (*handle)(struct request *request, void *context); /* on the loop's thread; may answer later */
    const char *summary;
    const struct field *body; /* what the JSON body may hold; NULL = no body is read */
    size_t raw_limit;         /* body is NULL: the body is read as bytes, up to so many (request_bytes); 0 = none */
};
#define ROUTE_END \
    { \
        .method = 0 \
    }

/* --- reading; what is returned is borrowed --- */
const char *request_path(const struct request *request);
const char *request_part(const struct request *request, const char *name);  /* {run} */
const char *request_query(const struct request *request, const char *name); /* NULL when absent */
const char *request_header(const struct request *request, const char *name);
const json_t *request_body(const struct request *request);                  /* validated against route->body */
const char *request_bytes(const struct request *request, size_t *ret_size); /* of a route with raw_limit; NUL-terminated */
/* Every name=value of the query, decoded, in their order: false = there is no nth. */
bool request_query_nth(const struct request *request, size_t nth, const char **ret_name, const char **ret_value);
const char *request_user(const struct request *request);          /* who asks: the socket's peer or the token's owner */
bool request_is_local(const struct request *request);             /* it came over the Unix socket, from this machine */
const char *const *request_groups(const struct request *request); /* NULL-ended, with the user's own name */

/* --- answering: exactly one of these per request, at once or later. A peer that has left meanwhile is no error --- */
void respond_json(struct request *request, int status, json_t *body); /* steals */
void respond_text(struct request *request, int status, const char *type, const char *bytes, size_t size);
/* A file's content with its size; takes fd. */
void respond_file(struct request *request, int status, const char *type, int fd, uint64_t size);
void respond_error(struct request *request, const struct error *err); /* {error: {code, message, hint}} with error_code_http */
/* Adds a header to the answer; before one of the above. Copies. */
void respond_header(struct request *request, const char *name, const char *value);
/* Starts an answer without an end; only from within handle. closed is called once: after stream_end was sent, or when the peer has left. */
struct stream *respond_stream(struct request *request, const char *type, void (*closed)(void *context), void *context);
void stream_write(struct stream *stream, const char *bytes, size_t size); /* copies; a peer that lets 8 MiB queue up is cut off */
size_t stream_queued(const struct stream *stream);                        /* bytes that the peer has not taken: for holding back */
void stream_end(struct stream *stream);
void stream_fail(struct stream *stream); /* ends it, too, but so that the peer sees that something is missing */
/* Called when all that was written has been taken by the peer; NULL to stop. */
void stream_on_drained(struct stream *stream, void (*drained)(void *context));

#endif
