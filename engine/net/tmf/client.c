/* client.c: requests to one peer: sent once or patiently, answers read, refusals in the peer's own words. */
#include "net/tmf/client.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 30 * 1000, PAUSE_FIRST_MS = 20, PAUSE_LAST_MS = 1000, WORDS_MAX = 150 };

int tmf_client_open(const char *name, const char *url, const char *dialect, struct tmf_client *ret, struct error *err)
{
    struct tmf_client client = {0};
    int failed = tmf_dialect_find(dialect, &client.dialect, err);
    if (failed) return failed;
    if (!url || (!text_starts(url, "unix:/") && !text_starts(url, "http://") && !text_starts(url, "https://"))) {
        error_set(err, ERROR_INVALID, NOWHERE, "domain %.63s: \"%.100s\" is no URL of a peer", name, url ? url : "");
        return error_hint(err, "write http://HOST:PORT, https://HOST or unix:/PATH");
    }
    bool local = text_starts(url, "unix:");
    size_t size = strlen(url);
    while (size && url[size - 1] == '/')
        size--;
    client.name = mem_copy_text(name);
    client.url = mem_copy_text(url);
    client.base = local ? mem_copy_text("http://localhost") : mem_copy_bytes(url, size);
    client.socket = local ? mem_copy_text(url + strlen("unix:")) : NULL;
    *ret = client;
    return 0;
}

void tmf_client_release(struct tmf_client *client)
{
    free(client->name);
    free(client->base);
    free(client->socket);
    free(client->url);
    *client = (struct tmf_client){0};
}

void tmf_pause(int *pause_ms)
{
    int now = *pause_ms ? *pause_ms : PAUSE_FIRST_MS;
    nanosleep(&(struct timespec){.tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000L}, NULL);
    *pause_ms = now * 2 < PAUSE_LAST_MS ? now * 2 : PAUSE_LAST_MS;
}

/* --- what a refusal says ------------------------------------------------------------------------------------------------------------ */

static enum error_code code_of(int status)
{
    switch (status) {
    case 401: return ERROR_UNAUTHENTICATED;
    case 403: return ERROR_DENIED;
    case 404:
    case 410: return ERROR_NOT_FOUND;
    case 409:
    case 412: return ERROR_CONFLICT;
    case 413: return ERROR_LIMIT;
    case 408:
    case 429: return ERROR_UNAVAILABLE;
    default: return status >= 500 ? ERROR_UNAVAILABLE : status >= 400 ? ERROR_INVALID : ERROR_PROTOCOL;
    }
}

/* One line of at most WORDS_MAX bytes, whole characters. Caller frees. */
static char *one_line(const char *text)
{
    size_t size = strnlen(text, WORDS_MAX + 1);
    if (size > WORDS_MAX)
        for (size = WORDS_MAX; size && ((unsigned char)text[size] & 0xc0) == 0x80;)
            size--;
    char *line = mem_copy_bytes(text, size);
    bool is_text = text_is_utf8(line, size);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || (!is_text && (unsigned char)*at >= 0x80)) *at = ' ';
    return line;
}

/* The peer's words: TM Forum's {reason, message}, others' {message} or {error}, else the text itself. Caller frees. */
static char *words_of(const struct http_response *response)
{
    AUTO(free_json) json_t *body = NULL;
    if (json_parse(response->body, response->size, "answer", &body, NULL) < 0 || !json_is_object(body))
        return one_line(response->size ? response->body : "it gives no reason");
    const char *reason = json_text(body, "reason", NULL), *message = json_text(body, "message", NULL);
    AUTO(free_text) char *both = reason && message && !text_equal(reason, message) ? mem_format("%s: %s", reason, message) : NULL;
    if (both) return one_line(both);
    if (message || reason) return one_line(message ? message : reason);
    return one_line(json_text(body, "error", "it gives no reason"));
}

static int refused(
    const struct tmf_client *client, const struct tmf_request *request, const struct http_response *response, struct error *err)
{
    AUTO(free_text) char *words = words_of(response);
    size_t path = strcspn(request->path, "?");
    int failed = error_set(err, code_of(response->status), NOWHERE, "%.40s: %s %.*s answered %d: %s", client->name, request->method,
        (int)(path < 80 ? path : 80), request->path, response->status, words);
    if (err) err->retryable = failed == -ERROR_UNAVAILABLE;
    return failed;
}

/* --- sending -------------------------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static bool is_reading(const struct tmf_request *request)
{
    return text_equal(request->method, "GET");
}

/* Is the peer, or what stands before it, only away for a while? */
static bool is_away(int status)
{
    return status == 502 || status == 503 || status == 504;
}

static int send_once(const struct tmf_client *client, const struct tmf_request *request, struct http_response *ret, struct error *err)
{
    AUTO(free_text) char *url = mem_format("%s%s", client->base, request->path);
    AUTO(free_text) char *text = request->json ? json_canonical(request->json) : NULL;
    AUTO(free_text) char *type = mem_format("Content-Type: %s", request->type ? request->type : "application/json");
    const char *headers[] = {"Accept: application/json", text || request->bytes ? type : NULL, NULL};
    const struct http_request http = {.method = request->method,
        .url = url,
        .headers = headers,
        .body = text ? text : request->bytes,
        .body_size = text ? strlen(text) : request->size,
        .timeout_ms = client->timeout_ms,
        .unix_socket = client->socket};
    int failed = http_send(&http, ret, err);
    return failed ? error_wrap(err, "%.40s", client->name) : 0;
}

/* Again while the peer is away, as far as that can do no harm. */
static int send_patiently(const struct tmf_client *client, const struct tmf_request *request, struct http_response *ret, struct error *err)
{
    int64_t end = now_ms() + (client->patience_ms ? client->patience_ms : PATIENCE_MS);
    for (int pause = 0;;) {
        struct error problem = {0};
        int failed = send_once(client, request, ret, &problem);
        bool again = failed ? problem.retryable : is_reading(request) && is_away(ret->status);
        if (!again || now_ms() >= end) {
            problem.retryable = problem.retryable || problem.code == ERROR_PROTOCOL; /* the answer was lost, no request is under way */
            if (failed && err) *err = problem;
            return failed;
        }
        if (!failed) http_response_release(ret);
        tmf_pause(&pause);
    }
}

int tmf_send(const struct tmf_client *client, const struct tmf_request *request, int *ret_status, json_t **ret_answer, struct error *err)
{
    AUTO(http_response_release) struct http_response response = {0};
    AUTO(free_json) json_t *answer = NULL;
    int failed = send_patiently(client, request, &response, err);
    if (failed) return failed;
    if (response.status < 200 || response.status > 299) return refused(client, request, &response, err);
    if (response.size && json_parse(response.body, response.size, request->path, &answer, err) < 0) {
        if (err) err->code = ERROR_PROTOCOL; /* what was sent may have been done */
        if (err) err->retryable = true;
        return error_wrap(err, "%.40s", client->name);
    }
    if (ret_status) *ret_status = response.status;
    *ret_answer = answer ? take(&answer) : json_null();
    return 0;
}

/* --- documents --------------------------------------------------------------------------------------------------------------------------
 */

static char *path_of(const struct tmf_client *client, enum tmf_collection collection, const char *id)
{
    AUTO(text_release) struct text path = {0};
    text_add_format(&path, "%s/", client->dialect->paths[collection]);
    percent_encode(id, &path);
    return text_take(&path);
}

/* A document with an id is what all of them answer with. */
static int check_document(
    const struct tmf_client *client, const struct tmf_request *request, json_t *document, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *owned = document;
    if (json_text(owned, "id", NULL)) {
        *ret = take(&owned);
        return 0;
    }
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "%.40s: %s %.100s answered without an id", client->name, request->method, request->path);
}

static int send_document(
    const struct tmf_client *client, const char *method, const char *path, const json_t *body, json_t **ret, struct error *err)
{
    const struct tmf_request request = {.method = method, .path = path, .json = body};
    json_t *document = NULL;
    int failed = tmf_send(client, &request, NULL, &document, err);
    return failed ? failed : check_document(client, &request, document, ret, err);
}

int tmf_get(const struct tmf_client *client, enum tmf_collection collection, const char *id, json_t **ret, struct error *err)
{
    AUTO(free_text) char *path = path_of(client, collection, id);
    const struct tmf_request request = {.method = "GET", .path = path};
    json_t *document = NULL;
    int failed = tmf_send(client, &request, NULL, &document, err);
    if (failed) return failed;
    if (!json_is_null(document) || client->dialect->missing != TMF_MISSING_EMPTY)
        return check_document(client, &request, document, ret, err);
    json_decref(document);
    return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%.40s: GET %.100s: there is none", client->name, path);
}

int tmf_create(const struct tmf_client *client, enum tmf_collection collection, const json_t *body, json_t **ret, struct error *err)
{
    return send_document(client, "POST", client->dialect->paths[collection], body, ret, err);
}

int tmf_patch(
    const struct tmf_client *client, enum tmf_collection collection, const char *id, const json_t *body, json_t **ret, struct error *err)
{
    AUTO(free_text) char *path = path_of(client, collection, id);
    return send_document(client, "PATCH", path, body, ret, err);
}
