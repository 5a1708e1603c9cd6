/* output.c: what an instance prints: KEEP/logs/SERVICE/NUMBER.log, and NUMBER.log.1 before it when that was full. It outlives instance,
   service and keeper; what the services printed that ended longest ago makes room. A disk that is full loses it: a service goes on. */
#include "keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES = 1024 * 1024, ENDED_KEPT = 32 };

/* --- room --- */

struct ended {
    unsigned count;
    struct timespec since;
    char oldest[NAME_BYTES];
};

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* The folders of services that are not there any more. */
static bool find_ended(const struct keep *keep, int logs, struct ended *ret)
{
    int copy = openat(logs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    if (!folder && copy >= 0) close(copy);
    if (!folder) return false;
    *ret = (struct ended){0};
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat is;
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= NAME_BYTES || service_find(keep, entry->d_name)) continue;
        if (fstatat(logs, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (!ret->count++ || is_before(is.st_mtim, ret->since)) {
            ret->since = is.st_mtim;
            snprintf(ret->oldest, sizeof ret->oldest, "%.*s", NAME_BYTES - 1, entry->d_name);
        }
    }
    closedir(folder);
    return true;
}

static bool remove_folder(int logs, const char *name)
{
    int fd = openat(logs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && fd >= 0) close(fd);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.') unlinkat(fd, entry->d_name, 0);
    if (folder) closedir(folder);
    return unlinkat(logs, name, AT_REMOVEDIR) == 0;
}

static void make_room(const struct keep *keep, int logs)
{
    struct ended ended;
    while (find_ended(keep, logs, &ended) && ended.count > ENDED_KEPT && remove_folder(logs, ended.oldest))
        continue;
}

/* --- an instance's file --- */

/* SERVICE's folder, made where it is missing; -1: it cannot be. */
static int open_folder(const struct keep *keep, const char *service)
{
    mkdirat(keep->shim.folder_fd, "logs", 0700);
    AUTO(close_fd) int logs = openat(keep->shim.folder_fd, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (logs < 0 || service[0] == '.') return -1; /* "..": a name, and no folder of ours */
    if (mkdirat(logs, service, 0700) == 0) make_room(keep, logs);
    return openat(logs, service, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void open_file(struct output *output, int folder, uint32_t number)
{
    char name[32], before[32];
    snprintf(name, sizeof name, "%u.log", number);
    snprintf(before, sizeof before, "%u.log.1", number);
    if (output->size_bytes >= FILE_BYTES) renameat(folder, name, folder, before);
    output_close(output);
    output->fd = openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    off_t size = output->fd < 0 ? 0 : lseek(output->fd, 0, SEEK_END);
    output->size_bytes = size > 0 ? (uint64_t)size : 0;
}

void output_close(struct output *output)
{
    if (output->fd >= 0) close(output->fd);
    *output = (struct output){.fd = -1};
}

void output_add(const struct keep *keep, struct instance *instance, const char *bytes, size_t size)
{
    struct output *output = &instance->output;
    if (output->fd < 0 || output->size_bytes >= FILE_BYTES) {
        AUTO(close_fd) int folder = open_folder(keep, instance->service->name);
        if (folder >= 0) open_file(output, folder, instance->number);
    }
    if (output->fd < 0 || !size) return;
    ssize_t put = write(output->fd, bytes, size);
    if (put <= 0) return;
    output->size_bytes += (uint64_t)put;
    output->in_line = bytes[put - 1] != '\n';
}

void output_say(const struct keep *keep, struct instance *instance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *words = mem_format_list(format, arguments);
    va_end(arguments);
    time_t now = (time_t)(wall_us() / 1000000);
    struct tm parts;
    char when[32] = "";
    if (gmtime_r(&now, &parts)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    AUTO(free_text) char *line = mem_format("%screscendo: %s %s\n", instance->output.in_line ? "\n" : "", when, words);
    output_add(keep, instance, line, strlen(line));
}
