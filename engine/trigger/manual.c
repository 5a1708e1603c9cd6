/* manual.c: a run that somebody asks for with the pipeline's text in hand: `crescendo run`, `curl`. */
#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/diagnose.h"
#include "trigger/files.h"
#include "trigger/trigger.h"

#include <stdlib.h>

static const struct field body_fields[] = {
    {.name = "pipeline", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The pipeline file's text"},
    {.name = "file", .type = FIELD_TEXT, .fallback = "crescendo.yaml", .help = "Its name, for messages"},
    {.name = "files", .type = FIELD_ANY, .help = "[{name, text}]: the files that it uses, and the service's descriptor"},
    {.name = "source", .type = FIELD_TEXT, .help = "An absolute path that is checked out from: a repository or a folder"},
    {.name = "work_tree", .type = FIELD_BOOLEAN, .help = "The source is copied as it is, uncommitted changes included"},
    {.name = "repository", .type = FIELD_TEXT, .help = "For `run.repository`"},
    {.name = "ref", .type = FIELD_TEXT, .help = "For `run.ref`"},
    {.name = "commit", .type = FIELD_TEXT, .help = "What is checked out"},
    {.name = "title", .type = FIELD_TEXT, .help = "One line that tells this run from others"},
    {.name = "params", .type = FIELD_ANY, .help = "An object of the pipeline's parameters"},
    FIELD_END,
};

void trigger_put_address(const struct trigger *trigger, json_t *body, uint64_t run)
{
    if (!trigger->address) return;
    AUTO(free_text) char *address = mem_format("%s/v1/runs/%llu", trigger->address, (unsigned long long)run);
    json_put_text(body, "address", address);
}

struct manual {
    struct request *request;
    const struct trigger *trigger;
};

/* 400, or 403 where all of them say that something is not allowed, with all mistakes, as objects and as text to print. */
static void respond_diagnostics(struct request *request, const struct accepted *accepted, const struct error *err)
{
    struct text text = {0};
    diagnose_text(accepted->diagnostics, accepted->files, DIAGNOSE_PLAIN, &text);
    bool denied = diagnostics_only_denied(accepted->diagnostics);
    json_t *error =
        json_pack("{s:s, s:s}", "code", denied ? "DENIED" : "INVALID", "message", err ? err->message : "the pipeline file is wrong");
    json_t *list = diagnose_json(accepted->diagnostics);
    json_t *body = json_pack("{s:o, s:o, s:s}", "error", error, "diagnostics", list, "text", text_view(&text));
    text_release(&text);
    respond_json(request, denied ? 403 : 400, body);
}

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct manual *manual = context;
    if (accepted->invalid) {
        respond_diagnostics(manual->request, accepted, err);
    } else if (err) {
        respond_error(manual->request, err);
    } else {
        json_t *body = json_pack("{s:I}", "run", (json_int_t)accepted->run);
        trigger_put_address(manual->trigger, body, accepted->run);
        respond_json(manual->request, 201, body);
    }
    free(manual);
}

/* A path means the server's own files: who asks from elsewhere may not have them read. */
static int check(const struct request *request, const json_t *body, struct error *err)
{
    const char *source = json_text(body, "source", NULL);
    const json_t *params = json_object_get(body, "params");
    if (source && !request_is_local(request)) {
        error_set(err, ERROR_DENIED, NOWHERE, "request body: 'source' is for the server's own machine, over its Unix socket");
        return error_hint(err, "push to a repository of the server instead: crescendo repository add NAME");
    }
    if (source && source[0] != '/') return error_set(err, ERROR_INVALID, NOWHERE, "request body: 'source' must be an absolute path");
    if (params && !json_is_object(params)) return error_set(err, ERROR_INVALID, NOWHERE, "request body: 'params' must be an object");
    return 0;
}

static int submit(struct request *request, const struct trigger *trigger, struct arena *arena, struct error *err)
{
    const json_t *body = request_body(request);
    const json_t *pipeline = json_object_get(body, "pipeline");
    const char *name = json_text(body, "file", "crescendo.yaml");
    struct source items[FILES_MAX] = {{name, json_string_value(pipeline), json_string_length(pipeline)}};
    size_t count = 1;
    int code = check(request, body, err);
    if (code == 0) code = files_read(json_object_get(body, "files"), arena, items, FILES_MAX, &count, err);
    if (code < 0) return code;
    struct manual *manual = mem_alloc(sizeof *manual);
    *manual = (struct manual){request, trigger};
    engine_submit(trigger->engine,
        &(struct submission){
            .trigger = "manual",
            .repository = json_text(body, "repository", NULL),
            .ref = json_text(body, "ref", NULL),
            .commit = json_text(body, "commit", NULL),
            .author = request_user(request),
            .title = json_text(body, "title", NULL),
            .source = json_text(body, "source", NULL),
            .work_tree = json_flag(body, "work_tree", false),
            .files = {items, count},
            .params = json_object_get(body, "params"),
        },
        on_accepted, manual);
    return 0;
}

static void handle_run(struct request *request, void *context)
{
    struct error err;
    struct arena *arena = arena_new();
    if (submit(request, context, arena, &err) < 0) respond_error(request, &err);
    arena_free(&arena);
}

const struct route manual_routes[] = {
    {"POST", "/v1/runs", handle_run, "Starts a run of the pipeline in the body", body_fields},
    ROUTE_END,
};
