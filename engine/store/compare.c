/* compare.c: the projection rows that are there against those that ought to be there, column by column. */
#include "store/inspect.h"

#include "base/mem.h"
#include "base/text.h"
#include "store/journal_private.h"

#include <string.h>

enum { COLUMNS_MAX = 20, SHOWN_BYTES = 60 };

/* A value that a column ought to have. */
struct expected {
    const char *text; /* NULL: the number, or NULL */
    int64_t number;
    bool is_number;
};

struct comparison {
    struct journal *journal;
    uint64_t run;
    journal_complaint *complain;
    void *context;
};

static struct expected text_of(const char *text)
{
    return (struct expected){.text = text};
}

static struct expected number_of(int64_t number)
{
    return (struct expected){.number = number, .is_number = true};
}

/* In the order of QUERY_RUN_ROW's columns. */
static void expect_run(const struct run_row *row, struct expected values[COLUMNS_MAX])
{
    const char *const texts[] = {row->key, row->pipeline, row->repository, row->ref, row->commit_id, row->author, row->title, row->trigger,
        row->state, row->reason, row->message, row->waiting_for, row->plan};
    const int64_t numbers[] = {
        row->accepted_ms, row->started_ms, row->ended_ms, (int64_t)row->step_count, (int64_t)row->steps_done, (int64_t)row->steps_failed};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        values[i] = text_of(texts[i]);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        values[COUNT_OF(texts) + i] = number_of(numbers[i]);
}

/* In the order of QUERY_STEP_ROWS' columns, behind the step. */
static void expect_step(const struct step_row *row, struct expected values[COLUMNS_MAX])
{
    const char *const texts[] = {row->path, row->type, row->title, row->state, row->reason, row->message, row->waiting_for, row->outputs};
    const int64_t numbers[] = {(int64_t)row->attempt, row->started_ms, row->ended_ms, row->until_ms, row->exit_code};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        values[i] = text_of(texts[i]);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        values[COUNT_OF(texts) + i] = number_of(numbers[i]);
}

static bool is_as_expected(sqlite3_stmt *statement, int column, const struct expected *expected)
{
    int type = sqlite3_column_type(statement, column);
    if (expected->is_number) return type == SQLITE_INTEGER && sqlite3_column_int64(statement, column) == expected->number;
    return text_equal((const char *)sqlite3_column_text(statement, column), expected->text);
}

/* Long texts are cut: where they differ is not told. */
static void add_value(struct text *out, const char *text)
{
    if (!text) return text_add(out, "nothing");
    bool is_long = strlen(text) > SHOWN_BYTES;
    text_add_format(out, "'%.*s%s'", SHOWN_BYTES, text, is_long ? "..." : "");
}

static void complain_of_column(
    const struct comparison *at, const char *table, const char *where, sqlite3_stmt *statement, int column, const struct expected *expected)
{
    struct text what = {0};
    text_add_format(&what, "%s%s is ", where, sqlite3_column_name(statement, column));
    add_value(&what, (const char *)sqlite3_column_text(statement, column));
    text_add(&what, " where the events say ");
    if (expected->is_number)
        text_add_format(&what, "'%lld'", (long long)expected->number);
    else
        add_value(&what, expected->text);
    at->complain(at->context, table, text_view(&what));
    text_release(&what);
}

static void compare_columns(
    const struct comparison *at, const char *table, const char *where, sqlite3_stmt *statement, int first, const struct expected *expected)
{
    for (int i = first; i < sqlite3_column_count(statement); i++)
        if (!is_as_expected(statement, i, &expected[i - first])) complain_of_column(at, table, where, statement, i, &expected[i - first]);
}

static int compare_run(const struct comparison *at, const struct run_row *row, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    struct expected expected[COLUMNS_MAX];
    int more = query_begin(at->journal, QUERY_RUN_ROW, &statement, err);
    if (more < 0) return more;
    sqlite3_bind_int64(statement, 1, (int64_t)at->run);
    more = query_next(at->journal, statement, err);
    if (more < 0) return more;
    if (more && !row) at->complain(at->context, "runs", "the run has a row, but no events");
    if (!more && row) at->complain(at->context, "runs", "the run has events, but no row");
    if (!more || !row) return 0;
    expect_run(row, expected);
    compare_columns(at, "runs", "", statement, 0, expected);
    return 0;
}

static void complain_of_step(const struct comparison *at, uint32_t step, const char *what)
{
    AUTO(free_text) char *line = mem_format("step %u %s", (unsigned)step, what);
    at->complain(at->context, "steps", line);
}

static void compare_step(const struct comparison *at, sqlite3_stmt *statement, const struct step_row *row)
{
    AUTO(free_text) char *where = mem_format("step %u (%s): ", (unsigned)row->step, row->path ? row->path : "?");
    struct expected expected[COLUMNS_MAX];
    expect_step(row, expected);
    compare_columns(at, "steps", where, statement, 1, expected);
}

/* Both lists are in the order of steps: whoever is ahead shows what the other lacks. */
static int compare_steps(const struct comparison *at, const struct step_row *steps, size_t count, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    size_t i = 0;
    int more = query_begin(at->journal, QUERY_STEP_ROWS, &statement, err);
    if (more < 0) return more;
    sqlite3_bind_int64(statement, 1, (int64_t)at->run);
    while ((more = query_next(at->journal, statement, err)) > 0) {
        uint32_t step = (uint32_t)sqlite3_column_int64(statement, 0);
        for (; i < count && steps[i].step < step; i++)
            complain_of_step(at, steps[i].step, "has events, but no row");
        if (i < count && steps[i].step == step)
            compare_step(at, statement, &steps[i++]);
        else
            complain_of_step(at, step, "has a row, but no events");
    }
    for (; more == 0 && i < count; i++)
        complain_of_step(at, steps[i].step, "has events, but no row");
    return more;
}

/* What the shim's last report was stands in no event, so that only its place can be checked. */
static int compare_shim(const struct comparison *at, bool has_events)
{
    if (!has_events && journal_shim_sequence(at->journal, at->run))
        at->complain(at->context, "shims", "the run's supervisor has a row, but the run has no events");
    return 0;
}

int journal_compare_rows(struct journal *journal, uint64_t run, const struct run_row *row, const struct step_row *steps, size_t step_count,
    journal_complaint *complain, void *context, struct error *err)
{
    struct comparison at = {journal, run, complain, context};
    int failed = compare_run(&at, row, err);
    if (!failed) failed = compare_steps(&at, steps, step_count, err);
    return failed ? failed : compare_shim(&at, row);
}
