/* respond.c: answers, at once or later. An answer that comes later resumes the connection; libmicrohttpd then calls the access
   handler again, which queues it. */
#include "http/internal.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct header {
    char *name, *value;
    struct header *next;
};

void respond_header(struct request *request, const char *name, const char *value)
{
    struct header *header = mem_alloc(sizeof *header);
    header->name = mem_copy_text(name);
    header->value = mem_copy_text(value);
    header->next = request->headers;
    request->headers = header;
}

void headers_free(struct header **headers)
{
    while (*headers) {
        struct header *header = *headers;
        *headers = header->next;
        free(header->name);
        free(header->value);
        free(header);
    }
}

/* The answer is ready; whoever holds the connection is told. */
static void set_response(struct request *request, int status, const char *type, struct MHD_Response *response)
{
    if (type) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const struct header *header = request->headers; header; header = header->next)
        MHD_add_response_header(response, header->name, header->value);
    request->response = response;
    request->status = status;
    request->phase = REQUEST_ANSWERED;
    if (request->in_handler || !request->suspended) return;
    request->suspended = false;
    server_resume(request->server, request->connection);
}

void respond_with(struct request *request, int status, const char *type, struct MHD_Response *response)
{
    request->owed = false;
    if (request->connection && request->phase <= REQUEST_HANDED) {
        set_response(request, status, type, response);
        return;
    }
    MHD_destroy_response(response); /* the peer has left, or was told 503 */
    request_let_go(request);
}

enum MHD_Result respond_queue(struct request *request)
{
    request->phase = REQUEST_QUEUED;
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return result;
}

void respond_text(struct request *request, int status, const char *type, const char *bytes, size_t size)
{
    respond_with(request, status, type, MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_MUST_COPY));
}

void respond_file(struct request *request, int status, const char *type, int fd, uint64_t size)
{
    respond_with(request, status, type, MHD_create_response_from_fd64(size, fd));
}

void respond_json(struct request *request, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    size_t size = text ? strlen(text) : 0;
    if (!text) text = mem_copy_text("");
    respond_with(request, status, "application/json", MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE));
}

json_t *respond_error_body(const struct request *request, const struct error *err, int status)
{
    const struct http_mount *mount = request->error_mount;
    if (mount && mount->error_body) return mount->error_body(err, status);
    json_t *inner = json_pack("{s:s, s:s}", "code", error_code_name(err->code), "message", err->message);
    if (!inner) inner = json_pack("{s:s, s:s}", "code", error_code_name(err->code), "message", "(not UTF-8)");
    if (err->hint[0]) json_object_set_new(inner, "hint", json_string(err->hint));
    return json_pack("{s:o}", "error", inner);
}

void respond_error(struct request *request, const struct error *err)
{
    int status = error_code_http(err->code);
    respond_json(request, status, respond_error_body(request, err, status));
}

void respond_failure(struct request *request)
{
    const struct error *err = &request->failure;
    if (request->allow.size) respond_header(request, MHD_HTTP_HEADER_ALLOW, text_view(&request->allow));
    if (err->code == ERROR_UNAUTHENTICATED) respond_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    int status = request->failure_status ? request->failure_status : error_code_http(err->code);
    request->in_handler = true;
    respond_json(request, status, respond_error_body(request, err, status));
    request->in_handler = false;
}

void respond_unavailable(struct request *request)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "the server is stopping, and cannot say what became of this request");
    error_hint(&err, "its log says why it stops; once it is started again, look whether it was done");
    AUTO(free_json) json_t *body = respond_error_body(request, &err, MHD_HTTP_SERVICE_UNAVAILABLE);
    char *text = json_canonical(body);
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    set_response(request, MHD_HTTP_SERVICE_UNAVAILABLE, "application/json", response);
}
