/* kpi_reading_perform.c: reads the requests since the last tick and parts them by who served them.
   What counts: the latency of every request, also of one that failed or whose client left, since leaving out those that waited longest
   would make a slow version look fast. An error is an answer of 5xx, or no instance, or a client that left: to one whose time is out a
   version that does not answer has failed, and both versions have the same clients. */
#include "kpi_reading.h"

#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/samples.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)PLACE_SIZE >= (int)SAMPLE_PLACE_SIZE, "a checkpoint holds a place");

/* More than these in one tick are left for the next. */
enum { SAMPLES_MAX = 2 * 1000 * 1000, PATIENCE_MS = 5000, BEGIN_PATIENCE_MS = 30 * 1000, ERRORS_FROM = 500 };

void kpi_reading_release(struct kpi_reading *reading)
{
    free(reading->canary.values);
    free(reading->baseline.values);
    *reading = (struct kpi_reading){0};
}

static void take_sample(void *context, const struct sample *sample)
{
    struct kpi_reading *reading = context;
    bool ours = text_equal(sample->service, reading->of->id);
    if (!ours && !text_equal(sample->service, reading->of->baseline)) return;
    struct arm_reading *arm = ours ? &reading->canary : &reading->baseline;
    arm->values = mem_grow(arm->values, &arm->capacity, arm->count + 1, sizeof *arm->values);
    arm->values[arm->count++] = sample->duration_us;
    arm->errors += sample->aborted || sample->no_server || sample->status >= ERRORS_FROM;
}

static void take_gap(void *context, int64_t lost)
{
    struct kpi_reading *reading = context;
    reading->gap = true;
    (void)lost;
}

static int read_on(
    const struct tmf_client *client, const struct canary *canary, struct kpi_reading *reading, char ret_next[PLACE_SIZE], struct error *err)
{
    const struct sample_question question = {
        .domain = client->name, .family = canary->family, .after = canary->cursor, .limit = SAMPLES_MAX, .patience_ms = PATIENCE_MS};
    const struct sample_sink sink = {.sample = take_sample, .gap = take_gap, .context = reading};
    return samples_read(client, &question, &sink, ret_next, err);
}

static struct canary_reading summary_of(const struct kpi_reading *reading, int64_t now_ms)
{
    return (struct canary_reading){
        .counts = {.now_ms = now_ms, .canary = reading->canary.count, .baseline = reading->baseline.count, .gap = reading->gap},
        .canary = reading->canary.values,
        .baseline = reading->baseline.values,
        .canary_errors = reading->canary.errors,
        .baseline_errors = reading->baseline.errors};
}

void kpi_reading_take(
    const struct tmf_client *client, struct canary *canary, int64_t now_ms, struct kpi_reading *reading, struct canary_reading *ret)
{
    struct error problem = {0};
    char next[PLACE_SIZE];
    *reading = (struct kpi_reading){.of = canary};
    if (read_on(client, canary, reading, next, &problem) == 0) {
        snprintf(canary->cursor, sizeof canary->cursor, "%s", next);
        *ret = summary_of(reading, now_ms);
    } else {
        printf("the requests' records could not be read: %s\n", problem.message);
        *ret = (struct canary_reading){.counts = {.now_ms = now_ms, .stale = true}};
    }
    kpi_domain_look(client, canary, &ret->counts);
}

int kpi_reading_begin(const struct tmf_client *client, const char *family, char ret_next[PLACE_SIZE], struct error *err)
{
    struct kpi_reading nothing = {0};
    const struct sample_question question = {.domain = client->name, .family = family, .limit = 1, .patience_ms = BEGIN_PATIENCE_MS};
    const struct sample_sink sink = {.sample = take_sample, .gap = take_gap, .context = &nothing};
    struct canary nobody = {.id = NULL, .baseline = NULL};
    nothing.of = &nobody;
    return samples_read(client, &question, &sink, ret_next, err);
}
