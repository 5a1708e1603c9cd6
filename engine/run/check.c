/* check.c: one journal, run by run. */
#include "run/check.h"

#include "base/mem.h"
#include "run/past.h"

#include <stdlib.h>

#define REMEDY_EVENTS "the journal was changed by hand or damaged: compare this run with a backup, or restore that"
#define REMEDY_ROWS \
    "the events are what holds: stop the server and write with sqlite3 what they say; where events are missing, restore a backup"
#define REMEDY_FILE "the database is damaged: check the disk, stop the server and restore a backup"
#define REMEDY_PLAN "the run's plan cannot be had any more: restore a backup; runs at rest do no harm without it"

struct checked_run { /* the run that is looked at */
    struct check *check;
    struct journal *journal;
    uint64_t run;
    struct log_facts logs;
};

void check_found(struct check *check, const struct finding *finding)
{
    check->findings++;
    check->found(check->context, finding);
}

static void tell(struct check *check, uint64_t run, const char *table, const char *what, const char *remedy)
{
    AUTO(free_text) char *file = mem_format("%sjournal.db", check->prefix);
    check_found(check, &(struct finding){.file = file, .run = run, .table = table, .what = what, .remedy = remedy});
}

static void on_file_complaint(void *context, const char *table, const char *what)
{
    tell(context, 0, table, what, REMEDY_FILE);
}

static void on_row_complaint(void *context, const char *table, const char *what)
{
    const struct checked_run *at = context;
    tell(at->check, at->run, table, what, REMEDY_ROWS);
}

/* --- a run --- */

static int on_event(void *context, struct past *past, const struct event *event, struct error *err)
{
    struct checked_run *at = context;
    (void)err;
    at->check->events++;
    log_facts_note(&at->logs, past->state, event);
    return 0;
}

static void release_rows(struct step_row *rows, char **outputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(outputs[i]);
    free(outputs);
    free(rows);
}

static int compare_rows(struct checked_run *at, const struct past *past, struct error *err)
{
    const struct projected now = past_projected(past);
    struct step_row *rows = mem_alloc_array(past->plan->step_count, sizeof *rows);
    char **outputs = mem_alloc_array(past->plan->step_count, sizeof *outputs);
    struct run_row run_row;
    size_t count = 0;
    project_run(&now, &run_row);
    for (uint32_t step = 0; step < past->plan->step_count; step++) {
        if (!past->touched[step]) continue;
        project_step(&now, step, &rows[count], &outputs[count]);
        count++;
    }
    int failed = journal_compare_rows(at->journal, at->run, &run_row, rows, count, on_row_complaint, at, err);
    release_rows(rows, outputs, count);
    return failed;
}

static void compare_documents(struct checked_run *at, const struct past *past)
{
    const struct run_view view = {.run = at->run,
        .plan = past->plan,
        .state = past->state,
        .accepted = past->accepted,
        .now_ms = past->event_ms,
        .journal = at->journal};
    if (at->check->documents) at->check->documents(&view, on_row_complaint, at);
}

static void tell_error(const struct checked_run *at, const struct error *err)
{
    bool is_plan = err->code == ERROR_NOT_FOUND, is_file = err->code == ERROR_INVALID || err->code == ERROR_IO;
    const char *remedy = err->code == ERROR_UNSUPPORTED && err->hint[0] ? err->hint : REMEDY_EVENTS;
    tell(at->check, at->run, is_plan ? "blobs" : "events", err->message, is_plan ? REMEDY_PLAN : is_file ? REMEDY_FILE : remedy);
}

/* A chain that is broken says all that is wrong with the events; what they fold to is looked at all the same. */
static int check_run(struct check *check, struct journal *journal, uint64_t run, struct error *err)
{
    struct checked_run at = {.check = check, .journal = journal, .run = run};
    const struct past_walk walk = {.after = on_event, .context = &at};
    AUTO(past_free) struct past *past = NULL;
    struct error why;
    int failed = journal_begin_look(journal, err);
    if (failed) return failed;
    if (journal_is_forgotten(journal, run)) {
        journal_end_look(journal);
        return 0;
    }
    if (journal_verify(journal, run, &why) < 0) tell_error(&at, &why);
    int folded = past_read(journal, run, &walk, &past, &why);
    if (folded < 0) tell_error(&at, &why);
    if (past) failed = compare_rows(&at, past, err);
    if (past) compare_documents(&at, past);
    if (!past && !folded) failed = journal_compare_rows(journal, run, NULL, NULL, 0, on_row_complaint, &at, err);
    journal_end_look(journal);
    if (past) check_log(check, run, run_status_at_rest(past->state->status), &at.logs);
    log_facts_release(&at.logs);
    check->runs++;
    return failed;
}

static int check_runs(struct check *check, struct journal *journal, struct error *err)
{
    uint64_t run = 0;
    int failed = journal_following_run(journal, 0, &run, err);
    while (!failed && run) {
        failed = check_run(check, journal, run, err);
        if (!failed) failed = journal_following_run(journal, run, &run, err);
    }
    return failed;
}

/* --- blobs --- */

struct blob_look {
    struct check *check;
    struct journal *journal;
};

static int check_blob(void *context, const char *digest)
{
    struct blob_look *look = context;
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    struct error why;
    look->check->blobs++;
    if (journal_get_blob(look->journal, digest, &bytes, &size, &why) == -ERROR_CONFLICT)
        tell(look->check, 0, "blobs", why.message, REMEDY_PLAN);
    return 0;
}

int check_journal(struct check *check, struct error *err)
{
    AUTO(journal_close) struct journal *journal = NULL;
    int failed = journal_open_to_read(check->folder, &journal, err);
    struct blob_look look = {check, journal};
    if (!failed) failed = journal_check_file(journal, on_file_complaint, check, err);
    if (!failed) failed = journal_check_documents(journal, on_file_complaint, check, err);
    if (!failed) failed = journal_list_blobs(journal, check_blob, &look, err);
    if (!failed) failed = check_runs(check, journal, err);
    if (failed != -ERROR_IO) return failed;
    tell(check, 0, NULL, err->message, err->hint[0] ? err->hint : REMEDY_FILE); /* the other journal can be looked at all the same */
    return 0;
}
