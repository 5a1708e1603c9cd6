/* verbs.c: writing: create, patch, delete. What is wrong is refused before a hook is asked; what a hook lets pass is written and answered
   once it is on disk. */
#include "orchestrator/tmf/parts.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/tmf/check.h"
#include "orchestrator/tmf/patch.h"

#include <stdlib.h>
#include <string.h>

/* "application/json; charset=utf-8" is; none is, too. A merge patch may say so. */
static bool is_json_type(const char *type, bool patch)
{
    static const char *const types[] = {"application/json", "application/merge-patch+json"};
    if (!type) return true;
    size_t size = strcspn(type, "; \t");
    for (size_t i = 0; i < (patch ? COUNT_OF(types) : 1); i++)
        if (strlen(types[i]) == size && strncasecmp(type, types[i], size) == 0) return true;
    return false;
}

static int read_body(struct request *request, json_t **ret, struct error *err)
{
    size_t size;
    const char *bytes = request_bytes(request, &size);
    AUTO(free_json) json_t *body = NULL;
    int failed = json_parse(bytes, size, "request body", &body, err);
    if (failed) return failed;
    if (!json_is_object(body)) return error_set(err, ERROR_INVALID, NOWHERE, "the body must be a JSON object");
    if (!tmf_is_shallow(body, TMF_BODY_DEPTH))
        return error_set(err, ERROR_INVALID, NOWHERE, "the body is nested deeper than %d levels", TMF_BODY_DEPTH);
    *ret = take(&body);
    return 0;
}

/* NULL: the call was refused. */
static json_t *receive(struct tmf_call *call, bool patch)
{
    struct error err;
    json_t *body = NULL;
    const char *type = request_header(call->request, "Content-Type");
    if (!is_json_type(type, patch)) {
        error_set(&err, ERROR_UNSUPPORTED, NOWHERE, "a body of the type %.100s cannot be read here", type);
        error_hint(&err, "send Content-Type: application/json");
        call_refuse(call, STATUS_MEDIA_TYPE, &err);
    } else if (read_body(call->request, &body, &err)) {
        tmf_refuse(call, &err);
    }
    return body;
}

/* What only the server says is as if it had not come; what it says first is filled in. */
static void prepare(const struct tmf_resource *resource, json_t *document)
{
    json_object_del(document, "id");
    json_object_del(document, "href");
    if (resource->updated) json_object_del(document, resource->updated);
    for (const struct tmf_field *field = resource->fields; field && field->name; field++)
        if (field->flags & TMF_SERVER) json_object_del(document, field->name);
    const json_t *state = resource->state ? json_object_get(document, resource->state) : NULL;
    if (resource->state && (!state || json_is_null(state))) json_put_text(document, resource->state, resource->first);
}

static void stamp(const struct tmf_resource *resource, json_t *document)
{
    if (resource->updated) tmf_put_time(document, resource->updated, clock_now_ms());
}

/* Writes what the hook has let pass. Takes the call. */
static void write_change(struct tmf_call *call, const struct tmf_change *change, const char *id, int status)
{
    struct document document;
    struct error err;
    AUTO(free_text) char *text = NULL;
    tmf_put_identity(call->resource, change->document, id);
    stamp(call->resource, change->document);
    tmf_document(call->resource, id, change->document, &document, &text);
    document.key = change->key;
    if (document.size <= 2 * TMF_BODY_BYTES) {
        tmf_write_and_answer(call, &document, 1, status, json_incref(change->document));
        return;
    }
    error_set(&err, ERROR_LIMIT, NOWHERE, "%s %.60s would be larger than %d bytes", call->resource->name, id, 2 * TMF_BODY_BYTES);
    tmf_refuse(call, &err);
}

/* Asks the hook. True: the change is to be written. */
static bool is_let_pass(tmf_hook *hook, struct tmf_change *change)
{
    struct error err;
    struct tmf_call *call = change->call;
    enum tmf_verdict verdict = hook ? hook(change, &err) : TMF_GO_ON;
    if (verdict == TMF_REFUSED) tmf_refuse(call, &err);
    return verdict == TMF_GO_ON;
}

static void create(struct tmf_call *call, json_t *body)
{
    const struct tmf_resource *resource = call->resource;
    struct error err;
    prepare(resource, body);
    if (tmf_check(body, resource->fields, &err) || refer_check(call->api->journal, resource, NULL, body, &err)) {
        tmf_refuse(call, &err);
        return;
    }
    struct tmf_change change = {.call = call, .document = body, .id = tmf_new_id()};
    tmf_put_identity(resource, body, change.id);
    stamp(resource, body);
    if (is_let_pass(resource->on_create, &change)) write_change(call, &change, change.id, 201);
    free(change.id);
    free(change.key);
}

void tmf_handle_create(struct request *request, void *context)
{
    struct tmf_call *call = call_new(context, request);
    AUTO(free_json) json_t *body = receive(call, false);
    if (body) create(call, body);
}

/* The document as the patch would leave it. */
static int merge(const struct tmf_resource *resource, const json_t *stored, json_t *body, json_t **ret, struct error *err)
{
    if (resource->updated) json_object_del(body, resource->updated);
    AUTO(free_json) json_t *merged = tmf_merge(stored, body);
    int failed = tmf_check_fixed(stored, merged, resource->fields, err);
    if (!failed) failed = tmf_check(merged, resource->fields, err);
    if (!failed) *ret = take(&merged);
    return failed;
}

static void patch(struct tmf_call *call, const char *id, json_t *body)
{
    const struct tmf_resource *resource = call->resource;
    struct error err;
    AUTO(free_json) json_t *stored = NULL;
    AUTO(free_json) json_t *merged = NULL;
    int failed = tmf_read(call->api->journal, resource->name, id, &stored, &err);
    if (!failed) failed = merge(resource, stored, body, &merged, &err);
    if (!failed) failed = refer_check(call->api->journal, resource, stored, merged, &err);
    if (failed) {
        tmf_refuse(call, &err);
        return;
    }
    struct tmf_change change = {.call = call, .stored = stored, .document = merged};
    if (is_let_pass(resource->on_patch, &change)) write_change(call, &change, id, 200);
}

void tmf_handle_patch(struct request *request, void *context)
{
    struct tmf_call *call = call_new(context, request);
    AUTO(free_json) json_t *body = receive(call, true);
    if (body) patch(call, request_part(request, "id"), body);
}

void tmf_handle_delete(struct request *request, void *context)
{
    struct tmf_call *call = call_new(context, request);
    const struct tmf_resource *resource = call->resource;
    const char *id = request_part(request, "id");
    struct error err;
    AUTO(free_json) json_t *stored = NULL;
    if (tmf_read(call->api->journal, resource->name, id, &stored, &err)) {
        tmf_refuse(call, &err);
        return;
    }
    struct tmf_change change = {.call = call, .stored = stored};
    struct document removed = {.collection = resource->name, .id = id};
    if (is_let_pass(resource->on_delete, &change)) tmf_write_and_answer(call, &removed, 1, 204, NULL);
}
