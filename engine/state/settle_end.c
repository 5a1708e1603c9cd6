/* settle_end.c: how a step's process ended, in words for a person. */
#include "state/parts.h"

#include "base/json.h"

#include <string.h>

enum { EXIT_FILE_SIZE = 128 + 25 }; /* a shell's word for a command that SIGXFSZ ended: a file over the disk limit */

static void add_limit(struct text *message, const char *what, const char *key, const struct plan_step *plan)
{
    int64_t limit = json_whole(plan->sandbox, key, 0);
    text_add_format(message, "ended by its %s limit", what);
    if (!limit) return;
    text_add(message, " (");
    if (strcmp(key, "processes") != 0)
        text_add_size(message, limit);
    else
        text_add_format(message, "%lld", (long long)limit);
    text_add(message, ")");
}

static void add_file_limit(struct text *message, const struct plan_step *plan)
{
    int64_t limit = json_whole(plan->sandbox, "disk", 0);
    if (!limit) return;
    text_add(message, ": a file grew over the disk limit of ");
    text_add_size(message, limit);
}

void describe_end(const struct report *report, const struct plan_step *plan, const char *fault, struct text *message)
{
    const char *name = sigabbrev_np(report->signal);
    switch (report->cause) {
    case CAUSE_EXIT:
        if (fault) return text_add(message, fault);
        text_add_format(message, "exit %d", report->exit_code);
        if (report->exit_code == EXIT_PARKED) text_add(message, " (to park, a step says `park` first)");
        if (report->exit_code == EXIT_FILE_SIZE) add_file_limit(message, plan);
        break;
    case CAUSE_SIGNAL: text_add_format(message, "ended by signal %d%s%s", report->signal, name ? ", SIG" : "", name ? name : ""); break;
    case CAUSE_TIMEOUT:
        text_add(message, "took longer than ");
        text_add_duration(message, plan->timeout_ms);
        break;
    case CAUSE_CANCELLED: text_add(message, "cancelled"); break;
    case CAUSE_MEMORY: add_limit(message, "memory", "memory", plan); break;
    case CAUSE_DISK: add_limit(message, "disk", "disk", plan); break;
    case CAUSE_PROCESSES: add_limit(message, "process", "processes", plan); break;
    }
    if (report->message && *report->message) text_add_format(message, ": %s", report->message);
}
