/* keeper.c: starting a domain's keeper, where there is none. */
#include "exec/keeper.h"

#include "exec/launch.h"

#include <errno.h>
#include <sys/stat.h>

int keeper_ensure(const char *folder, const char *shim_path, struct error *err)
{
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) return error_set_errno(err, errno, "the keeper's folder %.200s cannot be made", folder);
    if (launch_keeper_lives(folder)) return 0;
    int code = launch_keeper(folder, shim_path, err);
    return code < 0 ? error_hint(err, "run %.100s --keep KEEP by hand: it says what is wrong", shim_path) : 0;
}
