/* past.c: a run's events, folded in their order. */
#include "run/past.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct journal *journal;
    uint64_t run;
    const struct past_walk *walk;
    struct past *past;
    struct error err;
    bool failed;
};

static int read_plan(const struct reading *reading, const json_t *accepted, struct plan **ret, struct error *err)
{
    AUTO(free_json) json_t *json = NULL;
    AUTO(free_text) char *text = NULL;
    size_t size;
    const char *digest = json_text(accepted, "plan", NULL);
    if (!digest) { /* its file was wrong or missing */
        *ret = plan_empty(json_text(accepted, "pipeline", "pipeline"));
        return 0;
    }
    int failed = journal_get_blob(reading->journal, digest, &text, &size, err);
    if (!failed) failed = json_parse_stored(text, size, "the stored plan", &json, err);
    if (!failed) failed = plan_from_stored(json, digest, ret, err);
    return failed ? error_wrap(err, "the plan") : 0;
}

static int begin(struct reading *reading, const json_t *data, struct error *err)
{
    struct plan *plan = NULL;
    int failed = read_plan(reading, data, &plan, err);
    if (failed) return failed;
    struct past *past = mem_alloc(sizeof *past);
    *past = (struct past){.run = reading->run, .plan = plan, .state = run_state_new(plan), .accepted = json_incref((json_t *)data)};
    past->touched = mem_alloc_array(plan->step_count, sizeof *past->touched);
    reading->past = past;
    return 0;
}

static int fold(struct reading *reading, const struct event *event, struct error *err)
{
    struct past *past = reading->past;
    bool of_step = event->step < past->plan->step_count;
    enum step_status before = of_step ? past->state->steps[event->step].status : STEP_pending;
    if (reading->walk->before) reading->walk->before(reading->walk->context, past, event);
    int failed = reduce(past->state, event, err);
    if (failed) return failed;
    if (of_step) past->touched[event->step] = true;
    if (of_step) step_counts_move(&past->counts, before, past->state->steps[event->step].status);
    past->event_count++;
    past->event_ms = event->time_ms;
    return reading->walk->after ? reading->walk->after(reading->walk->context, past, event, err) : 0;
}

static int read_event(struct reading *reading, const struct journal_row *row, struct error *err)
{
    AUTO(free_json) json_t *data = NULL;
    int type = event_type_from_name(row->type), failed = 0;
    if (type < 0) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "this version does not know it");
        return error_hint(err, "use the version that wrote it, or a newer one");
    }
    if (row->data) failed = json_parse_stored(row->data, strlen(row->data), "its data", &data, err);
    if (!failed && !reading->past) failed = begin(reading, data, err);
    struct event event = {.type = (enum event_type)type, .step = row->step, .time_ms = row->time_ms, .data = data};
    return failed ? failed : fold(reading, &event, err);
}

static int on_row(void *context, const struct journal_row *row)
{
    struct reading *reading = context;
    reading->failed = read_event(reading, row, &reading->err) < 0;
    if (reading->failed) error_wrap(&reading->err, "event %llu (%.40s)", (unsigned long long)row->seq, row->type);
    return reading->failed;
}

int past_read(struct journal *journal, uint64_t run, const struct past_walk *walk, struct past **ret_past, struct error *err)
{
    static const struct past_walk alone = {0};
    struct reading reading = {.journal = journal, .run = run, .walk = walk ? walk : &alone};
    int failed = journal_read(journal, run, 0, 0, on_row, &reading, err);
    if (!failed && reading.failed) {
        *err = reading.err;
        failed = -(int)err->code;
    }
    if (failed)
        past_free(&reading.past);
    else
        *ret_past = reading.past;
    return failed;
}

void past_free(struct past **place)
{
    struct past *past = take(place);
    if (!past) return;
    run_state_free(&past->state);
    plan_free(&past->plan);
    json_decref(past->accepted);
    free(past->touched);
    free(past);
}

struct projected past_projected(const struct past *past)
{
    return (struct projected){
        .run = past->run, .plan = past->plan, .state = past->state, .accepted = past->accepted, .counts = past->counts};
}
