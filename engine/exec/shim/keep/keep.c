/* keep.c: the keeper of a domain: starting, and its turn, which brings everything in line with the state. */
#include "keep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_BYTES = 256 * 1024 * 1024, PORTS_PAUSE_US = 20 * 1000 };
static const int64_t UNASKED_US = 10 * 60 * 1000000LL, SAVE_AGAIN_US = 1000 * 1000, PORTS_US = 3 * 1000 * 1000;

int64_t earliest(int64_t a, int64_t b)
{
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* Services that were told to stop and have no instance any more. */
static void forget_services(struct keep *keep)
{
    for (struct service **at = &keep->services, *service; (service = *at);) {
        if (!service->stopping || service->instances) {
            at = &service->next;
            continue;
        }
        struct family *family = service->family;
        *at = service->next;
        service_free(service);
        family_release(keep, family);
        keep->unsaved = true;
    }
}

/* What changed by itself is in force already; a disk that is full is tried again. */
static void save_by_itself(struct keep *keep, int64_t now)
{
    struct error err = {0};
    if (!keep->unsaved || now < keep->save_us) return;
    keep->save_us = state_save(keep, &err) < 0 ? now + SAVE_AGAIN_US : 0;
}

static void turn_log(struct shim *shim)
{
    if (shim->log.size_bytes < LOG_BYTES) return;
    if (renameat(shim->folder_fd, "log", shim->folder_fd, "log.1") < 0) return;
    close(shim->log.fd);
    log_open(shim);
}

static void keep_turn(struct shim *shim, int64_t now)
{
    struct keep *keep = (struct keep *)shim;
    if (folder_turn(&keep->shim, now)) keep->shim.stop = true;
    if (shim->stop) return;
    instances_hear(keep);
    if (leases_expire(keep, now)) keep->unsaved = true;
    haproxy_turn(keep, now);
    routes_sync(keep);
    for (struct service *service = keep->services; service; service = service->next)
        service_turn(keep, service, now);
    instances_hear(keep);
    haproxy_turn(keep, now);
    routes_sync(keep);
    forget_services(keep);
    routes_sync(keep);
    if (keep->reconfigured) haproxy_configure(keep);
    save_by_itself(keep, now);
    if (keep->records.flush_us && now >= keep->records.flush_us) records_flush(keep);
    turn_log(shim);
    talk_bury(keep);
    bool unneeded = keep->moved || now >= keep->asked_us + UNASKED_US;
    if (!keep->services && !keep->clients && unneeded) shim->stop = true;
}

static int64_t keep_deadline(const struct shim *shim)
{
    const struct keep *keep = (const struct keep *)shim;
    int64_t first = earliest(haproxy_deadline(keep), keep->records.flush_us);
    if (shim->reports.pending.size) return 1;
    for (const struct service *service = keep->services; service; service = service->next)
        first = earliest(first, service_deadline(service));
    if (keep->unsaved) first = earliest(first, keep->save_us ? keep->save_us : 1);
    return keep->services ? first : earliest(first, keep->asked_us + UNASKED_US);
}

static void printed(struct shim *shim, uint32_t step, const char *bytes, size_t size)
{
    struct keep *keep = (struct keep *)shim;
    struct instance *instance = instance_of_step(keep, step);
    if (!instance) return;
    tail_add(instance->tail, &instance->tail_size, bytes, size);
    output_add(keep, instance, bytes, size);
}

static void reaped(struct shim *shim, pid_t pid, int status)
{
    haproxy_reaped((struct keep *)shim, pid, status);
}

struct shim *keep_new(void)
{
    struct keep *keep = mem_alloc(sizeof *keep);
    keep->shim.hooks = (struct hooks){printed, reaped, keep_turn, keep_deadline};
    return &keep->shim;
}

static bool has_its_port(struct keep *keep)
{
    for (const struct family *family = keep->families; family; family = family->next)
        if (!port_of(keep, family->port)) return false;
    return true;
}

/* What a killed guardian left listening is being ended by the kernel: its ports come free within milliseconds. */
static void hold_ports_again(struct keep *keep)
{
    int64_t end = now_us() + PORTS_US;
    ports_hold(keep);
    while (!has_its_port(keep) && now_us() < end) {
        usleep(PORTS_PAUSE_US);
        ports_hold(keep);
    }
    for (struct family *family = keep->families; family; family = family->next) {
        struct error ignored = {0};
        if (family_port(keep, family, &ignored) == 0) keep->unsaved = true;
    }
}

void keep_open(struct shim *shim)
{
    struct keep *keep = (struct keep *)shim;
    static const struct step itself = {.id = NO_STEP};
    if (keep->ended) log_say(shim, &itself, "the keeper ended (status %d); this is the next one", keep->ended);
    keep->next_port = (uint32_t)(now_us() / 1000 * 7 + getpid() * 131);
    keep->asked_us = keep->opened_us = now_us();
    state_load(keep);
    records_open(keep);
    hold_ports_again(keep);
    haproxy_open(keep);
    talk_open(keep);
    folder_open(shim);
}

void keep_close(struct shim *shim)
{
    struct keep *keep = (struct keep *)shim;
    records_read(keep, true);
    records_flush(keep);
    unlinkat(shim->folder_fd, "keeper.sock", 0);
    unlinkat(shim->folder_fd, "haproxy.sock", 0);
}
