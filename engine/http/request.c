/* request.c: from the first header to the handler: who asks, which route, the body. What is wrong is noted at once and answered when
   the body has been read (and thrown away): a client that still writes would not see an earlier answer. */
#include "http/internal.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "crescendo/limits.h"
#include "http/validate.h"

#include <stdlib.h>
#include <string.h>

enum { DISCARD_MAX_BYTES = 8 * LIMIT_REQUEST_BYTES };

void *request_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct request *request = mem_alloc(sizeof *request);
    size_t path_size = strcspn(uri, "?");
    request->server = server;
    request->connection = connection;
    request->path = mem_copy_bytes(uri, path_size);
    request->query = mem_copy_text(uri[path_size] ? uri + path_size + 1 : "");
    request->next = server->requests;
    if (server->requests) server->requests->previous = request;
    server->requests = request;
    return request;
}

static void fail(struct request *request, enum error_code code, const char *message, const char *hint)
{
    if (request->failure.code) return;
    error_set(&request->failure, code, NOWHERE, "%s", message);
    if (hint) error_hint(&request->failure, "%s", hint);
}

static int socket_of(const struct request *request)
{
    return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* Anybody on this machine, but no page that a browser there has open: it would act with nobody's knowledge. */
static void let_anybody_in(struct request *request)
{
    request->peer = peer_of_token(request->server->options.anonymous, NULL);
    if (!request_header(request, "Origin")) return;
    fail(request, ERROR_DENIED, "a web page cannot ask here", "start the server with --token-file, and send a token");
}

static void authenticate(struct request *request)
{
    const struct http_options *options = &request->server->options;
    const char *header = request_header(request, "Authorization");
    if (!header && options->local) {
        (void)!peer_of_socket(&request->server->peers, socket_of(request), &request->peer, &request->failure);
        return;
    }
    if (!header && options->anonymous) {
        let_anybody_in(request);
        return;
    }
    const char *user = NULL;
    const char *const *groups = NULL;
    bool bearer = header && strncasecmp(header, "Bearer ", 7) == 0;
    if (bearer && options->authenticate && options->authenticate(options->context, header + 7, &user, &groups))
        request->peer = peer_of_token(user, groups);
    else
        fail(request, ERROR_UNAUTHENTICATED, header ? "this token is not valid" : "a token is needed here",
            "on the command line: --token TOKEN or CRESCENDO_TOKEN; over HTTP: the header Authorization: Bearer TOKEN");
}

static void find_route(struct request *request, const char *method)
{
    switch (match_route(request->server->options.mounts, method, request->path, &request->match, &request->allow)) {
    case MATCH_FOUND: return;
    case MATCH_MALFORMED: fail(request, ERROR_INVALID, "the path of this request is malformed", NULL); return;
    case MATCH_NO_PATH:
        error_set(&request->failure, ERROR_NOT_FOUND, NOWHERE, "there is no %.180s here", request->path);
        if (!request->error_mount) error_hint(&request->failure, "GET /v1/openapi.json lists what there is");
        return;
    case MATCH_NO_METHOD:
        error_set(&request->failure, ERROR_UNSUPPORTED, NOWHERE, "%.20s is not possible on %.180s", method, request->path);
        error_hint(&request->failure, "possible: %s", text_view(&request->allow));
        request->failure_status = MHD_HTTP_METHOD_NOT_ALLOWED;
        return;
    }
}

/* How much of a body this request may have. One that is thrown away counts as any. */
static size_t limit_of(const struct request *request)
{
    const struct route *route = request->failure.code ? NULL : request->match.route;
    return route && route->raw_limit ? route->raw_limit : LIMIT_REQUEST_BYTES;
}

/* The head has arrived. A body announced as too large is refused before it comes. */
static enum MHD_Result begin(struct request *request, const char *method)
{
    request->begun = true;
    request->error_mount = match_error_mount(request->server->options.mounts, request->path);
    authenticate(request);
    if (!request->failure.code) find_route(request, method);
    if (request->match.mount) request->error_mount = request->match.mount;
    const char *length = request_header(request, "Content-Length");
    if (!length || strtoull(length, NULL, 10) <= limit_of(request)) return MHD_YES;
    request->failure = (struct error){0};
    request->failure_status = 0;
    fail(request, ERROR_LIMIT, "the body of this request is too large", NULL);
    respond_failure(request);
    return respond_queue(request);
}

static enum MHD_Result take_bytes(struct request *request, const char *bytes, size_t size)
{
    if (!request->failure.code && request->bytes.size + size > limit_of(request))
        fail(request, ERROR_LIMIT, "the body of this request is too large", NULL);
    if (!request->failure.code && (request->match.route->body || request->match.route->raw_limit)) {
        text_add_bytes(&request->bytes, bytes, size);
        return MHD_YES;
    }
    request->discarded_bytes += size;
    return request->discarded_bytes > DISCARD_MAX_BYTES ? MHD_NO : MHD_YES;
}

static int read_body(struct request *request, struct error *err)
{
    const struct field *fields = request->match.route->body;
    if (!fields) return 0;
    const char *bytes = request->bytes.size ? request->bytes.bytes : "{}";
    size_t size = request->bytes.size ? request->bytes.size : 2;
    int code = json_parse(bytes, size, "request body", &request->body, err);
    text_release(&request->bytes);
    return code < 0 ? code : validate_body(request->body, fields, err);
}

static enum MHD_Result dispatch(struct request *request)
{
    if (request->server->closing) fail(request, ERROR_UNAVAILABLE, "the server is stopping", "try again in a moment");
    if (!request->failure.code) (void)!read_body(request, &request->failure);
    request->phase = REQUEST_HANDED;
    if (request->failure.code) {
        respond_failure(request);
        return respond_queue(request);
    }
    request->owed = true;
    request->in_handler = true;
    request->match.route->handle(request, request->match.context);
    request->in_handler = false;
    if (request->phase == REQUEST_ANSWERED) return respond_queue(request);
    request->suspended = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

enum MHD_Result request_access(void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *bytes, size_t *size, void **context)
{
    (void)server, (void)connection, (void)url, (void)version;
    struct request *request = *context;
    if (!request->begun) return begin(request, method);
    if (*size > 0) {
        enum MHD_Result result = take_bytes(request, bytes, *size);
        *size = 0;
        return result;
    }
    if (request->phase == REQUEST_READING) return dispatch(request);
    if (request->phase == REQUEST_ANSWERED) return respond_queue(request);
    return MHD_YES;
}

void request_completed(void *context, struct MHD_Connection *connection, void **context_of_request, enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    struct http_server *server = context;
    struct request *request = *context_of_request;
    if (!request) return;
    *context_of_request = NULL;
    if (request->previous)
        request->previous->next = request->next;
    else
        server->requests = request->next;
    if (request->next) request->next->previous = request->previous;
    request->connection = NULL;
    request_let_go(request);
}

static void free_values(struct request *request)
{
    for (size_t i = 0; i < request->value_count; i++)
        free(request->values[i]);
    free(request->values);
}

void request_let_go(struct request *request)
{
    if (request->connection || request->owed) return;
    if (request->response) MHD_destroy_response(request->response);
    match_release(&request->match);
    peer_release(&request->peer);
    json_decref(request->body);
    text_release(&request->allow);
    text_release(&request->bytes);
    free_values(request);
    headers_free(&request->headers);
    free(request->path);
    free(request->query);
    free(request);
}

const char *request_path(const struct request *request)
{
    return request->path;
}

const char *request_part(const struct request *request, const char *name)
{
    return match_part(&request->match, name);
}

/* Decodes one value of the query (form encoding: a plus is a space) and ties it to the request's life. */
static const char *keep_value(struct request *request, const char *raw, size_t size)
{
    AUTO(free_text) char *coded = mem_copy_bytes(raw, size);
    for (char *at = coded; *at; at++)
        if (*at == '+') *at = ' ';
    struct text decoded = {0};
    if (!percent_decode(coded, &decoded)) text_add(&decoded, coded);
    request->values = mem_grow(request->values, &request->value_capacity, request->value_count + 1, sizeof *request->values);
    return request->values[request->value_count++] = text_take(&decoded);
}

const char *request_query(const struct request *request, const char *name)
{
    size_t name_size = strlen(name);
    for (const char *at = request->query; *at;) {
        size_t size = strcspn(at, "&");
        bool same = size >= name_size && strncmp(at, name, name_size) == 0;
        if (same && size == name_size) return "";
        if (same && at[name_size] == '=') return keep_value((struct request *)request, at + name_size + 1, size - name_size - 1);
        at += size + (at[size] == '&');
    }
    return NULL;
}

bool request_query_nth(const struct request *request, size_t nth, const char **ret_name, const char **ret_value)
{
    struct request *own = (struct request *)request;
    for (const char *at = request->query; *at;) {
        size_t size = strcspn(at, "&");
        if (size > 0 && nth-- == 0) {
            const char *equals = memchr(at, '=', size);
            size_t name_size = equals ? (size_t)(equals - at) : size;
            *ret_name = keep_value(own, at, name_size);
            *ret_value = equals ? keep_value(own, equals + 1, size - name_size - 1) : "";
            return true;
        }
        at += size + (at[size] == '&');
    }
    return false;
}

const char *request_header(const struct request *request, const char *name)
{
    return request->connection ? MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name) : NULL;
}

const json_t *request_body(const struct request *request)
{
    return request->body;
}

const char *request_bytes(const struct request *request, size_t *ret_size)
{
    if (ret_size) *ret_size = request->bytes.size;
    return text_view(&request->bytes);
}

const char *request_user(const struct request *request)
{
    return request->peer->user;
}

bool request_is_local(const struct request *request)
{
    return request->server->options.local;
}

const char *const *request_groups(const struct request *request)
{
    return (const char *const *)request->peer->groups;
}
