/* filter.c: a file in memory before, another one behind: neither side waits for the other. */
#include "server/filter.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(const char *const *argv, int input, int output, int *ret_status)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int failed = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return failed;
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    return 0;
}

static int read_back(int output, size_t limit, char **ret_output, struct error *err)
{
    struct stat status;
    if (fstat(output, &status) < 0) return error_set_errno(err, errno, "reading what a program printed");
    if ((size_t)status.st_size > limit) return error_set(err, ERROR_LIMIT, NOWHERE, "a program printed over %zu bytes", limit);
    size_t size = (size_t)status.st_size, got = 0;
    AUTO(free_text) char *bytes = mem_alloc(size + 1);
    for (ssize_t part; got < size && (part = pread(output, bytes + got, size - got, (off_t)got)) > 0;)
        got += (size_t)part;
    if (got < size) return error_set(err, ERROR_IO, NOWHERE, "what a program printed could not be read");
    *ret_output = take(&bytes);
    return 0;
}

int filter_run(const char *const *argv, const char *input, size_t limit, char **ret_output, struct error *err)
{
    AUTO(close_fd) int in = memfd_create("input", MFD_CLOEXEC);
    AUTO(close_fd) int out = memfd_create("output", MFD_CLOEXEC);
    int status = 0, failed = in < 0 || out < 0 ? -errno : file_write_all(in, input, strlen(input));
    if (!failed && lseek(in, 0, SEEK_SET) < 0) failed = -errno;
    if (failed) return error_set_errno(err, -failed, "handing something to %s", argv[0]);
    failed = run(argv, in, out, &status);
    if (failed) return error_set_errno(err, failed, "starting %s", argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_INVALID, NOWHERE, "%s ended badly; its own words are above", argv[0]);
    return read_back(out, limit, ret_output, err);
}
