/* quota.c: a stage's disk limit: the workspace is measured while steps live, in slices of a walk, so that a large one never holds up the
   loop; the pause between two walks is a hundred times what the walk took. */
#include "walk.h"

enum { SLICE_ENTRIES = 500 };
static const int64_t SHORTEST_US = 50 * 1000, SLICE_PAUSE_US = 2000;

static uint64_t size_of(const struct stat *facts)
{
    uint64_t bytes = (uint64_t)facts->st_blocks * 512;
    return S_ISDIR(facts->st_mode) || facts->st_nlink < 2 ? bytes : bytes / (uint64_t)facts->st_nlink;
}

static void end_steps(struct shim *shim, const struct stage *stage, bool too_deep)
{
    char text[32];
    text_size(text, sizeof text, stage->limits.disk_bytes);
    for (struct step *step = shim->live, *next; step; step = next) {
        next = step->next;
        if (step->stage != stage) continue;
        if (too_deep)
            step_end_early(shim, step, SHIM_CAUSE_DISK, true, "its workspace nests deeper than %d folders", WALK_DEPTH);
        else
            step_end_early(shim, step, SHIM_CAUSE_DISK, true, "its workspace grew over %s", text);
    }
}

/* true: the walk is complete. */
static bool measure_some(struct stage *stage)
{
    struct stat facts;
    const char *name;
    int folder;
    if (!stage->walk) {
        stage->measured_bytes = 0;
        stage->walk_took_us = 0;
        stage->walk = walk_open(stage->workspace);
    }
    for (unsigned i = 0; stage->walk && i < SLICE_ENTRIES; i++) {
        if (!walk_next(stage->walk, &folder, &name, &facts)) return true;
        stage->measured_bytes += size_of(&facts);
        if (stage->measured_bytes > stage->limits.disk_bytes) return true;
    }
    return !stage->walk;
}

static void measure(struct shim *shim, struct stage *stage)
{
    int64_t before = now_us();
    bool whole = measure_some(stage);
    int64_t now = now_us();
    stage->walk_took_us += now - before;
    stage->disk_check_us = now + SLICE_PAUSE_US;
    if (!whole) return;
    bool too_deep = stage->walk && walk_too_deep(stage->walk);
    if (too_deep || stage->measured_bytes > stage->limits.disk_bytes) end_steps(shim, stage, too_deep);
    walk_close(&stage->walk);
    int64_t pause = stage->walk_took_us * 100;
    stage->disk_check_us = now + (pause < SHORTEST_US ? SHORTEST_US : pause);
}

void quota_tick(struct shim *shim, struct stage *stage, int64_t now)
{
    if (!stage->limits.disk_bytes || !stage->live) return;
    if (!stage->disk_check_us) stage->disk_check_us = now + SHORTEST_US;
    if (now >= stage->disk_check_us) measure(shim, stage);
}
