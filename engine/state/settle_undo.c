/* settle_undo.c: a report about a step that compensates → events. Its process ends well only when all is undone; whatever else
   happens is tried again, a bounded number of times, since the keys say what was done already. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    TRIES_MAX = 6,   /* with pauses of 1, 2, 4, 8 and 16 s between them */
    LOSSES_MAX = 20, /* supervisors lost meanwhile */
    PARKS_MAX = 100, /* pauses of its own: so long may it wait for its peer */
    FIRST_PAUSE_MS = 1000,
};

struct undoing {
    const struct run_state *state;
    const struct report *report;
    const struct step_state *step;
    struct event_list *list;
};

static void add(const struct undoing *undoing, enum event_type type, json_t *data)
{
    event_list_add(undoing->list, type, undoing->report->step, undoing->report->time_ms, data);
}

/* What the peer refused to undo: asking again is in vain, since its answer is on record. Effects of the plan that failed are another
 * matter. */
static const struct effect_state *find_refused(const struct undoing *undoing)
{
    const struct plan_step *plan = &undoing->state->plan->steps[undoing->report->step];
    for (const struct effect_state *effect = undoing->step->effects; effect; effect = effect->next)
        if (effect->status == EFFECT_failed && !effect_planned(plan, effect->name)) return effect;
    return NULL;
}

static void give_up(const struct undoing *undoing, const char *message)
{
    const struct effect_state *refused = find_refused(undoing);
    const char *why = refused ? json_text(refused->outcome, "message", NULL) : NULL;
    AUTO(free_text) char *words = why ? mem_format("%s was refused: %s", refused->name, why) : mem_copy_text(message);
    json_t *data = json_object();
    json_put_text(data, "message", words);
    add(undoing, EVENT_step_compensation_failed, data);
}

static void fail(const struct undoing *undoing, const char *message)
{
    const struct step_state *step = undoing->step;
    if (step->undo_tries + 1 >= TRIES_MAX || find_refused(undoing)) return give_up(undoing, message);
    json_t *data = json_object();
    json_put_text(data, "message", message);
    json_put_whole(data, "attempt", step->attempt);
    json_put_whole(data, "until", undoing->report->time_ms + ((int64_t)FIRST_PAUSE_MS << step->undo_tries));
    add(undoing, EVENT_step_compensation_paused, data);
}

/* Nobody's fault, so it costs no try; but a step that takes its supervisor with it each time is given up too. */
static void lose(const struct undoing *undoing, const char *message)
{
    if (undoing->step->losses + 1 >= LOSSES_MAX) return give_up(undoing, message);
    json_t *data = json_object();
    json_put_text(data, "message", message);
    json_put_whole(data, "attempt", undoing->step->attempt);
    json_put_whole(data, "until", undoing->report->time_ms);
    json_put_flag(data, "lost", true);
    add(undoing, EVENT_step_compensation_paused, data);
}

/* It waits for its peer, and costs no try. */
static void pause(const struct undoing *undoing)
{
    const struct step_state *step = undoing->step;
    if (step->undo_parks + 1 >= PARKS_MAX) return fail(undoing, "it paused again and again");
    json_t *data = json_object();
    json_put_text(data, "message", step->park_wait == WAIT_peer ? "it waits for another system" : "it waits for a time");
    json_put_whole(data, "attempt", step->attempt);
    json_put_whole(data, "until", step->park_until_ms);
    json_put_flag(data, "parked", true);
    add(undoing, EVENT_step_compensation_paused, data);
}

/* One that stays unknown was asked for, and nobody can tell. */
static const char *effect_left(const struct undoing *undoing)
{
    for (const struct effect_state *effect = undoing->step->effects; effect; effect = effect->next)
        if (!effect_is_unknown(effect) && undo_is_due(undoing->state, undoing->report->step, effect)) return effect->name;
    return NULL;
}

static void settle_exited(const struct undoing *undoing)
{
    const struct report *report = undoing->report;
    const char *left = effect_left(undoing);
    if (undoing->step->ending) return fail(undoing, undoing->step->message);
    if (report->cause == CAUSE_EXIT && report->exit_code == EXIT_PARKED && undoing->step->parks) return pause(undoing);
    if (report->cause != CAUSE_EXIT || report->exit_code != 0) {
        struct text message = {0};
        describe_end(report, &undoing->state->plan->steps[report->step], undoing->step->fault, &message);
        fail(undoing, text_view(&message));
        text_release(&message);
        return;
    }
    if (!left) return add(undoing, EVENT_step_compensated, NULL);
    AUTO(free_text) char *message = mem_format("it ended well without saying that %s is undone", left);
    fail(undoing, message);
}

void settle_undo(const struct run_state *state, const struct report *report, struct event_list *list)
{
    struct undoing undoing = {.state = state, .report = report, .step = &state->steps[report->step], .list = list};
    if (!undoing.step->undoing || undoing.step->attempt != report->attempt) return;
    switch (report->type) {
    case REPORT_STARTED: return;
    case REPORT_EXITED: return settle_exited(&undoing);
    case REPORT_DROPPED: return lose(&undoing, "it was dropped before it was started");
    case REPORT_LOST: return lose(&undoing, "its supervisor died");
    case REPORT_REFUSED: return fail(&undoing, report->message && *report->message ? report->message : "it could not be started");
    }
}
