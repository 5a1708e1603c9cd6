/* limits.c: memory, processor and processes of a stage: cgroup v2 where its controllers are to be had, else v1's, else rlimits. Only where
   a limit is asked for. A step's program joins by writing to descriptors that the shim opened, so it needs no rights of its own. */
#include "cgroup.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a controller's files are called, by version. */
struct controller {
    const char *name, *limit_file, *events_file, *event;
};
enum { MEMORY, CPU, PIDS };

/* From this number on (the default) a limit of processes is a safety net against a fork bomb, and an rlimit is enough, which the kernel
   counts for each user namespace. To join a cgroup costs each step an RCU grace period, up to tens of milliseconds. */
enum { SAFETY_NET_PROCESSES = 4096 };
static const struct controller controllers[2][3] = {
    {{"memory", "memory.limit_in_bytes", "memory.oom_control", "oom_kill "}, {"cpu", "cpu.cfs_quota_us", NULL, NULL},
        {"pids", "pids.max", "pids.events", "max "}},
    {{"memory", "memory.max", "memory.events", "oom_kill "}, {"cpu", "cpu.max", NULL, NULL}, {"pids", "pids.max", "pids.events", "max "}},
};

static bool is_wanted(const struct limits *limits, int which)
{
    return which == MEMORY ? limits->memory_bytes > 0 : which == CPU ? limits->cpu_thousandths > 0 : limits->processes > 0;
}

static bool needs_cgroup(const struct limits *limits, int which)
{
    return is_wanted(limits, which) && (which != PIDS || limits->processes < SAFETY_NET_PROCESSES);
}

static void write_limit(const struct limits *limits, int which, const char *folder)
{
    char text[64];
    unsigned long long quota = limits->cpu_thousandths * 100ULL;
    if (which == MEMORY)
        snprintf(text, sizeof text, "%llu", (unsigned long long)limits->memory_bytes);
    else if (which == PIDS)
        snprintf(text, sizeof text, "%u", limits->processes);
    else if (limits->v2)
        snprintf(text, sizeof text, "%llu 100000", quota);
    else
        snprintf(text, sizeof text, "%llu", quota);
    if (which == MEMORY && limits->v2) cgroup_write(folder, "memory.swap.max", "0");
    cgroup_write(folder, controllers[limits->v2][which].limit_file, text);
    if (which == MEMORY && !limits->v2) cgroup_write(folder, "memory.memsw.limit_in_bytes", text); /* where swap is accounted */
}

/* One folder a controller in v1; the same for all in v2. */
static bool open_controller(struct shim *shim, struct stage *stage, int which)
{
    struct limits *limits = &stage->limits;
    char leaf[32], folder[PATH_BYTES];
    snprintf(leaf, sizeof leaf, "stage-%u", stage->id);
    if (!cgroup_make(shim, limits->v2 ? NULL : controllers[0][which].name, leaf, folder)) return false;
    if (strlen(folder) >= sizeof limits->cgroup[which]) return false;
    memcpy(limits->cgroup[which], folder, strlen(folder) + 1);
    write_limit(limits, which, folder);
    limits->join[which] = cgroup_open(folder, "cgroup.procs");
    return limits->join[which] >= 0;
}

void limits_open(struct shim *shim, struct stage *stage)
{
    struct limits *limits = &stage->limits;
    bool wanted[3], any = false;
    for (int which = 0; which < 3; which++)
        any |= wanted[which] = needs_cgroup(limits, which);
    if (!any) return;
    limits->v2 = cgroup_has_controllers(wanted[MEMORY], wanted[CPU], wanted[PIDS]);
    for (int which = 0; which < 3; which++)
        if (wanted[which]) open_controller(shim, stage, which);
    limits_poll(limits);
}

void limits_close(struct limits *limits)
{
    for (int which = 0; which < 3; which++) {
        if (limits->join[which] >= 0) close(limits->join[which]);
        limits->join[which] = -1;
        if (limits->cgroup[which][0]) rmdir(limits->cgroup[which]);
        limits->cgroup[which][0] = '\0';
    }
}

int limits_join(const struct limits *limits)
{
    for (int which = 0; which < 3; which++)
        if (limits->join[which] >= 0 && write(limits->join[which], "0", 1) != 1) return -errno;
    return 0;
}

/* A limit above the hard one cannot be had and is as good as kept. */
static void set_resource(int resource, uint64_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) return;
    if (value < limit.rlim_max) limit.rlim_max = value;
    if (limit.rlim_max < limit.rlim_cur) limit.rlim_cur = limit.rlim_max;
    if (value < limit.rlim_cur) limit.rlim_cur = value;
    setrlimit(resource, &limit);
}

/* The disk's limit always; memory and processes where there was no cgroup. RLIMIT_DATA is what a program really allocates: RLIMIT_AS would
   forbid what only reserves addresses, as sanitizers and Go do. */
void limits_set_resources(const struct limits *limits)
{
    set_resource(RLIMIT_CORE, 0);
    if (limits->disk_bytes) set_resource(RLIMIT_FSIZE, limits->disk_bytes);
    if (limits->memory_bytes && limits->join[MEMORY] < 0) set_resource(RLIMIT_DATA, limits->memory_bytes);
    if (limits->processes && limits->join[PIDS] < 0) set_resource(RLIMIT_NPROC, limits->processes + 3); /* init, step-init, spare: ours */
}

static uint64_t count_of(const struct limits *limits, int which)
{
    const struct controller *controller = &controllers[limits->v2][which];
    char text[1024];
    if (!limits->cgroup[which][0] || !cgroup_read(limits->cgroup[which], controller->events_file, text, sizeof text)) return 0;
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, controller->event, strlen(controller->event)) == 0) return strtoull(line + strlen(controller->event), NULL, 10);
    return 0;
}

void limits_poll(struct limits *limits)
{
    limits->memory_events = count_of(limits, MEMORY);
    limits->process_events = count_of(limits, PIDS);
}

void limits_describe(const struct limits *limits, char *text, size_t room)
{
    static const char *const names[] = {"memory", "processor", "processes"};
    size_t used = strlen(text);
    for (int which = 0; which < 3; which++) {
        if (!is_wanted(limits, which)) continue;
        const char *without = which == CPU ? "nothing: no cgroup here" : "rlimit";
        const char *by = limits->join[which] < 0 ? without : limits->v2 ? "cgroup v2" : "cgroup v1";
        int more = snprintf(text + used, room - used, "; %s limited by %s", names[which], by);
        if (more < 0 || (size_t)more >= room - used) return;
        used += (size_t)more;
    }
}
