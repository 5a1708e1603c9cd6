/* effects.c: how a step's process has an effect on the world: as steps/effects_perform.c does it, one thing at a time. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAUSES_MAX = 5,
    SENDS_MAX = 6,
    LIFE_MS = REQUEST_LIFE_MS + 20, /* what is waited: a peer that has a request may be busy for a moment */
};

/* Caller frees. */
static char *name_of(const struct world *world, const struct process *process)
{
    return mem_format("%s%s", process->of_undo ? "undo " : "", effect_name(world, process->step, process->effect));
}

static bool is_about(const struct world *world, const struct process *process, const json_t *answer)
{
    AUTO(free_text) char *name = name_of(world, process);
    return !strcmp(name, json_text(answer, "name", ""));
}

static void say(struct world *world, struct process *process, json_t *line)
{
    AUTO(free_text) char *text = json_canonical(line);
    shim_line(world, process, text);
    json_decref(line);
}

/* What is sent, as the plan has it; NULL: nothing worth telling. */
static json_t *body_of(const struct world *world, const struct process *process)
{
    const json_t *effect = json_array_get(world->plan->steps[process->step].effects, process->effect);
    json_t *body = process->of_undo ? NULL : json_object_get(effect, "body");
    return body ? json_incref(body) : json_pack("{s:s}", "for", world->plan->steps[process->step].path);
}

static const char *target_of(const struct world *world, const struct process *process)
{
    return json_text(json_array_get(world->plan->steps[process->step].effects, process->effect), "target", "peer");
}

/* --- what may be late, as steps/late_perform.c -----------------------------------------------------------------------------------------
 */

static bool is_told(const struct world *world, const struct process *process)
{
    return process->told_ms > 0 && process->told_ms <= world_clock(world);
}

/* By the clock: when what an earlier process sent cannot arrive any more. */
static int64_t over_ms(const struct world *world, const struct process *process)
{
    return process->told_ms + (SENDING_MS + LIFE_MS) * world->pace;
}

static int64_t life_left_ms(const struct world *world, const struct process *process)
{
    int64_t left = (process->sent_ms ? process->sent_ms : process->began_ms) + LIFE_MS * world->pace - world->now_ms;
    int64_t told = over_ms(world, process) - world_clock(world);
    if (!process->sent_ms && is_told(world, process) && told < left) left = told;
    return left > 0 ? left : 0;
}

/* Here, or without a process. */
static void wait_for_life(struct world *world, struct process *process)
{
    process->phase = PHASE_LIFE;
    process->next_ms = world->now_ms + life_left_ms(world, process);
    if (!is_told(world, process) || chance_percent(&world->chance, 50)) return;
    say(world, process, json_pack("{s:s, s:s, s:I}", "type", "park", "for", "peer", "until", (json_int_t)over_ms(world, process)));
    process_end(world, process, 75);
}

/* --- saying ----------------------------------------------------------------------------------------------------------------------------
 */

/* A promotion, or a share taken back, ends what the service was lent, whichever step did that. */
static bool ends_lease(const struct world *world, const struct process *process)
{
    const json_t *effect = json_array_get(world->plan->steps[process->step].effects, process->effect);
    bool is_final = json_is_true(json_object_get(effect, "pivot")) || !strcmp(json_text(effect, "name", ""), "back");
    return world->odds && *process->service && (is_final || process->of_undo);
}

/* What holds a lease says so; what undoes it says that there is none any more. */
static void add_lease(const struct world *world, const struct process *process, json_t *outcome)
{
    const struct share *share = &world->peer.shares[process->step];
    if (!share->lends && !ends_lease(world, process)) return;
    bool has_none = process->of_undo || ends_lease(world, process);
    json_put_text(outcome, "service", process->service);
    json_put(outcome, "lease",
        has_none ? json_null()
                 : json_pack("{s:s, s:I, s:s}", "service", process->service, "ttl_ms", LEASE_MS * (json_int_t)world->pace, "url", "u"));
}

static json_t *outcome_of(const struct world *world, const struct process *process)
{
    json_t *outcome = json_pack("{s:i}", "id", 1);
    AUTO(free_text) char *order = mem_format("order-%u-%u", process->step + 1, process->effect + 1);
    if (world->odds) json_put_text(outcome, "order", order);
    if (world->odds && *process->service) json_put_text(outcome, "service", process->service);
    add_lease(world, process, outcome);
    return outcome;
}

/* What its outcome will say besides the order, so that a person's word can stand for it. */
static json_t *expected_of(const struct world *world, const struct process *process)
{
    json_t *expects = json_pack("{s:i}", "by", 1);
    if (world->odds && *process->service) json_put_text(expects, "service", process->service);
    add_lease(world, process, expects);
    return expects;
}

void effect_intend(struct world *world, struct process *process, bool of_undo)
{
    process->of_undo = of_undo;
    AUTO(free_text) char *name = name_of(world, process);
    json_t *line = json_pack("{s:s, s:s, s:s, s:o, s:o}", "type", "intend", "name", name, "target", target_of(world, process), "body",
        body_of(world, process), "expects", expected_of(world, process));
    if (process->repeats) json_put_flag(line, "again", true);
    say(world, process, line);
    process->phase = PHASE_INTENDED;
    process->next_ms = INT64_MAX;
}

static void record(struct world *world, struct process *process, const char *seen, enum then then)
{
    AUTO(free_text) char *name = name_of(world, process);
    json_t *outcome = strcmp(seen, "done") ? json_pack("{s:i}", "id", 1) : outcome_of(world, process);
    say(world, process, json_pack("{s:s, s:s, s:s, s:o}", "type", "outcome", "name", name, "seen", seen, "outcome", outcome));
    process->phase = PHASE_TELLS;
    process->is_unsure = !strcmp(seen, "unsure");
    process->then = then;
    process->next_ms = INT64_MAX;
}

static void send(struct world *world, struct process *process)
{
    process->told_ms = world_clock(world);
    process->sent_ms = world->now_ms;
    process->sends++;
    process->repeats = false;
    process->request = peer_send(world, process);
    process->phase = PHASE_SENDS;
    process->next_ms = world->now_ms + REQUEST_PATIENCE_MS * world->pace;
}

static void ask_peer(struct world *world, struct process *process)
{
    process->request = peer_find(world, process);
    process->phase = PHASE_LOOKS;
    process->next_ms = world->now_ms + REQUEST_PATIENCE_MS * world->pace;
}

void effect_look(struct world *world, struct process *process, enum look look)
{
    process->look = look;
    if (process->adopts && world->peer.kinds[process->step] == PEER_BLIND) return record(world, process, "done", THEN_GO_ON);
    if (world->peer.kinds[process->step] == PEER_BLIND) return record(world, process, "unsure", look == LOOK_UNDO ? THEN_END : THEN_FAIL);
    ask_peer(world, process);
}

void effect_begin(struct process *process)
{
    process->repeats = process->adopts = false;
    process->sent_ms = process->told_ms = process->sends = 0;
    process->pauses = 0;
}

/* --- what was seen ---------------------------------------------------------------------------------------------------------------------
 */

static void pause(struct world *world, struct process *process)
{
    process->pauses++;
    process->phase = PHASE_PAUSES;
    process->next_ms = world->now_ms + world_soon(world, 20);
}

/* It is sent again at once, and stays open meanwhile. */
static void repeat(struct world *world, struct process *process)
{
    process->repeats = true;
    if (process->look == LOOK_FAILED) return pause(world, process);
    effect_intend(world, process, process->of_undo);
}

static bool will_send(const struct process *process)
{
    if (process->look == LOOK_UNDO) return false;
    return process->sends < SENDS_MAX && (process->look == LOOK_ASKED || process->pauses < PAUSES_MAX);
}

static void saw_nothing(struct world *world, struct process *process)
{
    enum peer_kind kind = world->peer.kinds[process->step];
    if (process->adopts && kind == PEER_FORGETS) return record(world, process, "done", THEN_GO_ON);
    if (kind == PEER_FORGETS) return record(world, process, "unsure", process->look == LOOK_UNDO ? THEN_END : THEN_FAIL);
    if (kind == PEER_DEDUPES && will_send(process)) return repeat(world, process);
    if (life_left_ms(world, process) > 0) return wait_for_life(world, process);
    if (process->look == LOOK_UNDO) return record(world, process, "absent", THEN_END);
    enum then then = process->look == LOOK_ASKED ? THEN_INTEND : THEN_PAUSE;
    record(world, process, "absent", will_send(process) ? then : THEN_FAIL);
}

static void saw(struct world *world, struct process *process, enum reply reply)
{
    if (reply == REPLY_NOTHING) return saw_nothing(world, process);
    process->is_partial |= reply == REPLY_PARTIAL;
    record(world, process, "done", process->look == LOOK_UNDO && process->undoings[process->at_undoing].keeps ? THEN_END : THEN_GO_ON);
}

static void hear_sent(struct world *world, struct process *process, enum reply reply)
{
    if (reply == REPLY_ERROR) return effect_look(world, process, LOOK_FAILED);
    if (reply == REPLY_REFUSED) return record(world, process, "failed", THEN_FAIL);
    process->is_partial |= reply == REPLY_PARTIAL;
    record(world, process, "done", THEN_GO_ON);
}

void effect_hear_reply(struct world *world, struct process *process, enum reply reply)
{
    process->request = 0;
    if (process->phase == PHASE_SENDS) return hear_sent(world, process, reply);
    if (process->phase == PHASE_LOOKS) saw(world, process, reply);
}

void effect_time_out(struct world *world, struct process *process)
{
    process->request = 0;
    switch ((int)process->phase) {
    case PHASE_SENDS: return effect_look(world, process, LOOK_FAILED);
    case PHASE_LOOKS: return process_end(world, process, 1); /* what became of it stays open */
    case PHASE_LIFE: return ask_peer(world, process);
    case PHASE_PAUSES: return effect_intend(world, process, process->of_undo);
    default: return;
    }
}

/* --- what the engine answers -----------------------------------------------------------------------------------------------------------
 */

static void go_on(struct world *world, struct process *process)
{
    switch (process->then) {
    case THEN_GO_ON: return effect_went_well(world, process);
    case THEN_INTEND: return effect_intend(world, process, process->of_undo);
    case THEN_PAUSE: return pause(world, process);
    case THEN_FAIL: return process_end(world, process, 1);
    case THEN_END: return undone_one(world, process);
    }
}

static void hear_intended(struct world *world, struct process *process, const char *type, const json_t *answer)
{
    if (!strcmp(type, "known") && !strcmp(json_text(answer, "seen", "done"), "failed")) return process_end(world, process, 1);
    if (!strcmp(type, "known")) return effect_went_well(world, process);
    bool is_told = !strcmp(type, "go") || !strcmp(type, "find");
    if (!is_told) return;
    snprintf(process->key, sizeof process->key, "%s", json_text(answer, "key", ""));
    process->adopts = world->odds && json_text(answer, "adopt", NULL);
    if (!strcmp(type, "go")) return send(world, process);
    if (!process->sent_ms) process->told_ms = json_whole(answer, "sent", 0);
    process->sends = json_whole(answer, "sends", process->sends);
    effect_look(world, process, LOOK_ASKED);
}

static json_t *take_answer(struct process *process)
{
    AUTO(free_text) char *line = process->answers[0];
    memmove(process->answers, process->answers + 1, --process->answer_count * sizeof process->answers[0]);
    return json_loads(line, 0, NULL);
}

/* One that is not waited for is passed over. */
void effect_hear_answer(struct world *world, struct process *process)
{
    AUTO(free_json) json_t *answer = take_answer(process);
    const char *type = json_text(answer, "type", ""), *name = json_text(answer, "name", "");
    if (process->phase == PHASE_INTENDED && is_about(world, process, answer)) return hear_intended(world, process, type, answer);
    if (strcmp(type, "kept") != 0) return;
    bool is_of_now = process->phase == PHASE_TELLS && process->is_unsure;
    if (!is_of_now && !strcmp(json_text(answer, "seen", ""), "unsure")) return; /* as step_ask_kept */
    if (process->phase == PHASE_TELLS && is_about(world, process, answer)) return go_on(world, process);
    if (process->phase == PHASE_KEEPS && !*name)
        return is_judge(world, process->step) ? tick_kept(world, process) : canary_kept(world, process);
    if (process->phase == PHASE_CONFIRMS && !strcmp(name, effect_name(world, process->step, process->effect))) undone_one(world, process);
}
