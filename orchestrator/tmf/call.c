/* call.c: one request from its arrival until its answer, which may have to wait for a commit. */
#include "orchestrator/tmf/parts.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct tmf_call *call_new(const struct tmf_bound *bound, struct request *request)
{
    struct tmf_call *call = mem_alloc(sizeof *call);
    call->api = bound->api;
    call->resource = bound->resource;
    call->request = request;
    call->next = call->api->calls;
    if (call->next) call->next->previous = call;
    call->api->calls = call;
    return call;
}

static void call_free(struct tmf_call *call)
{
    if (call->previous)
        call->previous->next = call->next;
    else
        call->api->calls = call->next;
    if (call->next) call->next->previous = call->previous;
    json_decref(call->answer);
    free(call);
}

static void answer_body(struct request *request, int status, const json_t *body)
{
    const char *href = json_text(body, "href", NULL);
    if (status == 201 && href) respond_header(request, "Location", href);
    AUTO(free_text) char *text = json_canonical(body);
    respond_text(request, status, "application/json", text, strlen(text));
}

void tmf_answer(struct tmf_call *call, int status, json_t *body)
{
    struct request *request = call->request;
    call_free(call);
    if (body)
        answer_body(request, status, body);
    else
        respond_text(request, status, NULL, "", 0);
    json_decref(body);
}

void call_refuse(struct tmf_call *call, int status, const struct error *err)
{
    struct request *request = call->request;
    call_free(call);
    respond_json(request, status, tmf_error_body(err, status));
}

void tmf_refuse(struct tmf_call *call, const struct error *err)
{
    call_refuse(call, error_code_http(err->code), err);
}

static void on_written(void *context)
{
    struct tmf_call *call = context;
    tmf_answer(call, call->status, take(&call->answer));
}

void tmf_write_and_answer(struct tmf_call *call, const struct document *documents, size_t count, int status, json_t *body)
{
    call->status = status;
    call->answer = body;
    struct journal_batch batch = {.documents = documents, .document_count = count, .durable = true};
    journal_append(call->api->journal, &batch, on_written, call);
}

void calls_end(struct tmf_api *api)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, NOWHERE, "the server is stopping, and cannot say what became of this request");
    error_hint(&err, "its log says why it stops; once it is started again, look whether it was done");
    for (struct tmf_call *call = api->calls, *next; call; call = next) {
        next = call->next;
        tmf_refuse(call, &err);
    }
}

void *tmf_context(const struct tmf_call *call)
{
    return call->api->context;
}

struct request *tmf_request(const struct tmf_call *call)
{
    return call->request;
}

struct journal *tmf_journal(const struct tmf_call *call)
{
    return call->api->journal;
}

const struct tmf_resource *tmf_resource_of(const struct tmf_call *call)
{
    return call->resource;
}
