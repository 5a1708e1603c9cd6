/* answer.c: hands a push to the server and prints, in the push, what it says; follows the run. */
#include "trigger/hook/hook.h"

#include "base/mem.h"
#include "net/local.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A server that has the push on disk answers within some milliseconds; a slower one is not waited for with the push in memory only. */
enum { ANSWER_TIMEOUT_MS = 30 * 1000, SYNC_AFTER_MS = 50 };
static const char kept[] = "this push is stored and will be run when the server is back";
static const char lost[] = "this push is NOT stored: push again when the server is back";

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

static void say_refusal(const struct local_response *answer, const char *what)
{
    struct text message = {0}, hint = {0};
    if (!json_find(answer->body, "message", &message)) text_add_format(&message, "status %d", answer->status);
    say("Crescendo %s: %s\n", what, text_view(&message));
    if (json_find(answer->body, "hint", &hint)) say("  %s\n", text_view(&hint));
    text_release(&message);
    text_release(&hint);
}

static void note_run(struct hook *hook, const struct local_response *answer)
{
    struct text text = {0}, run = {0};
    if (json_find(answer->body, "text", &text)) say("%s", text_view(&text));
    json_find(answer->body, "run", &run);
    unsigned long long number = strtoull(text_view(&run), NULL, 10);
    text_release(&text);
    run.size = 0;
    bool invalid = json_find(answer->body, "invalid", &run) && text_equal(text_view(&run), "true");
    if (number && !invalid && hook->run_count < HOOK_RUNS_MAX) hook->runs[hook->run_count++] = number;
    text_release(&run);
}

/* A repository that was copied or moved out of a data folder: nobody will ever look into its spool. Where the folder cannot be looked
   into, it is taken for one. */
static bool belongs_to_nobody(const struct hook *hook)
{
    return text_equal(hook->server, HOOK_SERVER) && access("../../journal.db", F_OK) < 0 && errno == ENOENT;
}

static void say_unanswered(const struct hook *hook, struct spooled *spooled, const struct error *err)
{
    if (belongs_to_nobody(hook)) {
        spool_remove(spooled);
        say("Crescendo: this repository belongs to no server, so this push starts nothing\n");
        say("  a server's repositories stand in the folder repositories of its data folder: move this one there, or push to\n");
        say("  a new one, crescendo repository add NAME\n");
        return;
    }
    spool_sync(spooled);
    say("Crescendo: no answer from the server: %s\n", spooled->synced ? kept : lost);
    say("  %s\n", err->message);
}

void hand_over(struct hook *hook, const struct text *body, struct spooled *spooled)
{
    struct local_request request = {.server = hook->server,
        .token = hook->token,
        .method = "POST",
        .path = "/v1/pushes",
        .body = body->bytes,
        .body_size = body->size,
        .timeout_ms = ANSWER_TIMEOUT_MS,
        .late = spool_sync,
        .late_context = spooled,
        .late_ms = SYNC_AFTER_MS};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0) {
        say_unanswered(hook, spooled, &err);
        return;
    }
    if (answer.status / 100 == 2) {
        spool_remove(spooled);
        note_run(hook, &answer);
    } else if (answer.status == 400 || answer.status == 404 || answer.status == 413) {
        spool_reject(spooled);
        say_refusal(&answer, "can start nothing for this push");
    } else {
        say_refusal(&answer, "cannot take this push now");
        say("  %s\n", spooled->synced ? kept : lost);
    }
    local_response_release(&answer);
}

static int print_bytes(void *context, const char *bytes, size_t size)
{
    *(bool *)context = true;
    bool good = fwrite(bytes, 1, size, stdout) == size;
    return fflush(stdout) == 0 && good ? 0 : -1;
}

static void follow_run(const struct hook *hook, unsigned long long run, int64_t seconds)
{
    bool printed = false;
    AUTO(free_text) char *path = mem_format("/v1/runs/%llu/follow?seconds=%lld&colour=%d", run, (long long)seconds, hook->colour);
    struct local_request request = {.server = hook->server,
        .token = hook->token,
        .method = "GET",
        .path = path,
        .timeout_ms = (int)(seconds + 15) * 1000,
        .on_bytes = print_bytes,
        .context = &printed};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0)
        say("Crescendo: the server has left; the run goes on when it is back: crescendo watch %llu\n", run);
    else if (answer.status / 100 != 2)
        say_refusal(&answer, "cannot show this run");
    local_response_release(&answer);
}

static int64_t now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void follow(const struct hook *hook)
{
    int64_t until = now_seconds() + hook->follow_seconds;
    for (unsigned i = 0; i < hook->run_count; i++) {
        int64_t left = until - now_seconds();
        if (hook->run_count > 1) say("run %llu:\n", hook->runs[i]);
        follow_run(hook, hook->runs[i], left > 0 ? left : 0);
    }
}
