/* keeper.c: starting a domain's keeper, where there is none. */
#include "exec/keeper.h"

#include "base/clock.h"
#include "base/file.h"
#include "exec/launch.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

enum { PATIENCE_MS = 10 * 1000, TRIES = 3 };

/* One that somebody else is starting has its lock before its socket: it may be waiting for the ports of the one before it. */
static int wait_for_answer(const char *folder, struct error *err)
{
    const struct timespec pause = {0, 5 * 1000000};
    int64_t end_us = clock_monotonic_us() + PATIENCE_MS * 1000LL;
    while (!launch_keeper_answers(folder)) {
        if (!launch_keeper_lives(folder))
            return error_set(err, ERROR_UNAVAILABLE, NOWHERE, "the keeper of %.200s ended as it began", folder);
        if (clock_monotonic_us() > end_us) return error_set(err, ERROR_TIMEOUT, NOWHERE, "the keeper of %.200s does not answer", folder);
        nanosleep(&pause, NULL);
    }
    return 0;
}

int keeper_ensure(const char *folder, const char *shim_path, struct error *err)
{
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) return error_set_errno(err, errno, "the keeper's folder %.200s cannot be made", folder);
    int failed = launch_keeper_lives(folder) ? 0 : file_keep_folders(folder, 0700, err);
    if (failed) return failed;
    int code = -ERROR_UNAVAILABLE;
    for (int tries = 0; code == -ERROR_UNAVAILABLE && tries < TRIES; tries++) { /* one that was about to die may have seemed to live */
        code = launch_keeper_lives(folder) ? 0 : launch_keeper(folder, shim_path, err);
        if (code == 0) code = wait_for_answer(folder, err);
    }
    return code < 0 ? error_hint(err, "run %.100s --keep KEEP by hand: it says what is wrong", shim_path) : 0;
}

int keeper_end_awaited(const char *folder, int timeout_ms, struct error *err)
{
    const struct timespec pause = {0, 5 * 1000000};
    int64_t end_us = clock_monotonic_us() + timeout_ms * 1000LL;
    while (launch_keeper_lives(folder)) {
        if (clock_monotonic_us() > end_us) return error_set(err, ERROR_TIMEOUT, NOWHERE, "the keeper of %.200s does not end", folder);
        nanosleep(&pause, NULL);
    }
    return 0;
}
