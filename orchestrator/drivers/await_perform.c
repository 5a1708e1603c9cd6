/* await_perform.c: performs await: parks until it is time. */
#include "drivers.h"

#include "base/clock.h"
#include "base/json.h"

int await_perform(struct step *step, struct error *err)
{
    int64_t until_ms = json_whole(step_with(step), "until", 0);
    return clock_now_ms() >= until_ms ? 0 : step_park(step, until_ms, json_object(), err);
}
