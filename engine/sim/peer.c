/* peer.c: the world outside. Requests and replies get lost, late, twice; the peer answers 500 after doing the work, refuses, does a part,
   forgets. It counts the deployments that it makes, and makes a second one for a key unless it is one that knows the first. */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A webhook is told the key, and has to tell the second from the first itself. */
static enum peer_kind kind_by_odds(const struct world *world, const struct plan_step *step)
{
    if (!strcmp(step->type, "notify")) return PEER_DEDUPES;
    return world->odds->kind == PEER_DEDUPES ? PEER_KEYED : world->odds->kind;
}

void peer_begin(struct world *world)
{
    world->peer.kinds = mem_alloc_array((size_t)world->plan->step_count + 1, sizeof *world->peer.kinds);
    for (uint32_t i = 0; i < world->plan->step_count; i++) {
        world->peer.kinds[i] = (enum peer_kind)chance_below(&world->chance, PEER_KIND_COUNT);
        if (world->odds) world->peer.kinds[i] = kind_by_odds(world, &world->plan->steps[i]);
    }
    share_begin(world);
}

void peer_release(struct world *world)
{
    free(world->peer.kinds);
    free(world->peer.shares);
    free(world->peer.requests);
    free(world->peer.orders);
    free(world->peer.placed);
}

/* --- what it was sent ------------------------------------------------------------------------------------------------------------------
 */

static struct placed *placed_by_key(const struct world *world, const char *key)
{
    for (size_t i = 0; i < world->peer.placed_count; i++)
        if (!strcmp(world->peer.placed[i].key, key)) return &world->peer.placed[i];
    return NULL;
}

static void tell_act(const struct world *world, enum act act, uint32_t step, uint32_t effect, bool of_undo)
{
    if (world->witness.act) world->witness.act(world->witness.context, world->now_ms, act, step, effect, of_undo);
}

static struct placed *placed_of(struct world *world, const struct process *process)
{
    struct peer *peer = &world->peer;
    struct placed *known = placed_by_key(world, process->key);
    if (known) return known;
    peer->placed = mem_grow(peer->placed, &peer->placed_capacity, peer->placed_count + 1, sizeof *peer->placed);
    struct placed *placed = &peer->placed[peer->placed_count++];
    *placed = (struct placed){.step = process->step, .effect = process->effect, .of_undo = process->of_undo};
    memcpy(placed->key, process->key, sizeof placed->key);
    return placed;
}

/* --- on the way ------------------------------------------------------------------------------------------------------------------------
 */

static void put(struct world *world, const struct request *request)
{
    struct peer *peer = &world->peer;
    peer->requests = mem_grow(peer->requests, &peer->request_capacity, peer->request_count + 1, sizeof *request);
    peer->requests[peer->request_count++] = *request;
}

static struct request request_of(struct world *world, const struct process *process, bool finds)
{
    struct request request = {.number = ++world->peer.number,
        .step = process->step,
        .attempt = process->attempt,
        .finds = finds,
        .of_undo = process->of_undo,
        .effect = process->effect,
        .arrives_ms = world->now_ms + world_soon(world, 5)};
    memcpy(request.key, process->key, sizeof request.key);
    memcpy(request.service, process->service, sizeof request.service);
    return request;
}

uint64_t peer_send(struct world *world, const struct process *process)
{
    struct request request = request_of(world, process, false);
    uint32_t step = process->step;
    placed_of(world, process)->sent++;
    tell_act(world, ACT_SENDS, step, process->effect, process->of_undo);
    if (fault_strikes(world, FAULT_request_lost, 4, step, process->of_undo)) return request.number;
    if (fault_strikes(world, FAULT_request_late, 14, step, process->of_undo))
        request.arrives_ms = world->now_ms + world_soon(world, REQUEST_LIFE_MS);
    put(world, &request);
    if (world->peer.kinds[step] == PEER_DEDUPES && fault_strikes(world, FAULT_request_twice, 6, step, process->of_undo)) {
        request.arrives_ms = world->now_ms + world_soon(world, REQUEST_LIFE_MS);
        put(world, &request);
    }
    return request.number;
}

uint64_t peer_find(struct world *world, const struct process *process)
{
    const struct request request = request_of(world, process, true);
    placed_of(world, process)->asked++;
    tell_act(world, ACT_ASKS, process->step, process->effect, process->of_undo);
    if (!fault_strikes(world, FAULT_find_fails, 4, process->step, process->of_undo)) put(world, &request);
    return request.number;
}

/* --- at the peer -----------------------------------------------------------------------------------------------------------------------
 */

static struct order *find(const struct world *world, const char *key)
{
    for (size_t i = 0; i < world->peer.order_count; i++)
        if (!strcmp(world->peer.orders[i].key, key)) return &world->peer.orders[i];
    return NULL;
}

const struct order *peer_order(const struct world *world, const char *key)
{
    return find(world, key);
}

static bool has_many_effects(const struct world *world, uint32_t step)
{
    return json_array_size(world->plan->steps[step].effects) > 1;
}

/* How long ago it was sent is told by the clock: when that has just leapt, it is sent again too early. Counted, not a fault. */
static bool is_excused(struct world *world)
{
    bool is_excused = world->leapt_ms && world->now_ms - world->leapt_ms <= (SENDING_MS + 2 * REQUEST_LIFE_MS) * world->pace;
    world->orphan_count += is_excused;
    return is_excused;
}

static void count_undone(struct world *world, uint32_t step)
{
    const char *path = world->plan->steps[step].path;
    if (world->by_hand[step]) return;
    if (world->undone[step] && is_excused(world)) return;
    if (++world->undone[step] > 1 && !has_many_effects(world, step)) world_fault(world, "%s was undone twice", path);
    if (!world->ordered[step]) world_fault(world, "%s was undone though nothing was ordered", path);
    world->undone_at[step] = ++world->undone_count;
    share_give_back(world, step);
}

/* How often a thing was ordered is told key by key: a step with several effects orders several. */
static void count_made(struct world *world, const struct request *request)
{
    struct placed *placed = placed_by_key(world, request->key);
    const char *path = world->plan->steps[request->step].path;
    bool is_again = placed && placed->made > 0;
    if (!request->of_undo && world->ordered[request->step] && is_again && is_excused(world)) return;
    if (placed) placed->made++;
    if (request->of_undo) {
        if (is_again && has_many_effects(world, request->step)) world_fault(world, "%s was undone twice", path);
        return count_undone(world, request->step);
    }
    world->ordered[request->step] = placed ? placed->made : world->ordered[request->step] + 1;
    if (world->ordered[request->step] > 1) world_fault(world, "%s was ordered twice", path);
}

static bool is_promotion(const struct world *world, uint32_t step, uint32_t effect)
{
    const json_t *planned = json_array_get(world->plan->steps[step].effects, effect);
    return json_is_true(json_object_get(planned, "pivot")) || !strcmp(json_text(planned, "name", ""), "back");
}

static struct order *deploy(struct world *world, const struct request *request)
{
    struct peer *peer = &world->peer;
    const char *path = world->plan->steps[request->step].path;
    peer->orders = mem_grow(peer->orders, &peer->order_capacity, peer->order_count + 1, sizeof *peer->orders);
    struct order *order = &peer->orders[peer->order_count++];
    *order = (struct order){.step = request->step, .of_undo = request->of_undo, .rests_ms = world->now_ms + world_soon(world, 20)};
    memcpy(order->key, request->key, sizeof order->key);
    world_say(world, "      peer: %s of %s", request->of_undo ? "the undoing" : "the order", path);
    tell_act(world, ACT_MAKES, request->step, request->effect, request->of_undo);
    count_made(world, request);
    if (world->odds && is_promotion(world, request->step, request->effect))
        share_end(world, request->service);
    else if (!request->of_undo)
        share_lend(world, request->step, request->service);
    return order;
}

/* For good: others with its key, if there are any under way, are refused as well. */
static enum reply refuse(struct world *world, const struct request *request)
{
    struct peer *peer = &world->peer;
    for (size_t i = peer->request_count; i-- > 0;)
        if (!peer->requests[i].is_reply && !peer->requests[i].finds && !strcmp(peer->requests[i].key, request->key))
            peer->requests[i] = peer->requests[--peer->request_count];
    return REPLY_REFUSED;
}

/* What it does about an order, and what it answers. */
static enum reply take_order(struct world *world, const struct request *request)
{
    const struct order *known = find(world, request->key);
    uint32_t step = request->step;
    bool of_undo = request->of_undo;
    if (known && world->peer.kinds[step] == PEER_DEDUPES) return known->is_partial ? REPLY_PARTIAL : REPLY_DONE;
    if (fault_strikes(world, FAULT_error_before, 4, step, of_undo)) return REPLY_ERROR;
    if (fault_strikes(world, FAULT_refused, 4, step, of_undo)) return refuse(world, request);
    struct order *order = deploy(world, request);
    if (fault_strikes(world, FAULT_error_after, 6, step, of_undo)) return REPLY_ERROR;
    order->is_partial = !of_undo && fault_strikes(world, FAULT_partial, 8, step, of_undo);
    return order->is_partial ? REPLY_PARTIAL : REPLY_DONE;
}

static struct process *waiting(const struct world *world, const struct request *request)
{
    struct process *process = shim_find(world, request->step, request->attempt);
    return process && process->state == PROCESS_LIVES && process->request == request->number ? process : NULL;
}

/* It forgets when somebody hears that: a question of one that died may come late. */
static enum reply look(struct world *world, const struct request *request)
{
    struct order *order = find(world, request->key);
    bool may_forget = order && world->peer.kinds[request->step] == PEER_FORGETS && !order->is_forgotten;
    if (may_forget && waiting(world, request))
        order->is_forgotten = fault_strikes(world, FAULT_forgotten, 20, request->step, request->of_undo);
    if (!order || order->is_forgotten) return REPLY_NOTHING;
    return order->is_partial ? REPLY_PARTIAL : REPLY_DONE;
}

bool peer_cancel(struct world *world, uint32_t step, const char *key)
{
    struct order *order = find(world, key);
    if (!order || order->rests_ms <= world->now_ms) return true;
    if (fault_strikes(world, FAULT_cancel_denied, 50, step, false)) return false;
    order->is_cancelled = true;
    order->rests_ms = world->now_ms;
    count_undone(world, step);
    return true;
}

void peer_note_settled(struct world *world, uint32_t step)
{
    if (world->undone[step]) return;
    world->undone[step] = 1;
    world->undone_at[step] = ++world->undone_count;
}

bool peer_is_at_rest(const struct world *world, uint32_t step)
{
    for (size_t i = 0; i < world->peer.request_count; i++)
        if (world->peer.requests[i].step == step) return false;
    return true;
}

void peer_take_back(struct world *world, uint32_t step)
{
    if (world->ordered[step] && !world->undone[step]) count_undone(world, step);
    world->by_hand[step] = true;
}

/* --- arrivals --------------------------------------------------------------------------------------------------------------------------
 */

static void answer(struct world *world, struct request request)
{
    uint32_t step = request.step;
    request.reply = request.finds ? look(world, &request) : take_order(world, &request);
    request.is_reply = true;
    request.arrives_ms = world->now_ms + world_soon(world, 5);
    if (!waiting(world, &request)) return;
    bool is_spared = request.finds || request.reply == REPLY_ERROR; /* what a scenario does to these is find_fails, error_after */
    if (world->odds && is_spared) return put(world, &request);
    if (fault_strikes(world, FAULT_reply_lost, 4, step, request.of_undo)) return;
    if (fault_strikes(world, FAULT_reply_late, 4, step, request.of_undo))
        request.arrives_ms = world->now_ms + world_soon(world, REQUEST_LIFE_MS);
    put(world, &request);
    if (fault_strikes(world, FAULT_reply_twice, 4, step, request.of_undo)) put(world, &request);
}

static void deliver(struct world *world, const struct request *request)
{
    struct process *process = waiting(world, request);
    if (process) effect_hear_reply(world, process, request->reply);
}

bool peer_step(struct world *world)
{
    struct peer *peer = &world->peer;
    size_t first = peer->request_count ? chance_below(&world->chance, (uint32_t)peer->request_count) : 0;
    for (size_t i = 0; i < peer->request_count; i++) {
        size_t at = (first + i) % peer->request_count;
        if (peer->requests[at].arrives_ms > world->now_ms) continue;
        const struct request request = peer->requests[at];
        peer->requests[at] = peer->requests[--peer->request_count];
        if (request.is_reply)
            deliver(world, &request);
        else
            answer(world, request);
        return true;
    }
    return false;
}

int64_t peer_next_ms(const struct world *world)
{
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < world->peer.request_count; i++)
        if (world->peer.requests[i].arrives_ms < soonest) soonest = world->peer.requests[i].arrives_ms;
    return soonest;
}
