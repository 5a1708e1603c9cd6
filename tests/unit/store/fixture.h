/* fixture.h: a data folder, a loop and a journal for a test, and short ways to append to it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/journal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct note { /* the context of a committed callback */
    struct fixture *fixture;
    uint64_t number;
};

struct fixture {
    uv_loop_t loop;
    char folder[64];
    struct journal *journal;
    int failures; /* calls of `failed` */
    struct error failure;
    size_t answered;      /* calls of `committed` */
    uint64_t order[8192]; /* the numbers that they came with */
    struct note notes[8192];
    size_t note_count;
};

static inline void fixture_failed(void *context, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->failures++;
    fixture->failure = *err;
}

static inline void fixture_open(struct fixture *fixture)
{
    struct error err = {0};
    struct journal_options options = {.folder = fixture->folder, .redo_delay_ms = 1, .failed = fixture_failed, .context = fixture};
    if (journal_open(&fixture->loop, &options, &fixture->journal, &err)) fail_msg("%s (%s)", err.message, err.hint);
}

static inline void fixture_close(struct fixture *fixture)
{
    journal_close(&fixture->journal);
    uv_run(&fixture->loop, UV_RUN_DEFAULT); /* lets the closed handle go */
}

static inline void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

/* A folder and a loop, without a journal. */
static inline void fixture_prepare(struct fixture *fixture)
{
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/crescendo-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
}

static inline int fixture_begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture_prepare(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static inline int fixture_end(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    if (fixture->journal) fixture_close(fixture);
    int left = uv_loop_close(&fixture->loop);
    int kept = file_remove_tree(fixture->folder, &err);
    free(fixture);
    return left || kept ? -1 : 0;
}

/* Runs the loop until nothing is unanswered. */
static inline void fixture_settle(struct fixture *fixture)
{
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static inline void fixture_committed(void *context)
{
    const struct note *note = context;
    note->fixture->order[note->fixture->answered++] = note->number;
}

static inline struct note *note_new(struct fixture *fixture, uint64_t number)
{
    assert_true(fixture->note_count < COUNT_OF(fixture->notes));
    struct note *note = &fixture->notes[fixture->note_count++];
    *note = (struct note){fixture, number};
    return note;
}

/* One event, answered with its seq in fixture->order. */
static inline void append_event(struct fixture *fixture, uint64_t run, uint64_t seq, bool durable, const char *data)
{
    struct journal_event event = {
        .run = run, .seq = seq, .time_ms = 1000 + (int64_t)seq, .type = "step_progress", .step = 3, .durable = durable, .data = data};
    journal_append(
        fixture->journal, &(struct journal_batch){.events = &event, .event_count = 1}, fixture_committed, note_new(fixture, seq));
}

static inline struct run_row run_row_of(uint64_t run, const char *key, const char *repository, const char *pipeline, const char *state)
{
    return (struct run_row){.run = run, .key = key, .repository = repository, .pipeline = pipeline, .state = state, .accepted_ms = 5};
}

static inline void append_run(struct fixture *fixture, struct run_row row)
{
    journal_append(fixture->journal, &(struct journal_batch){.run = &row}, NULL, NULL);
}

static inline void append_step(struct fixture *fixture, struct step_row row)
{
    journal_append(fixture->journal, &(struct journal_batch){.steps = &row, .step_count = 1}, NULL, NULL);
}

/* Durable; answered with the number of documents in fixture->order. */
static inline void append_documents(struct fixture *fixture, const struct document *documents, size_t count)
{
    struct journal_batch batch = {.documents = documents, .document_count = count, .durable = true};
    journal_append(fixture->journal, &batch, fixture_committed, note_new(fixture, count));
}

#endif
