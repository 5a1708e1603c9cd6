/* runs.h: several runs beside each other, some of them in one group: decided in turn, as the shell does. */
#ifndef TESTS_UNIT_STATE_RUNS_H
#define TESTS_UNIT_STATE_RUNS_H

#include "tests/unit/state/fixture.h"

enum { RUNS_MAX = 4 };

struct runs { /* beside each other, numbered from 1 */
    struct fixture items[RUNS_MAX];
    size_t count;
    int64_t now_ms;
};

static inline struct turn *look(const struct runs *runs, const struct fixture *self)
{
    uint32_t count = self->plan->claim_count;
    struct turn *turns = mem_alloc_array(count + 1, sizeof *turns);
    for (uint32_t i = 0; i < count; i++) {
        turn_begin(self->state, i, &turns[i]);
        for (size_t k = runs->count; k-- > 0;) /* the order in which they are met does not matter */
            turn_meet(&turns[i], runs->items[k].state);
    }
    return turns;
}

static inline bool decide_one(const struct runs *runs, struct fixture *self)
{
    struct turn *turns = look(runs, self);
    struct event_list events = {0};
    decide(self->state, &(struct decide_input){runs->now_ms, self->slots, false, turns}, &events);
    bool some = events.count > 0;
    fixture_fold(self, &events);
    free(turns);
    return some;
}

/* Until no run has anything to decide. */
static inline void decide_all(struct runs *runs)
{
    bool some = true;
    for (int rounds = 0; some; rounds++) {
        some = false;
        for (size_t i = 0; i < runs->count; i++)
            some |= decide_one(runs, &runs->items[i]);
        if (rounds > 1000) fail_msg("deciding does not come to an end");
    }
}

static inline struct fixture *add(struct runs *runs, const char *plan)
{
    struct fixture *self = &runs->items[runs->count++];
    *self = (struct fixture){.plan = make_plan(plan), .now_ms = runs->now_ms, .slots = 4};
    self->state = run_state_new(self->plan);
    fixture_event(self, EVENT_run_accepted, NO_STEP, json_pack("{s:I, s:s}", "number", (json_int_t)runs->count, "author", "ann"));
    decide_all(runs);
    fixture_forget(self);
    return self;
}

static inline void release(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        fixture_free(&runs->items[i]);
}

static inline void expect_message(const struct fixture *self, const char *path, const char *message)
{
    assert_string_equal(fixture_step(self, path)->message ? fixture_step(self, path)->message : "", message);
}

__attribute__((unused)) static const char plain[] = "stage s groups=lab\nstep a\n";

static inline void lent(struct fixture *self, const char *path, const char *outcome)
{
    struct error err;
    json_t *json;
    assert_int_equal(json_parse(outcome, strlen(outcome), "outcome", &json, &err), 0);
    uint32_t step = fixture_index(self, path);
    fixture_event(self, EVENT_effect_intended, step, json_pack("{s:s, s:s, s:s}", "name", "order", "key", path, "digest", "d"));
    fixture_event(self, EVENT_effect_sent, step, json_pack("{s:s}", "name", "order"));
    fixture_event(self, EVENT_effect_done, step, json_pack("{s:s, s:o}", "name", "order", "outcome", json));
}

#endif
