/* trouble.c: a canary's instances that stop, and its requests that nobody answers. */
#include "steps/kpi/trouble.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { ENDING_BYTES = 160 };

/* --- counted ----------------------------------------------------------------------------------------------------------------------------
 */

/* How a process ended, as one line of some length. What is cut is no half character. */
static char *line_of(const char *message)
{
    size_t size = strlen(message), cut = size > ENDING_BYTES ? ENDING_BYTES : size;
    while (cut && cut < size && ((unsigned char)message[cut] & 0xc0) == 0x80)
        cut--;
    char *line = mem_format("%.*s%s", (int)cut, message, cut < size ? "…" : "");
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ') *at = ' ';
    return line;
}

static uint64_t note_instance(struct canary *canary, const json_t *instance, json_t *seen)
{
    const char *message = json_text(instance, "message", "");
    int64_t now = json_whole(instance, "restarts", 0);
    AUTO(free_text) char *number = mem_format("%lld", (long long)json_whole(instance, "number", 0));
    int64_t before = json_whole(canary->instances, number, 0);
    int64_t more = !canary->instances || now < 0 ? 0 : now < before ? now : now - before;
    json_put_whole(seen, number, now);
    if (!more || !*message) return (uint64_t)more;
    free(canary->ending);
    canary->ending = line_of(message);
    return (uint64_t)more;
}

uint64_t trouble_note_instances(struct canary *canary, const json_t *instances, int64_t replicas)
{
    json_t *seen = json_object(), *instance;
    uint64_t more = 0;
    size_t index;
    json_array_foreach((json_t *)instances, index, instance)
    {
        if (json_whole(instance, "number", 0) > replicas) continue;
        if (text_equal(json_text(instance, "service", NULL), canary->id)) more += note_instance(canary, instance, seen);
    }
    json_decref(canary->instances);
    canary->instances = seen;
    return more;
}

/* --- in words ---------------------------------------------------------------------------------------------------------------------------
 */

static const char *name_of(const char *version, const char *id)
{
    return version ? version : id;
}

void trouble_add_open(struct text *line, const struct canary *canary, uint64_t open)
{
    text_add_format(line, "%llu request%s to %s %s not answered yet", (unsigned long long)open, open == 1 ? "" : "s",
        name_of(canary->version, canary->id), open == 1 ? "is" : "are");
}

void trouble_add_restarts(struct text *line, const struct canary *canary)
{
    unsigned long long count = canary->ramp.restarts;
    text_add_format(line, "%s stopped by itself ", name_of(canary->version, canary->id));
    if (count == 1) text_add(line, "once");
    if (count != 1) text_add_format(line, "%llu times", count);
}

void trouble_add_ending(struct text *line, const struct canary *canary)
{
    if (canary->ending) text_add_format(line, ": %s", canary->ending);
}

void trouble_add_unanswered(struct text *line, const struct canary *canary)
{
    text_add_format(line, "%s answered none of its requests for ", name_of(canary->version, canary->id));
    text_add_duration(line, canary->ramp.unanswered_ms);
    text_add_format(line, ", of which %llu wait; %s answers", (unsigned long long)canary->ramp.open,
        name_of(canary->baseline_version, canary->baseline));
}
