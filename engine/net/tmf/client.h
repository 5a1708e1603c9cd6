/* client.h: TM Forum's APIs of one peer, over http.h. Blocking, for steps. What a peer answers is read with its dialect, and what it says
   when it refuses becomes the error's text.
   Reading is patient: while the peer cannot be reached it is tried again with growing pauses, since asking twice does no harm. What
   changes something is sent once, and again only where it cannot have reached the peer.
   Errors: a status from 400 on is INVALID, UNAUTHENTICATED, DENIED, NOT_FOUND, CONFLICT or LIMIT: the peer refused, nothing happened. A
   status from 500 on, 408 and 429 are UNAVAILABLE; a lost answer is UNAVAILABLE, TIMEOUT or PROTOCOL: whether it was done is open. All but
   TIMEOUT are retryable: once the peer, asked by key, knows nothing of it, it may be sent again. */
#ifndef CRESCENDO_NET_TMF_CLIENT_H
#define CRESCENDO_NET_TMF_CLIENT_H

#include "net/tmf/dialect.h"

struct tmf_client {
    char *name;   /* the domain's, for messages; owned */
    char *base;   /* "http://host:port"; owned */
    char *socket; /* connects to this Unix socket instead; owned; NULL = no */
    char *url;    /* as it was given; owned */
    const struct tmf_dialect *dialect;
    int timeout_ms;  /* of one request; 0 = 30 s */
    int patience_ms; /* how long a peer that cannot be reached is tried again; 0 = 30 s, -1 = not at all */
};

/* url: "http://host:port", "https://host", "unix:/path". dialect NULL = the standard. -ERROR_INVALID, -ERROR_UNSUPPORTED. Nothing is sent.
 */
int tmf_client_open(const char *name, const char *url, const char *dialect, struct tmf_client *ret, struct error *err) MUST_CHECK;
void tmf_client_release(struct tmf_client *client);

/* A request to any path. body NULL = none; bytes with their type otherwise. *ret_answer is JSON null where the answer is empty. */
struct tmf_request {
    const char *method, *path;
    const json_t *json;       /* the body, or */
    const char *bytes, *type; /* ... these */
    size_t size;
};
int tmf_send(
    const struct tmf_client *client, const struct tmf_request *request, int *ret_status, json_t **ret_answer, struct error *err) MUST_CHECK;

/* One document. -ERROR_NOT_FOUND also where the dialect has another way to say so. */
int tmf_get(const struct tmf_client *client, enum tmf_collection collection, const char *id, json_t **ret, struct error *err) MUST_CHECK;
int tmf_create(
    const struct tmf_client *client, enum tmf_collection collection, const json_t *body, json_t **ret, struct error *err) MUST_CHECK;
int tmf_patch(const struct tmf_client *client, enum tmf_collection collection, const char *id, const json_t *body, json_t **ret,
    struct error *err) MUST_CHECK;

/* Those documents of a collection that match, in the peer's order. filter: name and value of one member, which the peer may or may not
   heed; NULL = none. matches decides. A new array. */
struct tmf_filter {
    const char *name, *value;
};
int tmf_list(const struct tmf_client *client, enum tmf_collection collection, const struct tmf_filter *filter,
    bool (*matches)(void *context, const json_t *one), void *context, json_t **ret, struct error *err) MUST_CHECK;

/* Sleeps for *pause_ms and doubles it, up to a second. */
void tmf_pause(int *pause_ms);

#endif
