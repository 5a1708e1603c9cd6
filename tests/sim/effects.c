/* effects.c: how a step's process has an effect on the world: as steps/effects_perform.c does it, one thing at a time. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAUSES_MAX = 5,
    SENDS_MAX = 6,
    LIFE_MS = REQUEST_LIFE_MS + 20, /* what is waited: a peer that has a request may be busy for a moment */
};

static const char *name_of(const struct process *process)
{
    return process->of_undo ? "undo order" : "order";
}

/* --- what may be late, as steps/late_perform.c -----------------------------------------------------------------------------------------
 */

static bool is_told(const struct world *world, const struct process *process)
{
    return process->told_ms > 0 && process->told_ms <= world_clock(world);
}

/* By the clock: when what an earlier process sent cannot arrive any more. */
static int64_t over_ms(const struct process *process)
{
    return process->told_ms + SENDING_MS + LIFE_MS;
}

static int64_t life_left_ms(const struct world *world, const struct process *process)
{
    int64_t left = (process->sent_ms ? process->sent_ms : process->began_ms) + LIFE_MS - world->now_ms;
    int64_t told = over_ms(process) - world_clock(world);
    if (!process->sent_ms && is_told(world, process) && told < left) left = told;
    return left > 0 ? left : 0;
}

/* Here, or without a process. */
static void wait_for_life(struct world *world, struct process *process)
{
    char line[100];
    process->phase = PHASE_LIFE;
    process->next_ms = world->now_ms + life_left_ms(world, process);
    if (!is_told(world, process) || chance_percent(&world->chance, 50)) return;
    snprintf(line, sizeof line, "{\"type\":\"park\",\"for\":\"peer\",\"until\":%lld}", (long long)over_ms(process));
    shim_line(world, process, line);
    process_end(world, process, 75);
}

/* --- saying ----------------------------------------------------------------------------------------------------------------------------
 */

/* What holds a lease says so; what undoes it says that there is none any more. */
static void add_lease(const struct world *world, const struct process *process, char *text, size_t size)
{
    char lease[80] = "null";
    uint32_t step = process->step;
    if (size) *text = '\0';
    if (!size || !world->peer.shares[step].lends) return;
    if (!process->of_undo) snprintf(lease, sizeof lease, "{\"service\":\"%u\",\"ttl_ms\":%d,\"url\":\"u\"}", step, LEASE_MS);
    snprintf(text, size, ",\"service\":\"%u\",\"lease\":%s", step, lease);
}

void effect_intend(struct world *world, struct process *process, bool of_undo)
{
    char line[240], lease[120];
    process->of_undo = of_undo;
    add_lease(world, process, lease, sizeof lease);
    snprintf(line, sizeof line, "{\"type\":\"intend\",\"name\":\"%s\",\"target\":\"peer\",\"body\":\"%.20s\",\"expects\":{\"by\":1%s}%s}",
        name_of(process), world->plan->steps[process->step].path, lease, process->repeats ? ",\"again\":true" : "");
    shim_line(world, process, line);
    process->phase = PHASE_INTENDED;
    process->next_ms = INT64_MAX;
}

static void record(struct world *world, struct process *process, const char *seen, enum then then)
{
    char line[200], lease[120];
    add_lease(world, process, lease, strcmp(seen, "done") ? 0 : sizeof lease);
    snprintf(line, sizeof line, "{\"type\":\"outcome\",\"name\":\"%s\",\"seen\":\"%s\",\"outcome\":{\"id\":1%s}}", name_of(process), seen,
        strcmp(seen, "done") ? "" : lease);
    shim_line(world, process, line);
    process->phase = PHASE_TELLS;
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
    process->next_ms = world->now_ms + REQUEST_PATIENCE_MS;
}

static void ask_peer(struct world *world, struct process *process)
{
    process->request = peer_find(world, process);
    process->phase = PHASE_LOOKS;
    process->next_ms = world->now_ms + REQUEST_PATIENCE_MS;
}

void effect_look(struct world *world, struct process *process, enum look look)
{
    process->look = look;
    if (world->peer.kinds[process->step] == PEER_BLIND) return record(world, process, "unsure", look == LOOK_UNDO ? THEN_END : THEN_FAIL);
    ask_peer(world, process);
}

/* --- what was seen ---------------------------------------------------------------------------------------------------------------------
 */

static void pause(struct world *world, struct process *process)
{
    process->pauses++;
    process->was_found_absent = false;
    process->phase = PHASE_PAUSES;
    process->next_ms = world->now_ms + chance_below(&world->chance, 20);
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
    if (kind == PEER_FORGETS) return record(world, process, "unsure", process->look == LOOK_UNDO ? THEN_END : THEN_FAIL);
    if (kind == PEER_DEDUPES && will_send(process)) return repeat(world, process);
    if (life_left_ms(world, process) > 0) return wait_for_life(world, process);
    if (process->look == LOOK_UNDO) return record(world, process, "absent", THEN_END);
    bool may_go_on = will_send(process) && (process->look == LOOK_FAILED || !process->was_found_absent);
    enum then then = process->look == LOOK_ASKED ? THEN_INTEND : THEN_PAUSE;
    process->was_found_absent = true;
    record(world, process, "absent", may_go_on ? then : THEN_FAIL);
}

static void saw(struct world *world, struct process *process, enum reply reply)
{
    if (reply == REPLY_NOTHING) return saw_nothing(world, process);
    process->is_partial |= reply == REPLY_PARTIAL;
    record(world, process, "done", process->look == LOOK_UNDO && process->keeps ? THEN_END : THEN_GO_ON);
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
    case THEN_END: process->phase = PHASE_OVER; process->next_ms = world->now_ms;
    }
}

static void hear_intended(struct world *world, struct process *process, const char *type, const json_t *answer)
{
    if (!strcmp(type, "known") && !strcmp(json_text(answer, "seen", "done"), "failed")) return process_end(world, process, 1);
    if (!strcmp(type, "known")) return effect_went_well(world, process);
    bool is_told = !strcmp(type, "go") || !strcmp(type, "find");
    if (!is_told) return;
    snprintf(process->key, sizeof process->key, "%s", json_text(answer, "key", ""));
    if (!strcmp(type, "go")) return send(world, process);
    if (!process->sent_ms) process->told_ms = json_whole(answer, "sent", 0);
    process->sends = json_whole(answer, "sends", process->sends);
    effect_look(world, process, LOOK_ASKED);
}

/* One that is not waited for is passed over. */
void effect_hear_answer(struct world *world, struct process *process)
{
    AUTO(free_json) json_t *answer = json_loads(process->answers[0], 0, NULL);
    memmove(process->answers[0], process->answers[1], --process->answer_count * sizeof process->answers[0]);
    const char *type = json_text(answer, "type", ""), *name = json_text(answer, "name", "");
    if (process->phase == PHASE_INTENDED && !strcmp(name, name_of(process))) return hear_intended(world, process, type, answer);
    if (strcmp(type, "kept") != 0) return;
    if (process->phase == PHASE_TELLS && !strcmp(name, name_of(process))) return go_on(world, process);
    if (process->phase == PHASE_KEEPS && !*name) return tick_kept(world, process);
    if (process->phase == PHASE_CONFIRMS && !strcmp(name, "order")) {
        process->phase = PHASE_OVER;
        process->next_ms = world->now_ms;
    }
}
