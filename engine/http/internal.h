/* internal.h: what the files of this folder share. A request belongs to two: libmicrohttpd, until its connection has completed it, and
   the handler, until it has answered. It is freed when both have let go, so that a late answer to a peer that left is harmless. */
#ifndef CRESCENDO_HTTP_INTERNAL_H
#define CRESCENDO_HTTP_INTERNAL_H

#include "http/match.h"
#include "http/peer.h"
#include "http/server.h"

#include <microhttpd.h>

enum request_phase {
    REQUEST_READING,  /* its head or body is arriving */
    REQUEST_HANDED,   /* its handler was called and has not answered */
    REQUEST_ANSWERED, /* `response` is there */
    REQUEST_QUEUED,   /* and was given to libmicrohttpd */
};

struct request {
    struct http_server *server;
    struct MHD_Connection *connection; /* NULL once it has completed: the server may be gone, too */
    enum request_phase phase;
    bool begun;      /* the access handler has seen it */
    bool in_handler; /* an answer made now needs no resuming */
    bool owed;       /* a handler holds it and has yet to answer */
    bool suspended;
    char *path, *query; /* as they came */
    struct match match;
    const struct http_mount *error_mount; /* whose format errors have; NULL = the common one */
    struct peer *peer;
    struct error failure; /* found before dispatch: answered when the body has been read */
    int failure_status;   /* 0 = by its code */
    struct text allow;
    struct text bytes; /* the body */
    size_t discarded_bytes;
    json_t *body;
    char **values; /* decoded queries */
    size_t value_count, value_capacity;
    struct header *headers; /* of the answer */
    struct MHD_Response *response;
    int status;
    struct request *next, *previous;
};

struct stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    int fd;
    struct text queue;
    size_t taken; /* bytes at the queue's start that the peer has */
    bool suspended, ended, failed, broken, beats;
    int64_t written_ms;
    void (*closed)(void *context);
    void (*drained)(void *context);
    void *context;
    struct stream *next, *previous;
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer; /* libmicrohttpd's own time-outs */
    uv_timer_t watch; /* looks after silent streams; runs while there are any */
    unsigned open_handles;
    bool closing, resumed; /* resumed: since libmicrohttpd last ran */
    struct peer_cache peers;
    struct request *requests;
    struct stream *streams;
};

/* server.c */
/* Resumes a suspended connection and lets libmicrohttpd run soon: its own wake-up does not reach a loop that watches its epoll. */
void server_resume(struct http_server *server, struct MHD_Connection *connection);

/* request.c */
void *request_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_access(void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *bytes, size_t *size, void **request);
void request_completed(void *server, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);

/* respond.c */
json_t *respond_error_body(const struct request *request, const struct error *err, int status);
void respond_with(struct request *request, int status, const char *type, struct MHD_Response *response); /* steals the response */
enum MHD_Result respond_queue(struct request *request);
void respond_failure(struct request *request);
void respond_unavailable(struct request *request); /* 503 on behalf of a handler that has not answered; it still owes its answer */
void request_let_go(struct request *request);      /* frees it when nobody holds it */
void headers_free(struct header **headers);

/* stream.c */
void streams_look_after(struct http_server *server); /* heartbeats; ends those whose peer has left */
void streams_end_all(struct http_server *server);

#endif
