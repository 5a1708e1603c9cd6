/* push.c: a push becomes a run, once. Only branches start runs; deletions never do. */
#include "trigger/push.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/diagnose.h"
#include "trigger/files.h"
#include "trigger/repository.h"

#include <stdlib.h>
#include <string.h>

static const char pipeline_file[] = "crescendo.yaml";
static const char link_refused[] = "crescendo.yaml is a symbolic link; Crescendo reads only regular files";

const struct field push_body_fields[] = {
    {.name = "repository", .type = FIELD_NAME, .flags = FIELD_REQUIRED, .help = "The repository's name"},
    {.name = "ref", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "What was pushed: refs/heads/main"},
    {.name = "old", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The commit before, or zeros"},
    {.name = "new", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The commit now, or zeros"},
    {.name = "title", .type = FIELD_TEXT, .help = "The commit's subject"},
    {.name = "paths", .type = FIELD_TEXT_LIST, .help = "The changed paths; absent: not known, which matches every filter"},
    {.name = "files",
        .type = FIELD_ANY,
        .flags = FIELD_REQUIRED,
        .help = "[{name, base64}]: crescendo.yaml, pipelines/*.yaml and the service's descriptor as they are in the commit"},
    {.name = "link", .type = FIELD_BOOLEAN, .fallback = "false", .help = "crescendo.yaml is a symbolic link, so it is not among the files"},
    {.name = "colour", .type = FIELD_BOOLEAN, .fallback = "true", .help = "May the answer's text hold terminal colours?"},
    FIELD_END,
};

struct push { /* one on its way; owns its copies */
    const struct trigger *trigger;
    struct arena *arena;
    const char *repository, *branch;
    bool colour, link;
    void (*done)(void *context, const struct push_answer *answer, const struct error *err);
    void *context;
};

static void push_free(struct push *push)
{
    arena_free(&push->arena);
    free(push);
}

static bool is_commit(const char *id)
{
    size_t size = strlen(id);
    return (size == 40 || size == 64) && strspn(id, "0123456789abcdef") == size;
}

static bool is_zeros(const char *id)
{
    return id[strspn(id, "0")] == '\0';
}

static void answer_text(struct push *push, const char *text)
{
    push->done(push->context, &(struct push_answer){.text = text}, NULL);
    push_free(push);
}

static void answer_error(struct push *push, const struct error *err)
{
    push->done(push->context, NULL, err);
    push_free(push);
}

static void add_run_line(const struct push *push, const struct accepted *accepted, struct text *text)
{
    text_add_format(text, "run %llu of %s%s: crescendo show %llu\n", (unsigned long long)accepted->run, push->repository,
        accepted->known ? " (this push is known)" : "", (unsigned long long)accepted->run);
    if (push->trigger->address) text_add_format(text, "  %s/v1/runs/%llu\n", push->trigger->address, (unsigned long long)accepted->run);
}

static void describe(const struct push *push, const struct accepted *accepted, struct text *text)
{
    const char *red = push->colour ? "\033[31m" : "", *plain = push->colour ? "\033[0m" : "";
    if (accepted->unwanted) {
        text_add_format(text, "nothing to run: `on` in %s does not ask for this push to %s\n", pipeline_file, push->branch);
    } else if (!accepted->invalid) {
        add_run_line(push, accepted, text);
    } else if (accepted->files->count == 0 && push->link) {
        text_add_format(text, "%s%s:%s nothing was started (run %llu of %s records it)\n", red, link_refused, plain,
            (unsigned long long)accepted->run, push->repository);
    } else if (accepted->files->count == 0) {
        text_add_format(text, "%sno %s in this commit:%s nothing was started (run %llu of %s records it)\n", red, pipeline_file, plain,
            (unsigned long long)accepted->run, push->repository);
        text_add_format(text, "  add one at the root of the repository; `crescendo lint` checks it before you push\n");
    } else {
        diagnose_text(accepted->diagnostics, accepted->files, push->colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, text);
        if (text->size && text->bytes[text->size - 1] != '\n') text_add_char(text, '\n');
        bool denied = diagnostics_only_denied(accepted->diagnostics);
        text_add_format(text, "%snothing was started:%s %s %s (run %llu of %s records it)\n", red, plain, pipeline_file,
            denied ? "asks for what is not allowed" : "is wrong", (unsigned long long)accepted->run, push->repository);
    }
}

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct push *push = context;
    if (err && !accepted->invalid) {
        answer_error(push, err);
        return;
    }
    struct text text = {0};
    describe(push, accepted, &text);
    push->done(push->context, &(struct push_answer){accepted->run, accepted->known, accepted->invalid, text_view(&text)}, NULL);
    text_release(&text);
    push_free(push);
}

static const char *const *copy_paths(struct arena *arena, const json_t *paths)
{
    if (!paths) return NULL;
    const char **copy = arena_alloc_array(arena, json_array_size(paths) + 1, sizeof *copy);
    for (size_t i = 0; i < json_array_size(paths); i++)
        copy[i] = arena_copy_text(arena, json_string_value(json_array_get(paths, i)));
    return copy;
}

/* The file that the engine reads first stands first; without it there is no pipeline. */
static size_t order_files(struct source *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(items[i].name, pipeline_file)) continue;
        struct source first = items[i];
        items[i] = items[0];
        items[0] = first;
        return count;
    }
    return 0;
}

static int check_body(const struct trigger *trigger, const json_t *body, struct error *err)
{
    const char *old = json_text(body, "old", ""), *new = json_text(body, "new", "");
    if (!is_commit(old) || !is_commit(new) || strlen(old) != strlen(new))
        return error_set(err, ERROR_INVALID, NOWHERE, "request body: 'old' and 'new' must be commits: 40 or 64 hexadecimal digits");
    return repository_check(trigger->data, json_text(body, "repository", ""), err);
}

static void submit(struct push *push, const json_t *body, const char *author)
{
    struct error err;
    const char *ref = json_text(body, "ref", ""), *old = json_text(body, "old", ""), *new = json_text(body, "new", "");
    struct source items[FILES_MAX];
    size_t count = 0;
    if (files_read(json_object_get(body, "files"), push->arena, items, FILES_MAX, &count, &err) < 0) {
        answer_error(push, &err);
        return;
    }
    AUTO(free_text) char *path = repository_path(push->trigger->data, push->repository);
    engine_submit(push->trigger->engine,
        &(struct submission){
            .key = arena_format(push->arena, "push %s %s %s %s", push->repository, ref, old, new),
            .trigger = "push",
            .repository = push->repository,
            .ref = ref,
            .commit = new,
            .author = author,
            .title = json_text(body, "title", NULL),
            .branch = push->branch,
            .paths = copy_paths(push->arena, json_object_get(body, "paths")),
            .source = path,
            .files = {items, order_files(items, count)},
            .no_files = push->link ? link_refused : NULL,
        },
        on_accepted, push);
}

void push_submit(const struct trigger *trigger, const json_t *body, const char *author,
    void (*done)(void *context, const struct push_answer *answer, const struct error *err), void *context)
{
    struct error err;
    const char *ref = json_text(body, "ref", "");
    struct push *push = mem_alloc(sizeof *push);
    *push = (struct push){.trigger = trigger, .arena = arena_new(), .done = done, .context = context};
    push->repository = arena_copy_text(push->arena, json_text(body, "repository", ""));
    push->colour = json_flag(body, "colour", true);
    push->link = json_flag(body, "link", false);
    if (check_body(trigger, body, &err) < 0) {
        answer_error(push, &err);
    } else if (is_zeros(json_text(body, "new", ""))) {
        answer_text(push, arena_format(push->arena, "nothing to run: %s was deleted\n", ref));
    } else if (!text_starts(ref, "refs/heads/")) {
        answer_text(push, arena_format(push->arena, "nothing to run: %s is not a branch\n", ref));
    } else {
        push->branch = arena_copy_text(push->arena, ref + strlen("refs/heads/"));
        submit(push, body, author);
    }
}

/* --- the route --- */

struct waiting {
    struct request *request;
    const struct trigger *trigger;
};

static void on_answer(void *context, const struct push_answer *answer, const struct error *err)
{
    struct waiting *waiting = context;
    if (err) {
        respond_error(waiting->request, err);
    } else {
        json_t *body = json_object();
        json_put_whole(body, "run", (int64_t)answer->run);
        if (answer->run) {
            json_put_flag(body, "known", answer->known);
            json_put_flag(body, "invalid", answer->invalid);
            trigger_put_address(waiting->trigger, body, answer->run);
        }
        json_put_text(body, "text", answer->text);
        respond_json(waiting->request, answer->run ? 201 : 200, body);
    }
    free(waiting);
}

static void handle_push(struct request *request, void *context)
{
    struct waiting *waiting = mem_alloc(sizeof *waiting);
    *waiting = (struct waiting){request, context};
    push_submit(context, request_body(request), request_user(request), on_answer, waiting);
}

const struct route push_routes[] = {
    {"POST", "/v1/pushes", handle_push, "Takes over a push; the hook calls it", push_body_fields},
    ROUTE_END,
};
