/* graph.c: the stages' needs: each must exist, and they must not go round. Who needs whom transitively is a bit matrix, made in one
   pass over the order that the search for cycles leaves behind. Nothing recurses: a chain may be as long as the file. */
#include "base/mem.h"
#include "base/text.h"
#include "spec/loader.h"

#include <stdlib.h>
#include <string.h>

enum { SUGGEST_AMONG = 2000, CYCLE_SHOWN = 40 };

const char *stage_suggestion(const struct file *file, const char *name)
{
    size_t count = file->pipeline->stage_count < SUGGEST_AMONG ? file->pipeline->stage_count : SUGGEST_AMONG, kept = 0;
    if (file->reader.list->dropped) return NULL; /* enough has been said: save the time */
    const char **names = mem_alloc_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        if (file->stages[i].id) names[kept++] = file->stages[i].id;
    const char *near = text_nearest(name, names);
    free(names);
    return near ? arena_format(file->reader.arena, "did you mean \"%s\"?", near) : NULL;
}

static void check_needs_exist(struct file *file, uint32_t index)
{
    const struct pipeline_stage *stage = &file->stages[index];
    for (size_t i = 0; i < stage->need_count; i++) {
        const struct need *need = &stage->needs[i];
        if (names_find(&file->stage_names, need->stage, NULL)) continue;
        const char *near = stage_suggestion(file, need->stage);
        diagnostics_add(file->reader.list, "unknown-stage", need->at, (unsigned)strlen(need->stage),
            near ? near : "name a stage of this file", "there is no stage \"%s\"", need->stage);
        file->graph_is_broken = true;
    }
}

struct walk {
    uint32_t *path; /* the stages being visited */
    size_t *next;   /* of each on the path: the need to look at next */
    size_t depth, done;
    unsigned char *state; /* 0 new, 1 on the path, 2 done */
    unsigned cycles;
};

static void add_cycle(struct file *file, const struct walk *walk, uint32_t back, struct location at)
{
    size_t start = walk->depth;
    while (start > 0 && walk->path[start - 1] != back)
        start--;
    size_t length = walk->depth - --start;
    AUTO(text_release) struct text cycle = {0};
    for (size_t i = 0; i < length; i++) {
        if (length > CYCLE_SHOWN && i == CYCLE_SHOWN / 2) {
            text_add_format(&cycle, "... (%zu more) -> ", length - CYCLE_SHOWN);
            i = length - CYCLE_SHOWN / 2;
        }
        text_add_format(&cycle, "%s -> ", file->stages[walk->path[start + i]].id);
    }
    diagnostics_add(file->reader.list, "cycle", at, (unsigned)strlen(file->stages[back].id),
        "a stage cannot wait for itself: remove one of these needs", "the needs go round: %s%s", text_view(&cycle), file->stages[back].id);
    file->graph_is_broken = true;
}

static void walk_enter(struct walk *walk, uint32_t stage)
{
    walk->path[walk->depth] = stage;
    walk->next[walk->depth++] = 0;
    walk->state[stage] = 1;
}

static void walk_from(struct file *file, struct walk *walk, uint32_t first)
{
    walk_enter(walk, first);
    while (walk->depth) {
        uint32_t current = walk->path[walk->depth - 1], needed;
        const struct pipeline_stage *stage = &file->stages[current];
        if (walk->next[walk->depth - 1] == stage->need_count) {
            walk->state[current] = 2;
            file->order[walk->done++] = current;
            walk->depth--;
            continue;
        }
        const struct need *need = &stage->needs[walk->next[walk->depth - 1]++];
        if (!names_find(&file->stage_names, need->stage, &needed)) continue;
        if (walk->state[needed] == 0)
            walk_enter(walk, needed);
        else if (walk->state[needed] == 1 && walk->cycles++ < 10)
            add_cycle(file, walk, needed, need->at);
    }
}

void check_graph(struct file *file)
{
    size_t count = file->pipeline->stage_count;
    struct arena *arena = file->reader.arena;
    for (uint32_t i = 0; i < count; i++)
        check_needs_exist(file, i);
    file->order = arena_alloc_array(arena, count, sizeof *file->order);
    struct walk walk = {.path = arena_alloc_array(arena, count, sizeof *walk.path),
        .next = arena_alloc_array(arena, count, sizeof *walk.next),
        .state = arena_alloc_array(arena, count, 1)};
    for (uint32_t i = 0; i < count; i++)
        if (walk.state[i] == 0) walk_from(file, &walk, i);
}

/* --- reachability --- */

static void add_row(const struct file *file, struct reach *reach, uint32_t stage)
{
    uint64_t *row = reach->bits + stage * reach->words;
    for (size_t i = 0; i < file->stages[stage].need_count; i++) {
        uint32_t needed;
        if (!names_find(&file->stage_names, file->stages[stage].needs[i].stage, &needed)) continue;
        const uint64_t *other = reach->bits + needed * reach->words;
        for (size_t word = 0; word < reach->words; word++)
            row[word] |= other[word];
        row[needed / 64] |= UINT64_C(1) << needed % 64;
    }
}

void reach_make(const struct file *file, struct reach *reach)
{
    size_t count = file->pipeline->stage_count;
    if (reach->bits || file->graph_is_broken) return;
    reach->words = (count + 63) / 64;
    reach->bits = mem_alloc_array(count * reach->words, sizeof *reach->bits);
    for (size_t i = 0; i < count; i++)
        add_row(file, reach, file->order[i]);
}

void reach_release(struct reach *reach)
{
    free(reach->bits);
}

bool reach_has(const struct reach *reach, uint32_t stage, uint32_t earlier)
{
    return reach->bits[stage * reach->words + earlier / 64] >> earlier % 64 & 1;
}
