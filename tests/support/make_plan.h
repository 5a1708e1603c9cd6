/* make_plan.h: a plan from a few lines of text, for tests of what comes behind planning (a header, so that any test may use it):
       timeout 60000
       rollback run
       stage build needs=a,b if=always() timeout=5000 allow-failure scope=use groups=a,b:reject     (needs: the stage above when absent,
   none with needs=-) step test [TYPE] retry=2:1000:failed,timeout outputs=a,b if=failed() allow-failure effects undo=NAME pivot=NAME
   unknown timeout=1000 step back rollback because=word scope=run step sign approve by=ops,devs quorum=2 expires=60000 not-author A step is
   ready_ahead unless it is `unknown` or has a condition. Words hold no blanks. A mistake ends the program. */
#ifndef TESTS_SUPPORT_MAKE_PLAN_H
#define TESTS_SUPPORT_MAKE_PLAN_H

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "plan/json_parts.h"
#include "state/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAKE_PLAN_WORDS = 24 };

struct plan_maker {
    struct plan *plan;
    struct plan_stage *stages;
    struct plan_step *steps;
    size_t stage_room, step_room;
};

static inline void make_plan_fail(const char *what)
{
    fprintf(stderr, "make_plan: cannot read '%s'\n", what);
    abort();
}

/* "key=value" → value; NULL when the word is another one. */
static inline const char *make_plan_value(const char *word, const char *key)
{
    size_t size = strlen(key);
    return !strncmp(word, key, size) && word[size] == '=' ? word + size + 1 : NULL;
}

static inline int64_t make_plan_number(const char *text)
{
    int64_t number = 0;
    if (!text_to_integer(text, &number)) make_plan_fail(text);
    return number;
}

static inline const char **make_plan_list(struct arena *arena, const char *text, uint32_t *ret_count)
{
    const char **list = arena_alloc_array(arena, strlen(text) + 2, sizeof *list);
    uint32_t count = 0;
    char *copy = arena_copy_text(arena, text), *end;
    for (char *at = copy; at && *at; at = end) {
        end = strchr(at, ',');
        if (end) *end++ = '\0';
        list[count++] = at;
    }
    if (ret_count) *ret_count = count;
    return list;
}

static inline uint32_t make_plan_stage_index(const struct plan_maker *maker, const char *name)
{
    for (uint32_t i = 0; i < maker->plan->stage_count; i++)
        if (!strcmp(maker->stages[i].path, name)) return i;
    make_plan_fail(name);
    return 0;
}

static inline bool make_plan_overrides(const char *condition)
{
    return strstr(condition, "failed()") || strstr(condition, "cancelled()") || strstr(condition, "always()");
}

static inline void make_plan_needs(struct plan_maker *maker, struct plan_stage *stage, const char *text)
{
    uint32_t count = 0;
    if (strcmp(text, "-") == 0) text = "";
    const char **names = make_plan_list(maker->plan->arena, text, &count);
    uint32_t *needs = arena_alloc_array(maker->plan->arena, count + 1, sizeof *needs);
    for (uint32_t i = 0; i < count; i++)
        needs[i] = make_plan_stage_index(maker, names[i]);
    stage->needs = needs;
    stage->need_count = count;
}

/* "a,b:reject"; without a word, first in first out */
static inline void make_plan_groups(struct arena *arena, struct plan_stage *stage, const char *text)
{
    const char **names = make_plan_list(arena, text, &stage->group_count);
    struct plan_group *groups = arena_alloc_array(arena, stage->group_count, sizeof *groups);
    for (uint32_t i = 0; i < stage->group_count; i++) {
        char *name = arena_copy_text(arena, names[i]), *queue = strchr(name, ':');
        if (queue) *queue++ = '\0';
        groups[i].name = name;
        for (int k = 0; queue && k < GROUP_QUEUE_COUNT; k++)
            if (!strcmp(group_queue_names[k], queue)) groups[i].queue = (enum group_queue)k;
    }
    stage->groups = groups;
}

static inline void make_plan_stage(struct plan_maker *maker, char **words)
{
    struct arena *arena = maker->plan->arena;
    maker->stages = mem_grow(maker->stages, &maker->stage_room, maker->plan->stage_count + 1, sizeof *maker->stages);
    uint32_t index = maker->plan->stage_count;
    struct plan_stage *stage = &maker->stages[index];
    *stage = (struct plan_stage){.index = index, .first_step = maker->plan->step_count, .scope = ""};
    stage->path = arena_copy_text(arena, words[1]);
    make_plan_needs(maker, stage, index ? maker->stages[index - 1].path : "");
    for (char **word = words + 2; *word; word++) {
        if (make_plan_value(*word, "needs"))
            make_plan_needs(maker, stage, make_plan_value(*word, "needs"));
        else if (make_plan_value(*word, "if"))
            stage->condition = arena_copy_text(arena, make_plan_value(*word, "if"));
        else if (make_plan_value(*word, "timeout"))
            stage->timeout_ms = make_plan_number(make_plan_value(*word, "timeout"));
        else if (make_plan_value(*word, "scope"))
            stage->scope = arena_copy_text(arena, make_plan_value(*word, "scope"));
        else if (make_plan_value(*word, "groups"))
            make_plan_groups(arena, stage, make_plan_value(*word, "groups"));
        else if (!strcmp(*word, "allow-failure"))
            stage->allow_failure = true;
        else
            make_plan_fail(*word);
    }
    stage->condition_overrides = stage->condition && make_plan_overrides(stage->condition);
    maker->plan->stage_count++;
}

static inline void make_plan_retry(struct plan_step *step, const char *value)
{
    char reasons[128] = "";
    long wait_ms = 0;
    if (sscanf(value, "%u:%ld:%127s", &step->retry.times, &wait_ms, reasons) < 3) make_plan_fail(value);
    step->retry.wait_ms = wait_ms;
    step->retry.reasons = 0;
    for (int reason = 0; reason < REASON_COUNT; reason++)
        if (strstr(reasons, reason_name((enum reason)reason))) step->retry.reasons |= 1u << reason;
}

static inline json_t *make_plan_names(struct arena *arena, const char *text)
{
    uint32_t count = 0;
    const char **names = make_plan_list(arena, text, &count);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

/* One that can be undone, or one that is the point of no return. */
static inline void make_plan_effect(struct plan_step *step, const char *name, bool is_pivot)
{
    json_t *effect = json_pack("{s:s, s:s, s:s}", "name", name, "target", "peer", "summary", "does something");
    if (is_pivot)
        json_put_flag(effect, "pivot", true);
    else
        json_put_text(effect, "compensation", "takes it back");
    json_array_append_new(step->effects, effect);
}

static inline void make_plan_word(struct arena *arena, struct plan_step *step, const char *word)
{
    if (make_plan_value(word, "retry"))
        make_plan_retry(step, make_plan_value(word, "retry"));
    else if (make_plan_value(word, "outputs"))
        step->outputs = make_plan_list(arena, make_plan_value(word, "outputs"), NULL);
    else if (make_plan_value(word, "if"))
        step->condition = arena_copy_text(arena, make_plan_value(word, "if"));
    else if (make_plan_value(word, "timeout"))
        step->timeout_ms = make_plan_number(make_plan_value(word, "timeout"));
    else if (make_plan_value(word, "by"))
        json_put(step->with, "by", make_plan_names(arena, make_plan_value(word, "by")));
    else if (make_plan_value(word, "because"))
        json_put_text(step->with, "because", make_plan_value(word, "because"));
    else if (make_plan_value(word, "scope"))
        json_put_text(step->with, "scope", make_plan_value(word, "scope"));
    else if (make_plan_value(word, "quorum"))
        json_put_whole(step->with, "quorum", make_plan_number(make_plan_value(word, "quorum")));
    else if (make_plan_value(word, "expires"))
        json_put_whole(step->with, "expires", make_plan_number(make_plan_value(word, "expires")));
    else if (!strcmp(word, "not-author"))
        json_put_flag(step->with, "not-author", true);
    else if (!strcmp(word, "allow-failure"))
        step->allow_failure = true;
    else if (!strcmp(word, "unknown"))
        step->ready_ahead = false;
    else if (!strcmp(word, "effects"))
        json_array_append_new(step->effects, json_object());
    else if (make_plan_value(word, "undo"))
        make_plan_effect(step, make_plan_value(word, "undo"), false);
    else if (make_plan_value(word, "pivot"))
        make_plan_effect(step, make_plan_value(word, "pivot"), true);
    else if (!strchr(word, '='))
        step->type = arena_copy_text(arena, word);
    else
        make_plan_fail(word);
}

static inline void make_plan_step(struct plan_maker *maker, char **words)
{
    struct arena *arena = maker->plan->arena;
    if (!maker->plan->stage_count) make_plan_fail("a step before the first stage");
    maker->steps = mem_grow(maker->steps, &maker->step_room, maker->plan->step_count + 1, sizeof *maker->steps);
    struct plan_stage *stage = &maker->stages[maker->plan->stage_count - 1];
    struct plan_step *step = &maker->steps[maker->plan->step_count];
    *step = (struct plan_step){.index = maker->plan->step_count,
        .stage = stage->index,
        .type = "run",
        .timeout_ms = 3600 * 1000,
        .grace_ms = 10 * 1000,
        .ready_ahead = true};
    step->path = arena_format(arena, "%s/%s", stage->path, words[1]);
    step->id = step->title = arena_copy_text(arena, words[1]);
    step->with = arena_own_json(arena, json_object());
    step->env = arena_own_json(arena, json_object());
    step->sandbox = arena_own_json(arena, json_pack("{s:s, s:I}", "mode", "default", "memory", (json_int_t)268435456));
    step->effects = arena_own_json(arena, json_array());
    step->outputs = make_plan_list(arena, "", NULL);
    for (char **word = words + 2; *word; word++)
        make_plan_word(arena, step, *word);
    step->condition_overrides = step->condition && make_plan_overrides(step->condition);
    step->ready_ahead &= !step->condition;
    stage->step_count++;
    maker->plan->step_count++;
}

static inline void make_plan_line(struct plan_maker *maker, char *line)
{
    char *words[MAKE_PLAN_WORDS + 2] = {NULL}, *rest = line;
    size_t count = 0;
    for (char *word; (word = strsep(&rest, " \t")) && count < MAKE_PLAN_WORDS;)
        if (*word) words[count++] = word;
    if (!count || words[0][0] == '#') return;
    if (!words[1]) make_plan_fail(words[0]);
    if (!strcmp(words[0], "stage"))
        make_plan_stage(maker, words);
    else if (!strcmp(words[0], "step"))
        make_plan_step(maker, words);
    else if (!strcmp(words[0], "timeout"))
        maker->plan->timeout_ms = make_plan_number(words[1]);
    else if (!strcmp(words[0], "rollback"))
        maker->plan->rollback_run = !strcmp(words[1], "run");
    else
        make_plan_fail(words[0]);
}

static inline void make_plan_users(struct plan_maker *maker)
{
    struct arena *arena = maker->plan->arena;
    for (uint32_t i = 0; i < maker->plan->stage_count; i++) {
        uint32_t *users = arena_alloc_array(arena, maker->plan->stage_count, sizeof *users);
        for (uint32_t j = 0; j < maker->plan->stage_count; j++)
            for (uint32_t k = 0; k < maker->stages[j].need_count; k++)
                if (maker->stages[j].needs[k] == i) users[maker->stages[i].user_count++] = j;
        maker->stages[i].users = users;
    }
}

/* The whole of it lives in the plan's arena; plan_free releases it. */
static inline struct plan *make_plan(const char *text)
{
    struct arena *arena = arena_new();
    struct plan_maker maker = {.plan = arena_alloc(arena, sizeof(struct plan))};
    maker.plan->arena = arena;
    maker.plan->name = "test";
    char *rest = arena_copy_text(arena, text);
    for (char *line; (line = strsep(&rest, "\n"));)
        make_plan_line(&maker, line);
    make_plan_users(&maker);
    struct plan_stage *stages = arena_alloc_array(arena, maker.plan->stage_count, sizeof *stages);
    struct plan_step *steps = arena_alloc_array(arena, maker.plan->step_count, sizeof *steps);
    if (maker.stages) memcpy(stages, maker.stages, maker.plan->stage_count * sizeof *stages);
    if (maker.steps) memcpy(steps, maker.steps, maker.plan->step_count * sizeof *steps);
    maker.plan->stages = stages;
    maker.plan->steps = steps;
    claims_make(maker.plan);
    free(maker.stages);
    free(maker.steps);
    return maker.plan;
}

static inline void free_made_plan(struct plan **plan)
{
    struct arena *arena = *plan ? (*plan)->arena : NULL;
    *plan = NULL;
    if (arena) arena_free(&arena);
}

#endif
