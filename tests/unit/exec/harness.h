/* harness.h: a real shim in a folder of its own, driven through the supervisor; what its reports said is kept for the test to look at. */
#ifndef TESTS_EXEC_HARNESS_H
#define TESTS_EXEC_HARNESS_H

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "exec/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEN_MAX = 4096, PATIENCE_MS = 20 * 1000, NOBODY = 0 };

struct seen {
    struct supervisor_report report;
    char *text, *outputs;
};
struct harness {
    uv_loop_t loop;
    char *folder, *workspace, *shim;
    struct supervisor *supervisor;
    struct seen seen[SEEN_MAX];
    size_t count;
    unsigned attached, lost, batches;
    uint64_t sequence;
    uint64_t epoch, replaced_by; /* ours; the later one for which the shim refused us */
    unsigned troubles;
    char *trouble; /* what is in its way, and is said since */
};

static inline void harness_report(void *context, const struct supervisor_report *report)
{
    struct harness *harness = context;
    assert_true(harness->count < SEEN_MAX);
    assert_true(report->sequence == harness->sequence + 1); /* in order, none twice, none left out */
    harness->sequence = report->sequence;
    harness->seen[harness->count++] =
        (struct seen){*report, mem_copy_text(report->text), mem_copy_bytes(report->outputs ? report->outputs : "", report->outputs_size)};
}

static inline void harness_batch(void *context)
{
    ((struct harness *)context)->batches++;
}

static inline void harness_attached(void *context)
{
    ((struct harness *)context)->attached++;
}

static inline void harness_lost(void *context)
{
    ((struct harness *)context)->lost++;
}

static inline void harness_replaced(void *context, uint64_t epoch)
{
    ((struct harness *)context)->replaced_by = epoch;
}

static inline void harness_trouble(void *context, const char *why)
{
    struct harness *harness = context;
    harness->troubles++;
    free(take(&harness->trouble));
    harness->trouble = why ? mem_copy_text(why) : NULL;
}

static inline const char *harness_shim_path(void)
{
    const char *path = getenv("CRESCENDO_SHIM");
    static char made[4096];
    if (path) return path;
    snprintf(made, sizeof made, "%s/crescendo-shim", getenv("BUILD") ? getenv("BUILD") : "build");
    return made;
}

static inline void harness_open(struct harness *harness, bool start)
{
    struct supervisor_hooks hooks = {
        harness_report, harness_batch, harness_attached, harness_lost, harness, harness_replaced, harness->epoch, harness_trouble};
    struct error err = {0};
    int failed =
        supervisor_open(&harness->loop, harness->folder, harness_shim_path(), harness->sequence, start, &hooks, &harness->supervisor, &err);
    if (failed) fail_msg("%s", err.message);
}

static inline bool harness_is_attached(struct harness *harness, void *context)
{
    return harness->attached >= *(unsigned *)context;
}

/* Waits, turning the loop, since a spare is taken only then. */
static inline bool harness_turn(struct harness *harness, bool (*done)(struct harness *harness, void *context), void *context);
static inline void harness_wait_attached(struct harness *harness, unsigned times)
{
    assert_true(harness_turn(harness, harness_is_attached, &times));
}

/* A shim that no run has yet, in harness->folder, that is then renamed to be a run's. */
static inline void harness_open_spare(struct harness *harness)
{
    struct supervisor_hooks hooks = {harness_report, harness_batch, harness_attached, harness_lost, harness};
    struct error err = {0};
    if (supervisor_open_spare(&harness->loop, harness->folder, harness_shim_path(), &hooks, &harness->supervisor, &err) < 0)
        fail_msg("%s", err.message);
    harness_wait_attached(harness, 1);
}

static inline void harness_take_spare(struct harness *harness)
{
    struct supervisor_hooks hooks = {harness_report, harness_batch, harness_attached, harness_lost, harness};
    char *run = mem_format("%s-run", harness->folder);
    assert_int_equal(rename(harness->folder, run), 0);
    free(harness->folder);
    free(harness->workspace);
    harness->folder = run;
    harness->workspace = mem_format("%s/workspace", run);
    supervisor_take(harness->supervisor, run, &hooks);
    harness_wait_attached(harness, 2);
}

/* Set by a test: from now on every shim is one that was there before its run, with the half of its first sandbox. */
static bool harness_spares;

/* A new folder, a new shim. */
static inline struct harness *harness_new_in(const char *parent)
{
    struct harness *harness = mem_alloc(sizeof *harness);
    char template[256];
    snprintf(template, sizeof template, "%s/crescendo-exec-XXXXXX", parent);
    assert_non_null(mkdtemp(template));
    harness->folder = mem_copy_text(template);
    harness->workspace = mem_format("%s/workspace", template);
    assert_int_equal(mkdir(harness->workspace, 0755), 0);
    uv_loop_init(&harness->loop);
    if (!harness_spares) {
        harness_open(harness, true);
        return harness;
    }
    harness_open_spare(harness);
    usleep(50 * 1000); /* what it makes ahead may be there, or not: both are right */
    harness_take_spare(harness);
    harness->attached = 1;
    return harness;
}

static inline struct harness *harness_new(void)
{
    return harness_new_in("/tmp");
}

static inline void ignore_timer(uv_timer_t *timer)
{
    (void)timer;
}

/* Turns the loop until done says so. Patience is only for a broken build: then the test fails. */
static inline bool harness_turn(struct harness *harness, bool (*done)(struct harness *harness, void *context), void *context)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    uv_timer_t timer;
    uv_timer_init(&harness->loop, &timer);
    uv_timer_start(&timer, ignore_timer, 20, 20);
    while (!done(harness, context) && clock_now_ms() < end)
        uv_run(&harness->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&harness->loop, UV_RUN_NOWAIT);
    return done(harness, context);
}

static inline const struct seen *harness_find(struct harness *harness, enum shim_report type, uint32_t step)
{
    for (size_t i = 0; i < harness->count; i++) {
        const struct supervisor_report *report = &harness->seen[i].report;
        if (report->type == type && (type == SHIM_ISOLATION ? report->stage : report->step) == step) return &harness->seen[i];
    }
    return NULL;
}

struct wanted {
    enum shim_report type;
    uint32_t step;
};
static inline bool harness_has(struct harness *harness, void *context)
{
    struct wanted *wanted = context;
    return harness_find(harness, wanted->type, wanted->step) != NULL;
}

static inline const struct seen *harness_wait(struct harness *harness, enum shim_report type, uint32_t step)
{
    struct wanted wanted = {type, step};
    if (!harness_turn(harness, harness_has, &wanted)) fail_msg("no report %d of step %u came", type, step);
    return harness_find(harness, type, step);
}

/* The step's end, whatever it was: EXITED, REFUSED or DROPPED. */
static inline bool harness_ended(struct harness *harness, void *context)
{
    uint32_t step = *(uint32_t *)context;
    return harness_find(harness, SHIM_EXITED, step) || harness_find(harness, SHIM_REFUSED, step) ||
           harness_find(harness, SHIM_DROPPED, step);
}

static inline const struct seen *harness_end_of(struct harness *harness, uint32_t step)
{
    if (!harness_turn(harness, harness_ended, &step)) fail_msg("step %u did not end", step);
    const struct seen *seen = harness_find(harness, SHIM_EXITED, step);
    if (!seen) seen = harness_find(harness, SHIM_REFUSED, step);
    return seen ? seen : harness_find(harness, SHIM_DROPPED, step);
}

static inline void harness_sandbox(struct harness *harness, uint32_t stage, enum sandbox_mode mode)
{
    struct sandbox_request request = {.stage = stage, .workspace = harness->workspace, .mode = mode};
    supervisor_sandbox(harness->supervisor, &request);
}

/* A new shim with stage 1, which has no sandbox. */
static inline struct harness *harness_open_stage(void)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    return harness;
}

/* A stage with a folder beside the workspace that may be written, and one that may be read. Both are made beside it. */
static inline void harness_sandbox_with_folders(struct harness *harness, uint32_t stage)
{
    AUTO(free_text) char *writable = mem_format("%s/writable", harness->folder);
    AUTO(free_text) char *readable = mem_format("%s/readable", harness->folder);
    assert_int_equal(mkdir(writable, 0755), 0);
    assert_int_equal(mkdir(readable, 0755), 0);
    const char *const read_write[] = {writable, NULL}, *const read_only[] = {readable, NULL};
    struct sandbox_request request = {
        .stage = stage, .workspace = harness->workspace, .mode = SANDBOX_DEFAULT, .read_only = read_only, .read_write = read_write};
    supervisor_sandbox(harness->supervisor, &request);
}

/* The folder that may be written holds what a step wrote there, as our own; the one that may be read holds nothing. */
static inline void harness_folders_are_kept(struct harness *harness)
{
    AUTO(free_text) char *made = mem_format("%s/writable/made", harness->folder);
    AUTO(free_text) char *refused = mem_format("%s/readable/made", harness->folder);
    struct stat facts;
    assert_int_equal(stat(made, &facts), 0);
    assert_int_equal(facts.st_uid, geteuid());
    assert_int_equal(access(refused, F_OK), -1);
}

static const char *const harness_environment[] = {"PATH=/usr/bin:/bin", "LANG=C", NULL};

static inline struct start_request harness_request(uint32_t step, uint32_t stage, const char *const *argv)
{
    return (struct start_request){.step = step,
        .attempt = 1,
        .stage = stage,
        .after = UINT32_MAX,
        .timeout_ms = 60 * 1000,
        .grace_ms = 500,
        .argv = argv,
        .environment = harness_environment,
        .title = "a step"};
}

/* Starts `sh -c script`; the script's text must live until the loop has turned. */
static inline void harness_sh(struct harness *harness, uint32_t step, uint32_t stage, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct start_request request = harness_request(step, stage, argv);
    supervisor_start(harness->supervisor, &request);
}

/* What a step printed on a stream, over all of RUN/log; caller frees. */
static inline char *harness_log(struct harness *harness, uint32_t step, unsigned stream)
{
    AUTO(free_text) char *path = mem_format("%s/log", harness->folder);
    AUTO(free_text) char *bytes = NULL;
    size_t size, at = 8;
    struct text text = {0};
    assert_int_equal(file_read(path, SIZE_MAX / 4, &bytes, &size, NULL), 0);
    assert_memory_equal(bytes, LOG_SEGMENT_MAGIC, 8);
    while (at + sizeof(struct log_record) <= size) {
        struct log_record record;
        memcpy(&record, bytes + at, sizeof record);
        at += sizeof record;
        assert_int_equal(record.magic, LOG_RECORD_MAGIC);
        if (record.step == step && record.stream == stream) text_add_bytes(&text, bytes + at, record.size);
        at += record.size;
    }
    assert_int_equal(at, size);
    return text_take(&text);
}

static inline pid_t harness_shim_pid(const struct harness *harness)
{
    AUTO(free_text) char *path = mem_format("%s/shim.lock", harness->folder);
    AUTO(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK) return NOBODY;
    return lock.l_pid;
}

/* Living processes whose command line holds the marker: what a step may have left behind. */
static inline unsigned harness_processes(const char *marker)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[300], line[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        ssize_t size = read(fd, line, sizeof line);
        close(fd);
        if (size > 0 && memmem(line, (size_t)size, marker, strlen(marker))) count++;
    }
    closedir(folder);
    return count;
}

static inline bool harness_gone(struct harness *harness, void *context)
{
    (void)harness;
    return harness_processes(context) == 0;
}

static inline unsigned harness_descriptors(const struct harness *harness)
{
    AUTO(free_text) char *path = mem_format("/proc/%d/fd", (int)harness_shim_pid(harness));
    unsigned count = 0;
    DIR *folder = opendir(path);
    if (!folder) return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static inline void harness_walk_close(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static inline bool harness_unlocked(struct harness *harness, void *context)
{
    (void)context;
    return harness_shim_pid(harness) == NOBODY;
}

/* Ends the run; the shim must go by itself. */
static inline void harness_free(struct harness *harness)
{
    if (harness->supervisor) supervisor_end(harness->supervisor);
    bool gone = harness_turn(harness, harness_unlocked, NULL);
    pid_t pid = gone ? NOBODY : harness_shim_pid(harness);
    if (pid) kill(pid, SIGKILL);
    uv_walk(&harness->loop, harness_walk_close, NULL);
    uv_run(&harness->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&harness->loop), 0);
    for (size_t i = 0; i < harness->count; i++) {
        free(harness->seen[i].text);
        free(harness->seen[i].outputs);
    }
    supervisor_sweep(harness->folder);
    int ignored = file_remove_tree(harness->folder, NULL);
    (void)ignored;
    free(harness->trouble);
    free(harness->folder);
    free(harness->workspace);
    free(harness);
    if (!gone) fail_msg("the shim did not exit by itself after the run's end");
}

#endif
