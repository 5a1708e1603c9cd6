/* submit.c: a text that somebody pushed or handed over becomes a run that is on disk. */
#include "run/live.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/shelf.h"
#include "spec/beside.h"
#include "spec/diagnose.h"

#include <stdlib.h>
#include <string.h>

struct answer { /* what is told once the run is on disk; owns its copies */
    void (*done)(void *context, const struct accepted *accepted, const struct error *err);
    void *context;
    struct accepted accepted;
    struct diagnostics diagnostics;
    struct source_set files;
    struct arena *arena;
};

static struct answer *answer_new(const struct submission *submission,
    void (*done)(void *context, const struct accepted *accepted, const struct error *err), void *context)
{
    struct answer *answer = mem_alloc(sizeof *answer);
    answer->arena = arena_new();
    answer->done = done;
    answer->context = context;
    struct source *items = arena_alloc_array(answer->arena, submission->files.count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < submission->files.count; i++) {
        const struct source *file = &submission->files.items[i];
        if (i && beside_is_domain(file->name)) continue; /* what a domain allows is said by its owner, not by who submits */
        items[count++] = (struct source){
            arena_copy_text(answer->arena, file->name), arena_copy_bytes(answer->arena, file->bytes, file->size), file->size};
    }
    answer->files = (struct source_set){items, count};
    answer->accepted.diagnostics = &answer->diagnostics;
    answer->accepted.files = &answer->files;
    return answer;
}

static void answer_give(void *context, const struct error *err)
{
    struct answer *answer = context;
    answer->done(answer->context, &answer->accepted, err);
    diagnostics_release(&answer->diagnostics);
    arena_free(&answer->arena);
    free(answer);
}

static void answer_known(void *context)
{
    answer_give(context, NULL);
}

static json_t *describe_submission(const struct submission *submission, uint64_t number, const char *pipeline, const char *plan)
{
    json_t *data = json_object();
    json_put_whole(data, "number", (int64_t)number);
    json_put_text(data, "key", submission->key);
    json_put_text(data, "plan", plan);
    json_put_text(data, "pipeline", pipeline);
    json_put_text(data, "repository", submission->repository);
    json_put_text(data, "ref", submission->ref);
    json_put_text(data, "commit", submission->commit);
    json_put_text(data, "author", submission->author);
    json_put_text(data, "title", submission->title);
    json_put_text(data, "trigger", submission->trigger);
    json_put_text(data, "source", submission->source);
    if (submission->work_tree) json_put_flag(data, "work_tree", true);
    json_put(data, "params", json_incref((json_t *)submission->params));
    return data;
}

/* A folder without a run is what a server left that died before its run was on disk: a supervisor with sandboxes may still be in it. */
uint64_t live_free_number(struct engine *engine)
{
    for (;;) {
        uint64_t number = journal_next_run(engine->journal);
        AUTO(free_text) char *folder = mem_format("%s/runs/%llu", engine->options.data, (unsigned long long)number);
        if (!file_exists(folder)) return number;
    }
}

/* plan is the run's from here on; a plan without steps is that of a wrong file, and not kept. */
static void begin(
    struct engine *engine, const struct submission *submission, struct answer *answer, struct plan *plan, struct event_list *more)
{
    uint64_t number = live_free_number(engine);
    json_t *accepted = describe_submission(submission, number, plan->name, plan->step_count ? plan->digest : NULL);
    struct live_run *run = live_new(engine, number, plan, accepted);
    if (plan->step_count) run->plan_text = plan_take_text(plan);
    struct event_list events = {0};
    event_list_add(&events, EVENT_run_accepted, NO_STEP, clock_now_ms(), json_incref(accepted));
    answer->accepted.run = number;
    live_fold(run, &events);
    live_fold(run, more);
    live_wait_commit(run, answer_give, answer);
    live_advance(run);
}

static void begin_invalid(struct engine *engine, const struct submission *submission, struct answer *answer)
{
    struct event_list more = {0};
    const struct diagnostics *list = &answer->diagnostics;
    json_t *data = json_pack("{s:s}", "reason", diagnostics_only_denied(list) ? "denied" : "invalid");
    if (submission->files.count == 0)
        json_put_text(data, "message", submission->no_files ? submission->no_files : "no crescendo.yaml in this commit");
    else if (list->count) {
        const struct diagnostic *first = &list->items[0];
        AUTO(free_text)
        char *message = mem_format("%s:%u:%u: %s", first->at.file ? first->at.file : submission->files.items[0].name, first->at.line,
            first->at.column, first->message);
        json_put_text(data, "message", message);
        json_put(data, "diagnostics", diagnose_json(list));
        struct text text = {0};
        diagnose_text(list, &answer->files, DIAGNOSE_PLAIN, &text);
        json_put_text(data, "text", text_view(&text));
        text_release(&text);
    }
    event_list_add(&more, EVENT_run_failed, NO_STEP, clock_now_ms(), data);
    answer->accepted.invalid = true;
    begin(engine, submission, answer, plan_empty(submission->repository ? submission->repository : "pipeline"), &more);
}

static const char *branch_of(const struct submission *submission)
{
    static const char heads[] = "refs/heads/";
    if (submission->branch || !submission->ref || !text_starts(submission->ref, heads)) return submission->branch;
    return submission->ref + strlen(heads);
}

/* What the server keeps stands behind the submission's files, so that a file of the submission's own goes first. */
static int add_shelf(const char *folder, const char *as, struct answer *answer)
{
    struct error err = {0};
    if (!folder) return 0;
    int failed = shelf_read(folder, as, answer->arena, &answer->files, &err);
    if (failed) diagnostics_add(&answer->diagnostics, "unreadable", NOWHERE, 0, err.hint[0] ? err.hint : NULL, "%s", err.message);
    return failed;
}

/* Does any of the files use another? A text that only looks like it costs no more than a look into the library. */
static bool may_use(const struct source_set *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (memmem(files->items[i].bytes, files->items[i].size, "use:", strlen("use:"))) return true;
    return false;
}

/* Loads and plans. 1: planned; 0: the answer is complete (unwanted); negative: the file is wrong. */
static int make_plan(struct engine *engine, const struct submission *submission, struct answer *answer, struct plan **ret_plan)
{
    AUTO(pipeline_free) struct pipeline *pipeline = NULL;
    struct plan_facts facts = {.repository = submission->repository,
        .ref = submission->ref,
        .branch = branch_of(submission),
        .commit = submission->commit,
        .author = submission->author,
        .trigger = submission->trigger};
    if (submission->files.count == 0) return -ERROR_NOT_FOUND;
    int failed = may_use(&answer->files) ? add_shelf(engine->options.library, "pipelines", answer) : 0;
    if (failed < 0) return failed;
    failed = pipeline_load(&answer->files, engine->options.types, &answer->diagnostics, &pipeline);
    if (failed < 0) return failed;
    if (submission->branch && !pipeline_wants_push(pipeline, submission->branch, submission->paths)) {
        answer->accepted.unwanted = true;
        return 0;
    }
    AUTO(beside_release) struct beside beside = {0};
    failed = pipeline_reaches_out(pipeline) ? add_shelf(engine->options.domains, "domains", answer) : 0;
    if (!failed) failed = beside_load(pipeline, &answer->files, &answer->diagnostics, &beside);
    if (failed < 0) return failed;
    facts.domains = beside.domains;
    facts.service = beside.service;
    failed = plan_build(pipeline, &facts, submission->params, &answer->diagnostics, ret_plan);
    return failed < 0 ? failed : 1;
}

void engine_submit(struct engine *engine, const struct submission *submission,
    void (*done)(void *context, const struct accepted *accepted, const struct error *err), void *context)
{
    struct answer *answer = answer_new(submission, done, context);
    struct plan *plan = NULL;
    struct error err;
    uint64_t known = submission->key ? journal_find_trigger(engine->journal, submission->key) : 0;
    if (known) {
        answer->accepted.run = known;
        answer->accepted.known = true;
        journal_append(engine->journal, &(struct journal_batch){0}, answer_known, answer); /* behind the append that made it */
        return;
    }
    int made = make_plan(engine, submission, answer, &plan);
    if (made < 0 && submission->key) {
        begin_invalid(engine, submission, answer);
    } else if (made < 0) {
        if (diagnostics_only_denied(&answer->diagnostics))
            error_set(&err, ERROR_DENIED, NOWHERE, "the pipeline asks for what is not allowed");
        else
            error_set(&err, ERROR_INVALID, NOWHERE, "the pipeline file is wrong");
        answer->accepted.invalid = true;
        answer_give(answer, &err);
    } else if (made == 0) {
        answer_give(answer, NULL);
    } else {
        begin(engine, submission, answer, plan, &(struct event_list){0});
    }
}
