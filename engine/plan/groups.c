/* groups.c: which groups a stage is in, and which stages ask for theirs together. docs/explanation/concurrency.md tells why.
   A stage is in the group that it names, in those of the stages that use its file and of the files themselves, and, for each domain on
   which a step of it orders, in DOMAIN/SERVICE. Stages that share a group, or a scope, are one claim: what it asks for it gets at once, so
   that nobody holds one group and waits for another. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "plan/json_parts.h"
#include "plan/show.h"
#include "spec/beside.h"

#include <stdlib.h>
#include <string.h>

enum { GROUP_NAME_MAX = 200 };

/* --- the groups of a stage ---------------------------------------------------------------------------------------------- */

static struct group_list list_begin(struct arena *arena, const struct frame *caller, size_t more)
{
    struct group_list list = {.count = caller ? caller->group_count : 0};
    list.items = arena_alloc_array(arena, list.count + more + 1, sizeof *list.items);
    if (list.count) memcpy(list.items, caller->groups, list.count * sizeof *list.items);
    return list;
}

void group_list_add(struct group_list *list, const char *name, enum group_queue queue)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) != 0) continue;
        if (queue > list->items[i].queue) list->items[i].queue = queue;
        return;
    }
    list->items[list->count++] = (struct plan_group){name, queue};
}

static bool is_sound(const char *name)
{
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) return false;
    return *name && strlen(name) <= GROUP_NAME_MAX;
}

static void refuse_unknown(const struct frame *frame, const json_t *value, struct location at)
{
    AUTO(text_release) struct text when = {0};
    show_unknown(&when, json_text(value, "$unknown", ""), frame->path);
    diagnostics_add(frame->build->list, "unknown-group", at, 0, "write its name, or take it from a parameter or a fact of the run",
        "a group must be known when the run is planned; this one is not %s", text_view(&when));
}

static enum group_queue queue_named(const char *name)
{
    int queue = GROUP_QUEUE_COUNT - 1;
    while (queue && strcmp(group_queue_names[queue], name) != 0)
        queue--;
    return (enum group_queue)queue;
}

/* Adds what a `concurrency:` of the frame's file says. */
static void list_add_said(struct group_list *list, const struct frame *frame, const json_t *said, struct location at)
{
    if (!said) return;
    struct place place = {.frame = frame};
    struct scope scope = place_scope(&place);
    struct error err = {0};
    AUTO(free_json) json_t *value = NULL;
    if (value_resolve(json_object_get(said, "group"), &scope, frame->pipeline->file, &value, &err)) {
        build_fail(frame->build, "wrong-value", at, &err);
    } else if (value_is_unknown(value)) {
        refuse_unknown(frame, value, at);
    } else if (!json_is_string(value) || !is_sound(json_string_value(value))) {
        diagnostics_add(frame->build->list, "wrong-value", at, 0, NULL,
            "a group's name is text of 1 to %d bytes without control characters", GROUP_NAME_MAX);
    } else {
        group_list_add(list, arena_copy_text(frame->build->arena, json_string_value(value)), queue_named(json_text(said, "queue", "fifo")));
    }
}

void groups_inherit(struct frame *frame)
{
    const struct frame *caller = frame->caller;
    const struct pipeline_stage *use = caller ? &caller->pipeline->stages[frame->caller_stage] : NULL;
    struct group_list list = list_begin(frame->build->arena, caller, 2);
    if (use) list_add_said(&list, caller, use->concurrency, use->concurrency_at);
    list_add_said(&list, frame, frame->pipeline->concurrency, frame->pipeline->concurrency_at);
    frame->groups = list.items;
    frame->group_count = list.count;
}

/* What orders on a domain changes what is in service there: one release of a service at a time. */
static void list_add_ordered(
    struct group_list *list, const struct build *build, const struct pipeline_step *step, const struct plan_step *planned)
{
    const char *key = step_type_domain_key(step->type), *service = json_text(build->service, "service", NULL);
    const char *domain = key && strcmp(key, "domain") == 0 ? json_text(planned->with, key, NULL) : NULL;
    if (!domain) return;
    const json_t *policy = json_object_get(json_object_get(build->domains, domain), "policy");
    bool rejects = text_equal(json_text(policy, "concurrency", "queue"), "reject");
    const char *name = service ? arena_format(build->arena, "%s/%s", domain, service) : arena_copy_text(build->arena, domain);
    group_list_add(list, name, rejects ? GROUP_REJECT : GROUP_FIFO);
}

void groups_build(struct build *build, const struct stage_origin *origin, struct plan_stage *planned)
{
    const struct pipeline_stage *stage = &origin->frame->pipeline->stages[origin->stage];
    struct group_list list = list_begin(build->arena, origin->frame, stage->step_count + 1);
    list_add_said(&list, origin->frame, stage->concurrency, stage->concurrency_at);
    for (size_t i = 0; i < stage->step_count && planned->step_count >= stage->step_count; i++)
        list_add_ordered(&list, build, &stage->steps[i], &build->steps[planned->first_step + planned->step_count - stage->step_count + i]);
    planned->groups = list.items;
    planned->group_count = list.count;
}
