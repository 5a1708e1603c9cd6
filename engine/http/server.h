/* server.h: libmicrohttpd in the libuv loop: listeners, route tables, who asks. */
#ifndef CRESCENDO_HTTP_SERVER_H
#define CRESCENDO_HTTP_SERVER_H

#include "crescendo/route.h"

#include <uv.h>

struct http_server;

struct http_mount {
    const struct route *routes; /* ROUTE_END-ended */
    void *context;              /* handed to the handlers */
    /* How errors look that are found before a handler is called, and those of respond_error: steals nothing, returns the body. NULL:
       {error: {code, message, hint}}. Holds for all paths whose first part is that of one of the routes. */
    json_t *(*error_body)(const struct error *err, int status);
};

struct http_options {
    int listen_fd;                   /* bound and listening, non-blocking; owned by the server from here on */
    bool local;                      /* a Unix socket: the peer's uid says who asks; a token may say otherwise */
    const struct http_mount *mounts; /* ended by routes == NULL; borrowed for the server's life */
    /* TCP, or a token given on a Unix socket: whose is it? Fills *ret_user and *ret_groups (borrowed, NULL-ended) and
       returns true; false = 401. */
    bool (*authenticate)(void *context, const char *token, const char **ret_user, const char *const **ret_groups);
    void *context;
    const char *anonymous; /* TCP without a token: who asks then; NULL = 401. For a server that only its own machine reaches; web
                              pages there are refused all the same */
};

int http_server_open(uv_loop_t *loop, const struct http_options *options, struct http_server **ret, struct error *err) MUST_CHECK;
/* Connections that are open now. */
unsigned http_server_connections(const struct http_server *server);
/* Stops accepting, ends streams, closes. Requests that were not answered are answered 503; their handlers may still answer, to no
   effect. Its memory is freed when the loop comes round. */
void http_server_close(struct http_server **server);

/* Listening sockets. A stale Unix socket file (nobody accepts) is replaced; a live one is -ERROR_CONFLICT. */
/* -ERROR_CONFLICT: somebody listens there. What cannot be reached is nobody's. */
int http_check_unix(const char *path, struct error *err) MUST_CHECK;
int http_listen_unix(const char *path, int *ret_fd, struct error *err) MUST_CHECK;
int http_listen_tcp(const char *host_port, int *ret_fd, struct error *err) MUST_CHECK; /* "127.0.0.1:8080", "[::1]:0" */

/* An OpenAPI 3.0 description of the mounted routes, from the tables. */
json_t *http_describe(const struct http_mount *mounts, const char *title, const char *version);

#endif
