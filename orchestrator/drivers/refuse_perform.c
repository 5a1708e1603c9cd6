/* refuse_perform.c: performs refuse: says why, and fails. */
#include "ask_perform.h"
#include "drivers.h"

#include "base/json.h"

int refuse_perform(struct step *step, struct error *err)
{
    const char *because = json_text(step_with(step), "because", "nothing here can do it");
    int failed = error_set(err, ERROR_CONFLICT, NOWHERE, "%s", because);
    return driver_end(step, failed, because, err);
}
