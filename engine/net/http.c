/* http.c: the one HTTP client for talking to the world, over libcurl. */
#include "net/http.h"

#include "base/mem.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30 * 1000, CONNECT_TIMEOUT_MS = 10 * 1000, LIMIT_BYTES = 16 * 1024 * 1024 };

struct transfer {
    const struct http_request *request;
    struct text body;
    size_t limit_bytes;
    bool too_large;
    char message[CURL_ERROR_SIZE];
};

static void free_curl(CURL **curl)
{
    if (*curl) curl_easy_cleanup(*curl);
}

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void transfer_release(struct transfer *transfer)
{
    text_release(&transfer->body);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    (void)one;
    struct transfer *transfer = context;
    if (transfer->body.size + size > transfer->limit_bytes) {
        transfer->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    text_add_bytes(&transfer->body, bytes, size);
    return size;
}

static bool changes_nothing(const struct http_request *request)
{
    return text_equal(request->method, "GET") || text_equal(request->method, "HEAD");
}

static void set_options(CURL *curl, struct transfer *transfer, struct curl_slist *headers)
{
    const struct http_request *request = transfer->request;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "crescendo/" CRESCENDO_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->message);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ms ? request->timeout_ms : TIMEOUT_MS));
    curl_easy_setopt(
        curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request->redirects && changes_nothing(request) ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)request->redirects);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    }
    if (text_equal(request->method, "HEAD"))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Did the request perhaps reach the peer? Only then is sending it again a risk. */
static bool never_sent(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT;
}

static enum error_code meaning(CURLcode code)
{
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return ERROR_INVALID;
    if (code == CURLE_OPERATION_TIMEDOUT) return ERROR_TIMEOUT;
    if (never_sent(code)) return ERROR_UNAVAILABLE;
    return ERROR_PROTOCOL;
}

static int explain(const struct transfer *transfer, CURLcode code, struct error *err)
{
    const struct http_request *request = transfer->request;
    if (transfer->too_large)
        return error_set(err, ERROR_LIMIT, NOWHERE, "%s %.120s: the answer is larger than %zu bytes", request->method, request->url,
            transfer->limit_bytes);
    int result = error_set(err, meaning(code), NOWHERE, "%s %.120s: %.100s", request->method, request->url,
        transfer->message[0] ? transfer->message : curl_easy_strerror(code));
    if (err) err->retryable = meaning(code) != ERROR_INVALID && (never_sent(code) || changes_nothing(request));
    return result;
}

int http_send(const struct http_request *request, struct http_response *ret, struct error *err)
{
    AUTO(transfer_release) struct transfer transfer = {.request = request};
    transfer.limit_bytes = request->limit_bytes ? request->limit_bytes : LIMIT_BYTES;
    AUTO(free_curl) CURL *curl = curl_easy_init();
    if (!curl) return error_set(err, ERROR_INTERNAL, NOWHERE, "cannot start the HTTP client");
    AUTO(free_list) struct curl_slist *headers = curl_slist_append(NULL, "Expect:"); /* a pause for nothing */
    for (const char *const *header = request->headers; header && *header; header++)
        headers = curl_slist_append(headers, *header);
    set_options(curl, &transfer, headers);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) return explain(&transfer, code, err);
    long status = 0;
    char *type = NULL, *location = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
    ret->status = (int)status;
    ret->type = mem_copy_text(type);
    ret->location = mem_copy_text(location);
    ret->size = transfer.body.size;
    ret->body = text_take(&transfer.body);
    return 0;
}

void http_response_release(struct http_response *response)
{
    free(response->type);
    free(response->location);
    free(response->body);
    *response = (struct http_response){0};
}
