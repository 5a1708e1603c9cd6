/* names.c: the tables of include/crescendo/X.def as functions: names, classes, moves. */
#include "state/state.h"

#include <string.h>

static const char *const run_status_names[] = {
#define RUN_STATE(name, rest, help) #name,
#include "crescendo/states.def"
#undef RUN_STATE
};
static const char *const step_status_names[] = {
#define STEP_STATE(name, rest, help) #name,
#include "crescendo/states.def"
#undef STEP_STATE
};
static const char *const effect_status_names[] = {
#define EFFECT_STATE(name, rest, help) #name,
#include "crescendo/states.def"
#undef EFFECT_STATE
};
static const char *const wait_names[] = {
#define WAIT(name, help) #name,
#include "crescendo/waits.def"
#undef WAIT
};
static const bool run_rests[] = {
#define RUN_STATE(name, rest, help) rest,
#include "crescendo/states.def"
#undef RUN_STATE
};
static const bool step_rests[] = {
#define STEP_STATE(name, rest, help) rest,
#include "crescendo/states.def"
#undef STEP_STATE
};

static const struct {
    const char *name, *help;
    int exit_code;
} reasons[] = {
#define REASON(name, exit, help) {#name, help, exit},
#include "crescendo/reasons.def"
#undef REASON
};

#define RUN EVENT_SUBJECT_RUN
#define STEP EVENT_SUBJECT_STEP
#define EFFECT EVENT_SUBJECT_EFFECT
#define DURABLE EVENT_CLASS_DURABLE
#define REDO EVENT_CLASS_REDO
static const struct {
    const char *name;
    enum event_subject subject;
    enum event_class class;
} events[] = {
#define EVENT(name, subject, class, payload) {#name, subject, class},
#include "crescendo/events.def"
#undef EVENT
};

/* 0 means "no such move", so the target is stored plus one. */
static const unsigned char run_moves[RUN_STATUS_COUNT][EVENT_TYPE_COUNT] = {
#define RUN_MOVE(from, event, to) [RUN_##from][EVENT_##event] = RUN_##to + 1,
#include "crescendo/states.def"
#undef RUN_MOVE
};
static const unsigned char step_moves[STEP_STATUS_COUNT][EVENT_TYPE_COUNT] = {
#define STEP_MOVE(from, event, to) [STEP_##from][EVENT_##event] = STEP_##to + 1,
#include "crescendo/states.def"
#undef STEP_MOVE
};
static const unsigned char effect_moves[EFFECT_STATUS_COUNT][EVENT_TYPE_COUNT] = {
#define EFFECT_MOVE(from, event, to) [EFFECT_##from][EVENT_##event] = EFFECT_##to + 1,
#include "crescendo/states.def"
#undef EFFECT_MOVE
};

const char *run_status_name(enum run_status status)
{
    return run_status_names[status];
}

const char *step_status_name(enum step_status status)
{
    return step_status_names[status];
}

const char *effect_status_name(enum effect_status status)
{
    return effect_status_names[status];
}

const char *reason_name(enum reason reason)
{
    return reasons[reason].name;
}

const char *reason_help(enum reason reason)
{
    return reasons[reason].help;
}

int reason_exit_code(enum reason reason)
{
    return reasons[reason].exit_code;
}

const char *wait_name(enum wait wait)
{
    return wait_names[wait];
}

const char *event_type_name(enum event_type type)
{
    return events[type].name;
}

enum event_class event_type_class(enum event_type type)
{
    return events[type].class;
}

enum event_subject event_type_subject(enum event_type type)
{
    return events[type].subject;
}

bool run_status_at_rest(enum run_status status)
{
    return run_rests[status];
}

bool step_status_at_rest(enum step_status status)
{
    return step_rests[status];
}

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (!strcmp(names[i], name)) return i;
    return -1;
}

int run_status_from_name(const char *name)
{
    return find_name(run_status_names, RUN_STATUS_COUNT, name);
}

int step_status_from_name(const char *name)
{
    return find_name(step_status_names, STEP_STATUS_COUNT, name);
}

int wait_from_name(const char *name)
{
    return find_name(wait_names, WAIT_COUNT, name);
}

int event_type_from_name(const char *name)
{
    for (int i = 0; name && i < EVENT_TYPE_COUNT; i++)
        if (!strcmp(events[i].name, name)) return i;
    return -1;
}

int reason_from_name(const char *name)
{
    for (int i = 0; name && i < REASON_COUNT; i++)
        if (!strcmp(reasons[i].name, name)) return i;
    return -1;
}

int run_move(enum run_status from, enum event_type event)
{
    return run_moves[from][event] - 1;
}

int step_move(enum step_status from, enum event_type event)
{
    return step_moves[from][event] - 1;
}

int effect_move(enum effect_status from, enum event_type event)
{
    return effect_moves[from][event] - 1;
}
