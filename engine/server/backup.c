/* backup.c: `crescendo backup FILE`: a data folder as a tar file, beside its running server: each journal as one state of it, taken first,
   then everything else as it is found. */
#include "server/offline.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/tar.h"
#include "base/text.h"
#include "store/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

struct backup {
    const struct offline *offline;
    char *part; /* FILE.part, until all of it is on disk */
    struct tar tar;
    struct stat itself;
    unsigned depth, left_out;
};

/* The journals are taken by themselves. Locks, sockets and the private server's log belong to processes, and so do workspaces: a step
   that was in one when the folder was lost is lost with it, and the next stage makes its own. */
static bool is_left_out(const struct backup *backup, const char *name, const struct stat *status)
{
    static const char *const left[] = {"lock", "core/lock", "server.log", "spares", "runs/*/workspaces", "core/runs/*/workspaces",
        "runs/*/log.zst.part", "core/runs/*/log.zst.part", NULL};
    for (const char *const *glob = left; *glob; glob++)
        if (text_matches_glob(name, *glob)) return true;
    if (text_starts(name, "journal.db") || text_starts(name, "core/journal.db")) return true;
    return S_ISSOCK(status->st_mode) || (status->st_ino == backup->itself.st_ino && status->st_dev == backup->itself.st_dev);
}

/* Of a repository its references before its objects: whatever is pushed meanwhile, what is referred to is there. */
static int rank(const char *name)
{
    return text_equal(name, "refs") || text_equal(name, "packed-refs") || text_equal(name, "HEAD") ? 0 : 1;
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    int first = rank((*a)->d_name), second = rank((*b)->d_name);
    return first != second ? first - second : strcmp((*a)->d_name, (*b)->d_name);
}

static int add_tree(struct backup *backup, const char *path, const char *name, struct error *err);

/* What a service or a tool of others made, whose name fits in no archive, or that may not be read, keeps nobody from a backup. */
static int tell_left_out(struct backup *backup, const struct error *err)
{
    bool is_small = err->code == ERROR_LIMIT || err->code == ERROR_DENIED;
    if (!is_small) return -(int)err->code;
    backup->left_out++;
    fprintf(stderr, "crescendo: left out: %s\n", err->message);
    return 0;
}

/* A log that was listed may have been compressed since; what replaced it was there before it went, though not when the folder was listed.
 */
static int add_compressed(struct backup *backup, const char *path, const char *name, struct error *err)
{
    AUTO(free_text) char *packed = mem_format("%s.zst", path);
    AUTO(free_text) char *packed_name = mem_format("%s.zst", name);
    bool taken;
    if (!text_matches_glob(name, "runs/*/log") && !text_matches_glob(name, "core/runs/*/log")) return 0;
    return tar_add(&backup->tar, packed, packed_name, &taken, err);
}

static int add_entry(struct backup *backup, const char *path, const char *name, const char *entry, struct error *err)
{
    AUTO(free_text) char *below = mem_format("%s/%s", path, entry);
    AUTO(free_text) char *below_name = *name ? mem_format("%s/%s", name, entry) : mem_copy_text(entry);
    struct stat status;
    if (text_equal(entry, ".") || text_equal(entry, "..")) return 0;
    bool taken = false, is_gone = lstat(below, &status) < 0;
    if (is_gone && errno != ENOENT) return error_set_errno(err, errno, "%s", below);
    if (!is_gone && is_left_out(backup, below_name, &status)) return 0;
    int failed = is_gone ? 0 : tar_add(&backup->tar, below, below_name, &taken, err);
    if (!failed && !taken) failed = add_compressed(backup, below, below_name, err);
    if (!failed && taken && S_ISDIR(status.st_mode)) failed = add_tree(backup, below, below_name, err);
    return failed ? tell_left_out(backup, err) : 0;
}

static int add_tree(struct backup *backup, const char *path, const char *name, struct error *err)
{
    struct dirent **entries = NULL;
    if (backup->depth == DEPTH_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "%s is over %d folders deep", path, (int)DEPTH_MAX);
    int failed = 0, count = scandir(path, &entries, NULL, compare_entries);
    if (count < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", path);
    backup->depth++;
    for (int i = 0; i < count; i++) {
        if (!failed) failed = add_entry(backup, path, name, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    backup->depth--;
    return failed;
}

/* A copy beside the archive, which is gone again when it stands there. */
static int add_journal(struct backup *backup, const char *folder, const char *name, struct error *err)
{
    AUTO(journal_close) struct journal *journal = NULL;
    AUTO(free_text) char *copy = mem_format("%s.journal", backup->part);
    bool taken;
    unlink(copy);
    int failed = journal_open_to_read(folder, &journal, err);
    if (!failed) failed = journal_copy(journal, copy, err);
    if (!failed) failed = tar_add(&backup->tar, copy, name, &taken, err);
    unlink(copy);
    return failed;
}

/* The server's journal first: what it knows of the core's orders then stands in the core's. */
static int add_all(struct backup *backup, struct error *err)
{
    const char *data = backup->offline->data;
    AUTO(free_text) char *core = mem_format("%s/core", data);
    AUTO(free_text) char *core_journal = mem_format("%s/journal.db", core);
    bool taken;
    int failed = add_journal(backup, data, "journal.db", err);
    if (!failed && file_exists(core_journal)) {
        failed = tar_add(&backup->tar, core, "core", &taken, err);
        if (!failed) failed = add_journal(backup, core, "core/journal.db", err);
    }
    if (!failed) failed = add_tree(backup, data, "", err);
    return failed ? failed : tar_end(&backup->tar, err);
}

/* FILE appears whole and on disk, or not at all. */
static int finish(struct backup *backup, struct error *err)
{
    const char *file = backup->offline->word;
    AUTO(free_text) char *folder = mem_copy_text(file);
    char *slash = strrchr(folder, '/');
    if (fsync(backup->tar.fd) < 0 || rename(backup->part, file) < 0) return error_set_errno(err, errno, "%s", file);
    if (slash) slash[slash == folder] = '\0';
    return file_sync_folder(slash ? folder : ".", err);
}

static void tell(const struct backup *backup)
{
    struct text size = {0};
    text_add_size(&size, (int64_t)backup->tar.size);
    if (backup->offline->json)
        printf("{\"bytes\": %llu, \"files\": %llu, \"left_out\": %u}\n", (unsigned long long)backup->tar.size,
            (unsigned long long)backup->tar.files, backup->left_out);
    else
        offline_print("%s: %llu files, %s", backup->offline->word, (unsigned long long)backup->tar.files, text_view(&size));
    text_release(&size);
}

int backup_run(const struct offline *offline, struct error *err)
{
    AUTO(free_text) char *part = mem_format("%s.part", offline->word);
    if (file_exists(offline->word)) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "%s is there already", offline->word);
        return error_hint(err, "name another file, or move that one away");
    }
    AUTO(close_fd) int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct backup backup = {.offline = offline, .part = part, .tar = {.fd = fd}};
    if (fd < 0 || fstat(fd, &backup.itself) < 0) return error_set_errno(err, errno, "%s", part);
    int failed = add_all(&backup, err);
    if (!failed) failed = finish(&backup, err);
    if (failed)
        unlink(part);
    else
        tell(&backup);
    return failed;
}
