/* fuzz_settle_line.c: any lines from a step: refused with a message, or events that reduce accepts; `go` is said to a new
   effect, or to one that the peer did not have. A line that begins with 0x01 is the step's exit (its code follows) and the next start. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/state.h"
#include "tests/support/make_plan.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 0, NOW_MS = 1000, SLOTS = 4, ROUNDS_MAX = 1000 };

static void fold(struct run_state *state, struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        struct error err = {0};
        if (reduce(state, &events->items[i], &err)) abort(); /* decide and settle make only events that reduce accepts */
    }
    event_list_release(events);
}

static void decide_all(struct run_state *state)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct event_list events = {0};
        decide(state, &(struct decide_input){NOW_MS, SLOTS}, &events);
        if (!events.count) return;
        fold(state, &events);
    }
    abort(); /* it comes to an end */
}

static void report(struct run_state *state, struct report what)
{
    struct event_list events = {0};
    what.step = STEP;
    what.attempt = state->steps[STEP].attempt;
    what.time_ms = NOW_MS;
    settle(state, &what, &events);
    fold(state, &events);
    decide_all(state);
}

static void accept_run(struct run_state *state)
{
    struct event_list events = {0};
    event_list_add(&events, EVENT_run_accepted, NO_STEP, NOW_MS, json_pack("{s:i, s:s}", "number", 7, "author", "ann"));
    fold(state, &events);
    decide_all(state);
    report(state, (struct report){.type = REPORT_STARTED});
}

static const struct effect_state *find_effect(const struct run_state *state, const char *name)
{
    const struct effect_state *effect = state->steps[STEP].effects;
    while (effect && !text_equal(effect->name, name))
        effect = effect->next;
    return effect;
}

/* `go` is said once: when the effect is new, or when the peer did not have it. */
static void check_reply(const json_t *reply, enum effect_status before)
{
    const char *type = json_text(reply, "type", "");
    bool may_go = before == EFFECT_planned || before == EFFECT_abandoned;
    if (!*type || (strcmp(type, "go") == 0 && !may_go)) abort();
}

static void say(struct run_state *state, const char *line)
{
    struct event_list events = {0};
    AUTO(free_text) char *reply = NULL;
    AUTO(free_json) json_t *said = NULL, *answer = NULL;
    struct error err = {0}, unused = {0};
    int failed = json_parse(line, strlen(line), "line", &said, &unused);
    const struct effect_state *effect = failed ? NULL : find_effect(state, json_text(said, "name", NULL));
    enum effect_status before = effect ? effect->status : EFFECT_planned;
    if (settle_line(state, STEP, line, NOW_MS, &events, &reply, &err)) {
        if (!err.message[0] || reply) abort();
        event_list_release(&events);
        settle_fault(state, STEP, err.message, NOW_MS, &events);
        fold(state, &events);
        return;
    }
    if (reply && json_parse(reply, strlen(reply), "reply", &answer, &unused)) abort();
    if (reply) check_reply(answer, before);
    for (size_t i = 0; i < events.count; i++) {
        AUTO(free_text) char *told = narrate(state, &events.items[i], true);
    }
    fold(state, &events);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(free_made_plan) struct plan *plan = make_plan("stage s\nstep a effects outputs=o,p retry=3:0:failed\n");
    AUTO(run_state_free) struct run_state *state = run_state_new(plan);
    AUTO(free_text) char *text = mem_copy_bytes((const char *)bytes, size);
    accept_run(state);
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        if (*line != '\1') {
            say(state, line);
            continue;
        }
        report(state, (struct report){.type = REPORT_EXITED, .exit_code = line[1]});
        report(state, (struct report){.type = REPORT_STARTED});
    }
    json_decref(run_state_to_json(state));
    return 0;
}
