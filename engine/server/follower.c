/* follower.c: one run's events in order, with the state that they fold to. */
#include "server/follower.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct follower {
    struct engine *engine;
    uint64_t run, after;
    struct plan *plan;
    struct run_state *state;
    void (*each)(void *context, const struct event *event);
    void *context;
    struct error err;
    bool failed;
};

/* The plan of a run that had nothing to plan. */
static struct plan *empty_plan(const char *name)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    plan->arena = arena_new();
    plan->name = arena_copy_text(plan->arena, name);
    plan->params = arena_own_json(plan->arena, json_object());
    plan->includes = arena_own_json(plan->arena, json_array());
    plan->outputs = arena_own_json(plan->arena, json_object());
    return plan;
}

static int read_plan(struct engine *engine, uint64_t run, struct plan **ret, struct error *err)
{
    AUTO(free_json) json_t *row = NULL;
    int code = journal_get_run(engine_journal(engine), run, &row, err);
    if (code < 0) return code;
    if (json_text(row, "plan", NULL)) return engine_read_plan(engine, run, ret, err);
    *ret = empty_plan(json_text(row, "pipeline", "pipeline"));
    return 0;
}

int follower_open(struct engine *engine, uint64_t run, struct follower **ret, struct error *err)
{
    struct plan *plan = NULL;
    int code = read_plan(engine, run, &plan, err);
    if (code < 0) return code;
    struct follower *follower = mem_alloc(sizeof *follower);
    *follower = (struct follower){.engine = engine, .run = run, .plan = plan, .state = run_state_new(plan)};
    *ret = follower;
    return 0;
}

void follower_free(struct follower **follower)
{
    struct follower *one = take(follower);
    if (!one) return;
    run_state_free(&one->state);
    plan_free(&one->plan);
    free(one);
}

static int fold(struct follower *follower, const struct journal_row *row)
{
    int type = event_type_from_name(row->type);
    AUTO(free_json) json_t *data = NULL;
    if (type < 0) return error_set(&follower->err, ERROR_UNSUPPORTED, NOWHERE, "the event '%s' is not known", row->type);
    if (row->data && json_parse(row->data, strlen(row->data), row->type, &data, &follower->err) < 0) return -(int)follower->err.code;
    struct event event = {.type = (enum event_type)type, .step = row->step, .time_ms = row->time_ms, .data = data};
    int code = reduce(follower->state, &event, &follower->err);
    if (code == 0 && follower->each) follower->each(follower->context, &event);
    return code;
}

static int on_row(void *context, const struct journal_row *row)
{
    struct follower *follower = context;
    follower->after = row->id;
    follower->failed = fold(follower, row) < 0;
    return follower->failed;
}

int follower_read(struct follower *follower, void (*each)(void *context, const struct event *event), void *context, struct error *err)
{
    follower->each = each;
    follower->context = context;
    int code = journal_read(engine_journal(follower->engine), follower->run, follower->after, 0, on_row, follower, err);
    if (code < 0 || !follower->failed) return code;
    *err = follower->err;
    return error_wrap(err, "the journal of run %llu", (unsigned long long)follower->run);
}

const struct run_state *follower_state(const struct follower *follower)
{
    return follower->state;
}

const struct plan *follower_plan(const struct follower *follower)
{
    return follower->plan;
}
