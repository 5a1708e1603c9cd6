/* requests.c: what the engine asks for, frame by frame. A wrong frame breaks the connection, not the run. */
#include "shim.h"

#include "crescendo/limits.h"

#include <stdlib.h>
#include <string.h>

/* Texts of a START live in one block behind the step, each with a NUL. */
struct block {
    char *at;
};

static char *block_text(struct block *block, struct view *payload, size_t *ret_size)
{
    size_t size;
    const char *text = view_text(payload, &size);
    char *copy = block->at;
    memcpy(copy, text, size);
    copy[size] = '\0';
    block->at += size + 1;
    if (ret_size) *ret_size = size;
    return copy;
}

/* extra: room for entries that are added later. */
static char **block_list(struct block *block, struct view *payload, size_t extra)
{
    uint32_t count = view_u32(payload);
    if (count > payload->left / 4) {
        payload->bad = true;
        count = 0;
    }
    char **list = shim_alloc((count + extra + 1) * sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        list[i] = block_text(block, payload, NULL);
    return list;
}

enum { ADDED_VARIABLES = 4 };

/* The values are hidden from now on, whoever prints them: this step, or another one that it leaves them to. */
static void read_secrets(struct shim *shim, struct step *step, struct block *block, struct view *payload)
{
    size_t count = 0, own = 0, size;
    char **secret = block_list(block, payload, 0);
    while (step->environment[count])
        count++;
    while (secret[own])
        own++;
    char **environment = shim_alloc((count + own + ADDED_VARIABLES + 1) * sizeof *environment);
    memcpy(environment, step->environment, count * sizeof *environment);
    memcpy(environment + count, secret, own * sizeof *environment);
    for (size_t i = 0; i < own; i++) {
        const char *value = strchrnul(secret[i], '=');
        if (*value) secret_hide(shim, value + 1, strlen(value + 1));
    }
    for (uint32_t left = view_u32(payload); left && !payload->bad; left--) {
        const char *value = view_text(payload, &size);
        secret_hide(shim, value, size);
    }
    free(secret);
    free(step->environment);
    step->environment = environment;
}

/* The frame's size bounds all of its texts; each may need a NUL more than its four bytes of length, never less. */
static struct step *read_step(struct shim *shim, struct view *payload)
{
    struct step *step = shim_alloc(sizeof *step);
    step->id = view_u32(payload);
    step->attempt = view_u32(payload);
    step->stage = stage_find(shim, view_u32(payload));
    step->after = view_u32(payload);
    step->flags = view_u32(payload);
    step->timeout_ms = view_u64(payload);
    step->grace_ms = view_u64(payload);
    step->output_limit_bytes = view_u64(payload);
    if (!step->output_limit_bytes || step->output_limit_bytes > LIMIT_OUTPUT_FILE_BYTES) step->output_limit_bytes = LIMIT_OUTPUT_FILE_BYTES;
    step->block_size = payload->left + 8;
    struct block block = {shim_alloc(step->block_size)};
    step->block = block.at;
    step->argv = block_list(&block, payload, 0);
    step->environment = block_list(&block, payload, ADDED_VARIABLES);
    step->input = block_text(&block, payload, &step->input_size);
    size_t size;
    const char *title = view_text(payload, &size);
    memcpy(step->title, title, size < sizeof step->title ? size : sizeof step->title - 1);
    if (payload->left) read_secrets(shim, step, &block, payload);
    step->talk.fd = step->streams[0].watch.fd = step->streams[1].watch.fd = -1;
    step->write_ends[0] = step->write_ends[1] = -1;
    return step;
}

static bool start(struct shim *shim, struct view payload)
{
    struct step *step = read_step(shim, &payload);
    struct slot *slot = payload.bad || !step->argv[0] ? NULL : slot_of(shim, step->id);
    if (!slot) {
        step_free(step);
        return false;
    }
    bool known = slot->attempt >= step->attempt && slot->state != SLOT_UNKNOWN;
    bool busy = slot->state == SLOT_LIVE || slot->state == SLOT_WAITING;
    if (known || busy)
        step_free(step);
    else
        step_accept(shim, step);
    return true;
}

static bool say(struct shim *shim, struct view payload)
{
    uint32_t id = view_u32(&payload), attempt = view_u32(&payload);
    size_t size;
    const char *line = view_text(&payload, &size);
    if (payload.bad) return false;
    for (struct step *step = shim->live; step; step = step->next)
        if (step->id == id && step->attempt == attempt) step_say(shim, step, line, size);
    return true;
}

static bool sandbox(struct shim *shim, struct view payload)
{
    bool bad = false;
    stage_open(shim, payload, &bad);
    return !bad;
}

bool request_handle(struct shim *shim, unsigned type, struct view payload)
{
    uint32_t id;
    switch (type) {
    case SHIM_SANDBOX: return sandbox(shim, payload);
    case SHIM_START: return start(shim, payload);
    case SHIM_CANCEL:
        id = view_u32(&payload);
        step_cancel(shim, id, view_u32(&payload));
        return !payload.bad;
    case SHIM_SAY: return say(shim, payload);
    case SHIM_ACK: reports_acknowledge(shim, view_u64(&payload)); return !payload.bad;
    case SHIM_END_STAGE: {
        struct stage *stage = stage_find(shim, view_u32(&payload));
        if (!stage) return !payload.bad;
        stage->ending = true;
        stage_release(shim, stage);
        return true;
    }
    case SHIM_END: shim->ending = true; return true;
    case SHIM_TAKE: return spare_take(shim, payload);
    default: return false;
    }
}
