/* spool.c: pushes that came while no server was there. The push's key makes taking one twice harmless. */
#include "trigger/spool.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "http/validate.h"
#include "trigger/push.h"
#include "trigger/repository.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESCAN_MS = 60 * 1000, YOUNG_SECONDS = 30 };

struct spool {
    const struct trigger *trigger;
    uv_timer_t timer;
    int64_t oldest_young_s; /* files changed since are a living hook's */
};

struct entry { /* one file on its way */
    char *path;
};

static void reject(const char *path, const struct error *err)
{
    AUTO(free_text) char *rejected = mem_format("%s.rejected", path);
    log_error(err, path);
    if (rename(path, rejected) < 0) log_line(LOG_LEVEL_WARNING, "%s: %s", path, strerror(errno));
}

static bool is_hopeless(const struct error *err)
{
    return err->code == ERROR_INVALID || err->code == ERROR_LIMIT || err->code == ERROR_NOT_FOUND;
}

static void on_answer(void *context, const struct push_answer *answer, const struct error *err)
{
    struct entry *entry = context;
    if (err && is_hopeless(err))
        reject(entry->path, err);
    else if (err)
        log_error(err, entry->path);
    else {
        unlink(entry->path);
        log_line(LOG_LEVEL_INFO, "a push from the spool: run %llu", (unsigned long long)answer->run);
    }
    free(entry->path);
    free(entry);
}

static void take_file(const struct spool *spool, const char *path, const struct stat *status)
{
    struct error err;
    AUTO(free_text) char *bytes = NULL;
    AUTO(free_json) json_t *body = NULL;
    size_t size = 0;
    int code = file_read(path, LIMIT_REQUEST_BYTES, &bytes, &size, &err);
    if (code == -ERROR_NOT_FOUND) return;
    if (code == 0) code = json_parse(bytes, size, path, &body, &err);
    if (code == 0) code = validate_body(body, push_body_fields, &err);
    if (code < 0) {
        if (is_hopeless(&err))
            reject(path, &err);
        else
            log_error(&err, path);
        return;
    }
    const struct passwd *owner = getpwuid(status->st_uid);
    AUTO(free_text) char *author = owner ? mem_copy_text(owner->pw_name) : mem_format("uid-%u", status->st_uid);
    struct entry *entry = mem_alloc(sizeof *entry);
    entry->path = mem_copy_text(path);
    push_submit(spool->trigger, body, author, on_answer, entry);
}

static int is_spooled(const struct dirent *entry)
{
    return text_ends(entry->d_name, ".json");
}

static void scan(void *context, const char *name, const char *path)
{
    (void)name;
    const struct spool *spool = context;
    AUTO(free_text) char *folder = mem_format("%s/crescendo-spool", path);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_spooled, alphasort); /* their names begin with the time: oldest first */
    for (int i = 0; i < count; i++) {
        AUTO(free_text) char *file = mem_format("%s/%s", folder, entries[i]->d_name);
        struct stat status;
        if (lstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_mtim.tv_sec <= spool->oldest_young_s)
            take_file(spool, file, &status);
        free(entries[i]);
    }
    free(entries);
}

static void scan_all(struct spool *spool)
{
    struct error err;
    if (repository_each(spool->trigger->data, scan, spool, &err) < 0) log_error(&err, "the spools");
}

static void on_timer(uv_timer_t *timer)
{
    struct spool *spool = timer->data;
    spool->oldest_young_s = clock_now_ms() / 1000 - YOUNG_SECONDS;
    scan_all(spool);
}

struct spool *spool_open(uv_loop_t *loop, const struct trigger *trigger)
{
    struct spool *spool = mem_alloc(sizeof *spool);
    spool->trigger = trigger;
    uv_timer_init(loop, &spool->timer);
    spool->timer.data = spool;
    uv_timer_start(&spool->timer, on_timer, RESCAN_MS, RESCAN_MS);
    spool->oldest_young_s = INT64_MAX;
    scan_all(spool);
    return spool;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void spool_close(struct spool **spool)
{
    struct spool *one = take(spool);
    if (one) uv_close((uv_handle_t *)&one->timer, on_closed);
}
