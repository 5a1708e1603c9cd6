/* client.h: asking our own server: which one, how, and what its errors mean for the person and the exit code. */
#ifndef CRESCENDO_CLI_CLIENT_H
#define CRESCENDO_CLI_CLIENT_H

#include "base/json.h"
#include "cli/options.h"
#include "net/local.h"

/* Where the server is. Made by client_open from the common options and the environment; client_release frees. */
struct client {
    char *server;      /* "unix:/path/to/crescendo.sock" or "http://host:port" */
    char *data;        /* the data folder that was meant; NULL when a server was named */
    const char *token; /* borrowed; NULL = none */
    bool chosen;       /* the person named a server or a data folder; false: the usual one */
    bool typed;        /* with an option: hints repeat it; what the environment says holds for the next command, too */
    bool local;        /* the private server: started by whoever finds that it is not there */
    bool core;         /* a core elsewhere (client_use_core), not our server */
    const char
        *types_mark;     /* for a private server that is started: which external step types it will know; borrowed; NULL = not looked at */
    int timeout_ms;      /* of silence, for client_call; 0 = 30 s */
    char *text;          /* what the server wrote about a wrong file, ready to print; NULL = nothing */
    json_t *diagnostics; /* the same as an array; NULL = nothing */
};

/* --server, CRESCENDO_SERVER; else --local; else --data, CRESCENDO_DATA; else the same data folder as crescendo-server's. A wrong address
 * is -ERROR_INVALID. */
int client_open(const struct options *options, struct client *ret, struct error *err) MUST_CHECK;
void client_release(struct client *client);
/* Points it to the private server of this user: $XDG_STATE_HOME/crescendo/local or ~/.local/state/crescendo/local. */
void client_use_local(struct client *client);

/* Points it to the core that --core or CRESCENDO_CORE names, where one is named; our own server answers for its core otherwise. */
int client_use_core(const struct options *options, struct client *client, struct error *err) MUST_CHECK;

/* One request with a JSON answer. body may be NULL. An answer of 400 and more becomes the error with the server's message and hint
   (client->text too, where it wrote about a file); TM Forum's form, {code, reason, message, status}, is understood as well. Nobody there:
   -ERROR_UNAVAILABLE with how to start one. Caller frees *ret. */
int client_call(
    struct client *client, const char *method, const char *path, const json_t *body, json_t **ret, struct error *err) MUST_CHECK;
int client_get(struct client *client, json_t **ret, struct error *err, const char *path, ...) MUST_CHECK
    __attribute__((format(printf, 4, 5)));
/* The same with bytes as the body. *ret_status may be NULL. */
int client_put_bytes(
    struct client *client, const char *path, const void *bytes, size_t size, int *ret_status, struct error *err) MUST_CHECK;
/* A body that is handed over as it arrives. timeout_ms of silence; -1 = none. last_event_id may be NULL. */
int client_stream(struct client *client, const char *path, int timeout_ms, const char *last_event_id,
    int (*on_bytes)(void *context, const char *bytes, size_t size), void *context, struct error *err) MUST_CHECK;

bool client_is_reachable(const struct client *client); /* now; starts nobody */
/* The newest run's number for commands whose RUN was left out; -ERROR_NOT_FOUND when there is none. */
int client_run_number(struct client *client, const char *argument, uint64_t *ret, struct error *err) MUST_CHECK;

/* Exit code of the program for an error: 64 wrong command line or file, 4 not allowed, 69 nobody there, 1 else. */
int error_exit_code(const struct error *err);

#endif
