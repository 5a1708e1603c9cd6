/* late_perform.c: a request that was sent and not answered may still arrive: how long, and waiting for that. What nobody will send again is
   absent only then, and a peer that does not know a repetition gets a second one only then.
   Of what this process sent it knows when it gave that up. What an earlier one sent had left when that process was gone, and at the latest
   some time after it was told to go; the former is measured by this process, so a clock that is set does not matter to it. */
#include "protocol_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <signal.h>
#include <time.h>

enum {
    SENDING_MS =
        60 * 1000, /* from the word to go to the end of sending: net/tmf/client.c looks for its peer for 30 s, and sends for 30 s */
    PARK_FROM_MS = 10 * 1000, /* a shorter wait is not worth another process */
};

static struct delivery delivery_of(const struct step *step)
{
    struct delivery delivery = {0};
    if (step->type->delivery) step->type->delivery(step, &delivery);
    return delivery;
}

bool late_may_repeat(const struct step *step)
{
    return delivery_of(step).repeat_is_safe;
}

/* A clock that was set back tells nothing. */
static bool is_told(const struct sending *sending)
{
    return sending->told_ms > 0 && sending->told_ms <= clock_now_ms();
}

/* Wall clock: when what an earlier process sent cannot arrive any more, whoever asks then. */
static int64_t over_ms(const struct step *step, const struct sending *sending)
{
    return sending->told_ms + SENDING_MS + delivery_of(step).life_ms;
}

int64_t late_left_ms(const struct step *step, const struct sending *sending)
{
    int64_t from_us = sending->left_us ? sending->left_us : step->began_us;
    int64_t left = delivery_of(step).life_ms - (clock_monotonic_us() - from_us) / 1000;
    if (!sending->left_us && is_told(sending) && over_ms(step, sending) - clock_now_ms() < left)
        left = over_ms(step, sending) - clock_now_ms();
    return left > 0 ? left : 0;
}

bool late_is_ended(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) == 1;
}

static int wait_here(int64_t left_ms, const char *name, struct error *err)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    const struct timespec left = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
    if (sigtimedwait(&end, NULL, &left) != SIGTERM) return 0;
    raise(SIGTERM);
    return error_set(err, ERROR_STATE, NOWHERE, "it is ended while it waits whether %s arrives late", name);
}

int late_wait(struct step *step, const struct sending *sending, const char *name, int64_t left_ms, struct error *err)
{
    AUTO(text_release) struct text time = {0};
    bool parks = left_ms >= PARK_FROM_MS && is_told(sending);
    text_add_duration(&time, parks ? over_ms(step, sending) - clock_now_ms() : left_ms);
    step_progress(step, 0, "%s may still be on its way: looks again in %s", name, text_view(&time));
    return parks ? step_park_for(step, over_ms(step, sending), "peer", NULL, err) : wait_here(left_ms, name, err);
}
