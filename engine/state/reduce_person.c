/* reduce_person.c: the part of reduce.c about what persons said: votes on an approval, and how what the engine cannot tell was settled. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static const char *const names[RESOLVED_COUNT] = {[RESOLVED_done] = "done", [RESOLVED_not_done] = "not_done", [RESOLVED_undone] = "undone"};

const char *resolved_name(enum resolved as)
{
    return names[as];
}

int resolved_from_name(const char *name)
{
    for (int i = 0; i < RESOLVED_COUNT; i++)
        if (text_equal(names[i], name)) return i;
    return -1;
}

char *resolution_words(const json_t *data)
{
    struct text words = {0};
    const char *effect = json_text(data, "effect", "it"), *id = json_text(data, "id", NULL), *comment = json_text(data, "comment", NULL);
    int as = resolved_from_name(json_text(data, "as", NULL));
    text_add_format(&words, "%s says that %s ", json_text(data, "by", "?"), effect);
    text_add(&words, as == RESOLVED_done ? "was done" : as == RESOLVED_not_done ? "was not done" : "was undone by hand");
    if (id) text_add_format(&words, ", as %s", id);
    if (comment) text_add_format(&words, ": %s", comment);
    return text_take(&words);
}

bool resolution_is_whole(const struct event *event)
{
    return json_text(event->data, "by", NULL) && resolved_from_name(json_text(event->data, "as", NULL)) >= 0;
}

void fold_vote(struct step_state *step, const struct event *event)
{
    struct vote *vote = mem_alloc(sizeof *vote);
    vote->by = mem_copy_text(json_text(event->data, "by", NULL));
    vote->approve = text_equal(json_text(event->data, "decision", NULL), "approve");
    vote->time_ms = event->time_ms;
    struct vote **end = &step->votes;
    while (*end)
        end = &(*end)->next;
    *end = vote;
}

static char *copy(const struct event *event, const char *name)
{
    return mem_copy_text(json_text(event->data, name, NULL));
}

void fold_word(struct step_state *step, struct effect_state *effect, const struct event *event)
{
    step->took_word |= json_flag(event->data, "word", false);
    if (event->type != EVENT_effect_adopted && effect_is_open(effect)) return;
    free(effect->adopt);
    effect->adopt = event->type == EVENT_effect_adopted ? copy(event, "id") : NULL;
}

void fold_resolved(struct step_state *step, const struct event *event)
{
    struct resolution *resolution = mem_alloc(sizeof *resolution);
    *resolution = (struct resolution){.as = (enum resolved)resolved_from_name(json_text(event->data, "as", NULL)),
        .by = copy(event, "by"),
        .effect = copy(event, "effect"),
        .id = copy(event, "id"),
        .comment = copy(event, "comment"),
        .time_ms = event->time_ms};
    struct resolution **end = &step->resolutions;
    while (*end)
        end = &(*end)->next;
    *end = resolution;
    step->finds = 0; /* it may again be started by itself to find out */
}
