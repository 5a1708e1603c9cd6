/* check_logs.c: a run's log segment against what its steps are known to have printed. */
#include "run/check.h"

#include "base/json.h"
#include "base/mem.h"
#include "store/logs.h"

#include <stdlib.h>

#define REMEDY "what the steps printed there is lost, unless a backup has the file; nothing that was decided depends on it"

void log_facts_note(struct log_facts *facts, const struct run_state *state, const struct event *event)
{
    int64_t told = json_whole(json_object_get(event->data, "usage"), "log_bytes", -1);
    if (told < 0 || event->step >= state->plan->step_count) return;
    if (!facts->count) {
        facts->count = state->plan->step_count;
        facts->attempts = mem_alloc_array(facts->count, sizeof *facts->attempts);
        facts->told = mem_alloc_array(facts->count, sizeof *facts->told);
        facts->found = mem_alloc_array(facts->count, sizeof *facts->found);
    }
    facts->attempts[event->step] = state->steps[event->step].attempt;
    facts->told[event->step] = (uint64_t)told;
}

void log_facts_release(struct log_facts *facts)
{
    free(facts->attempts);
    free(facts->told);
    free(facts->found);
    *facts = (struct log_facts){0};
}

static void on_printed(void *context, uint32_t step, uint32_t attempt, size_t bytes)
{
    struct log_facts *facts = context;
    if (step < facts->count && facts->attempts[step] == attempt) facts->found[step] += bytes;
}

static uint64_t told_in_all(const struct log_facts *facts)
{
    uint64_t told = 0;
    for (uint32_t i = 0; i < facts->count; i++)
        told += facts->told[i];
    return told;
}

static uint64_t lost_in_all(const struct log_facts *facts)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < facts->count; i++)
        if (facts->found[i] < facts->told[i]) lost += facts->told[i] - facts->found[i];
    return lost;
}

/* The supervisor of a run that is open may be in the midst of a record. */
static char *complaint(const struct log_check *log, const struct log_facts *facts, bool at_rest)
{
    unsigned long long end = log->end, size = log->size, told = told_in_all(facts), lost = lost_in_all(facts);
    if (log->missing) return told ? mem_format("the log is missing; the steps printed %llu bytes", told) : NULL;
    if (at_rest && size > end) return mem_format("the log is torn at byte %llu of %llu", end, size);
    if (lost && !log->dropped)
        return mem_format("the log was cut: %llu of the %llu bytes that the steps printed are not in it", lost, told);
    return NULL;
}

void check_log(struct check *check, uint64_t run, bool at_rest, struct log_facts *facts)
{
    AUTO(free_text) char *path = mem_format("%s/runs/%llu/log", check->folder, (unsigned long long)run);
    struct log_check log = {.printed = on_printed, .context = facts};
    struct error why;
    AUTO(free_text) char *what = NULL;
    if (log_check(path, &log, &why) < 0)
        what = mem_copy_text(why.message);
    else
        what = complaint(&log, facts, at_rest);
    if (!log.missing) check->logs++;
    AUTO(free_text)
    char *file = mem_format("%sruns/%llu/log%s", check->prefix, (unsigned long long)run, log.compressed ? ".zst" : "");
    if (what) check_found(check, &(struct finding){.file = file, .run = run, .what = what, .remedy = REMEDY});
}
