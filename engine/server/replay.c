/* replay.c: `crescendo replay RUN`: decides a run once more, and computes its canaries' evidence again. */
#include "server/offline.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/past.h"
#include "state/replay.h"
#include "server/filter.h"
#include "server/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVIDENCE_LIMIT_BYTES = 256 * 1024 * 1024 };

struct telling {
    const struct offline *offline;
    struct past *past;
    struct event_list events;
    json_t *answer; /* what --json prints */
    bool same;
};

static int keep_event(void *context, struct past *past, const struct event *event, struct error *err)
{
    struct telling *telling = context;
    (void)past, (void)err;
    event_list_add(&telling->events, event->type, event->step, event->time_ms, json_incref(event->data));
    return 0;
}

/* --- the decisions --- */

static void print_difference(const struct telling *telling, const struct replay_result *result)
{
    const struct event *event = &telling->events.items[result->at];
    AUTO(free_text) char *recorded = event->data ? json_canonical(event->data) : mem_copy_text("");
    AUTO(free_text) char *decided = json_canonical(result->decisions);
    const char *path = event->step < telling->past->plan->step_count ? telling->past->plan->steps[event->step].path : "";
    offline_print("event %zu differs", result->at + 1);
    offline_print("  on record: %s %s %s", event_type_name(event->type), path, recorded);
    offline_print("  now:       %s", json_array_size(result->decisions) ? decided : "nothing is decided or settled that would make it");
}

static void tell_decisions(struct telling *telling, struct replay_result *result)
{
    size_t decisions = result->decided + result->settled;
    AUTO(free_json) json_t *decided = take(&result->decisions);
    telling->same &= result->same;
    if (!telling->offline->json) {
        result->decisions = decided;
        if (result->same)
            offline_print(
                "run %llu: %zu events, %zu decisions: the same", (unsigned long long)telling->past->run, telling->events.count, decisions);
        else
            print_difference(telling, result);
        result->decisions = NULL;
        return;
    }
    json_t *answer = telling->answer;
    json_put_whole(answer, "run", (int64_t)telling->past->run);
    json_put_whole(answer, "events", (int64_t)telling->events.count);
    json_put_whole(answer, "decided", (int64_t)result->decided);
    json_put_whole(answer, "settled", (int64_t)result->settled);
    json_put_whole(answer, "taken", (int64_t)result->taken);
    json_object_set_new(answer, "same", json_boolean(result->same));
    if (result->same) return;
    json_put_whole(answer, "differs_at", (int64_t)result->at + 1);
    json_put(answer, "now", json_incref(decided));
}

static int replay_run_decisions(struct telling *telling, struct error *err)
{
    struct replay_result result;
    const struct replay replay = {telling->past->plan, telling->events.items, telling->events.count};
    int failed = replay_decisions(&replay, &result, err);
    if (!failed) tell_decisions(telling, &result);
    return failed;
}

/* --- the evidence --- */

/* A step's checkpoints that hold evidence, in their order. */
static json_t *evidence_of(const struct telling *telling, uint32_t step)
{
    json_t *list = json_array();
    for (size_t i = 0; i < telling->events.count; i++) {
        const struct event *event = &telling->events.items[i];
        json_t *checkpoint = json_object_get(event->data, "checkpoint");
        bool may = event->step == step && (event->type == EVENT_step_checkpoint || event->type == EVENT_step_parked);
        if (may && json_is_integer(json_object_get(checkpoint, "evidence"))) json_array_append(list, checkpoint);
    }
    return list;
}

static void tell_evidence(struct telling *telling, uint32_t step, size_t checkpoints, bool same)
{
    const char *path = telling->past->plan->steps[step].path;
    telling->same &= same;
    if (!telling->offline->json) {
        offline_print(
            "%s: evidence of %zu checkpoints computed again: %s", path, checkpoints, same ? "the same to the last bit" : "it differs");
        if (!same) offline_print("  `crescendo evidence %llu --replay` says where", (unsigned long long)telling->past->run);
        return;
    }
    if (!json_object_get(telling->answer, "evidence")) json_put(telling->answer, "evidence", json_array());
    json_array_append_new(json_object_get(telling->answer, "evidence"),
        json_pack("{s:s, s:I, s:b}", "step", path, "checkpoints", (json_int_t)checkpoints, "same", (int)same));
}

static int replay_evidence(struct telling *telling, uint32_t step, struct error *err)
{
    AUTO(free_json) json_t *evidence = evidence_of(telling, step);
    AUTO(free_text) char *program = NULL;
    AUTO(free_text) char *output = NULL;
    if (!json_array_size(evidence)) return 0;
    AUTO(free_text) char *input = json_canonical(evidence);
    int failed = host_find_program("crescendo-step", &program, err);
    const char *const argv[] = {program, "kpi", "--replay", NULL};
    if (!failed) failed = filter_run(argv, input, EVIDENCE_LIMIT_BYTES, &output, err);
    if (failed) return failed;
    output[strcspn(output, "\n")] = '\0';
    tell_evidence(telling, step, json_array_size(evidence), strcmp(input, output) == 0);
    return 0;
}

/* --- all of it --- */

static int replay_all(struct telling *telling, struct journal *journal, uint64_t run, struct error *err)
{
    const struct past_walk walk = {.after = keep_event, .context = telling};
    int failed = past_read(journal, run, &walk, &telling->past, err);
    if (failed) return error_wrap(err, "run %llu", (unsigned long long)run);
    if (!telling->past) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no run %llu", (unsigned long long)run);
        return error_hint(err, "`crescendo runs` lists them; an order is replayed with the core's --data, DATA/core");
    }
    failed = replay_run_decisions(telling, err);
    for (uint32_t step = 0; step < telling->past->plan->step_count && !failed; step++)
        failed = replay_evidence(telling, step, err);
    return failed;
}

int replay_run(const struct offline *offline, struct error *err)
{
    int64_t run = 0;
    AUTO(journal_close) struct journal *journal = NULL;
    struct telling telling = {.offline = offline, .answer = json_object(), .same = true};
    int failed = text_to_integer(offline->word, &run) && run > 0
                     ? 0
                     : error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no run: it is a number", offline->word);
    if (!failed) failed = journal_open_to_read(offline->data, &journal, err);
    if (!failed) failed = replay_all(&telling, journal, (uint64_t)run, err);
    if (!failed && offline->json) {
        json_dumpf(telling.answer, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    }
    json_decref(telling.answer);
    event_list_release(&telling.events);
    past_free(&telling.past);
    return failed ? failed : !telling.same;
}
