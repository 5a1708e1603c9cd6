/* neighbour.c: the other programs of the installation. */
#include "cli/neighbour.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, LOG_LIMIT_BYTES = 1024 * 1024 };

int neighbour_find(const char *name, char **ret_path, struct error *err)
{
    static const char *const places[] = {"", "/../libexec/crescendo"};
    AUTO(free_text) char *folder = file_program_folder();
    for (size_t i = 0; folder && i < COUNT_OF(places); i++) {
        AUTO(free_text) char *path = mem_format("%s%s/%s", folder, places[i], name);
        if (access(path, X_OK) != 0) continue;
        *ret_path = take(&path);
        return 0;
    }
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "the program %s is not beside this one in %s", name, folder ? folder : "its folder");
    error_hint(err, "install all of Crescendo, or build it with `make`");
    return -ERROR_NOT_FOUND;
}

/* A child starts with no signal blocked and none ignored, whatever this program does. */
static void fresh_signals(posix_spawnattr_t *attributes, short flags)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | flags));
}

static int spawn_server(const char *program, const char *data, const char *log, int ready, pid_t *ret_pid)
{
    char *const argv[] = {
        "crescendo-server", "serve", "--data", (char *)data, "--allow-no-sandbox", "--exit-when-idle", "--ready-fd", "3", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ready, READY_FD);
    fresh_signals(&attributes, POSIX_SPAWN_SETSID);
    int failed = posix_spawn(ret_pid, program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* The line that says why it did not start: the last one of its log. */
static int not_started(pid_t pid, const char *log, struct error *err)
{
    AUTO(free_text) char *text = NULL;
    size_t size = 0;
    waitpid(pid, NULL, 0);
    if (file_read(log, LOG_LIMIT_BYTES, &text, &size, NULL)) size = 0;
    while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
        text[--size] = '\0';
    const char *newline = size ? strrchr(text, '\n') : NULL;
    const char *line = newline ? newline + 1 : text;
    if (line && line[0] == '<' && strchr(line, '>')) line = strchr(line, '>') + 1; /* syslog's level */
    error_set(err, ERROR_UNAVAILABLE, NOWHERE, "the private server did not start: %s", size ? line : "it said nothing");
    return error_hint(err, "all that it said is in %.100s", log);
}

/* A pipe whose reading end says that the server is ready (a byte comes) or gone (it closes). Both above the child's descriptor 3, so that
   dup2 there clears close-on-exec. */
static int ready_pipe(int ends[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) < 0) return -errno;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
        close(low[i]);
    }
    return ends[0] < 0 || ends[1] < 0 ? -EMFILE : 0;
}

bool neighbour_knows_types(const char *data, const char *types_mark)
{
    AUTO(free_text) char *path = mem_format("%s/step-types", data);
    AUTO(free_text) char *mark = NULL;
    size_t size;
    if (file_read(path, LOG_LIMIT_BYTES, &mark, &size, NULL)) return !*types_mark; /* the built-in ones are never others */
    return text_equal(mark, types_mark);
}

static void keep_types_mark(const char *data, const char *types_mark)
{
    AUTO(free_text) char *path = mem_format("%s/step-types", data);
    const char *mark = types_mark ? types_mark : "not known\n";
    if (file_replace(path, mark, strlen(mark), 0600, NULL)) unlink(path);
}

int neighbour_start_server(const char *data, const char *types_mark, struct error *err)
{
    AUTO(free_text) char *program = NULL;
    AUTO(free_text) char *log = mem_format("%s/server.log", data);
    int ends[2] = {-1, -1};
    int failed = neighbour_find("crescendo-server", &program, err);
    if (!failed) failed = file_make_folders(data, 0700, err);
    if (failed) return failed;
    failed = ready_pipe(ends);
    AUTO(close_fd) int reading = ends[0];
    AUTO(close_fd) int writing = ends[1];
    if (failed) return error_set_errno(err, -failed, "making a pipe");
    pid_t pid = 0;
    failed = spawn_server(program, data, log, writing, &pid);
    if (failed) return error_set_errno(err, failed, "starting %s", program);
    close(take_fd(&writing));
    char byte = 0;
    ssize_t got;
    while ((got = read(reading, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (got != 1) return not_started(pid, log, err);
    keep_types_mark(data, types_mark);
    return 0;
}

/* input -1: none, and its standard error is dropped. */
static int spawn_reader(const char *const *argv, int input, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (input >= 0)
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (input < 0) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    fresh_signals(&attributes, 0);
    int failed = posix_spawnp(ret_pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static bool read_all(int fd, size_t limit_bytes, struct text *out)
{
    char chunk[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        if (out->size + (size_t)got > limit_bytes) return false;
        text_add_bytes(out, chunk, (size_t)got);
    }
}

static int read_output(
    const char *const *argv, int input, size_t limit_bytes, char **ret_output, size_t *ret_size, int *ret_status, struct error *err)
{
    int ends[2] = {-1, -1};
    int failed = ready_pipe(ends);
    AUTO(close_fd) int reading = ends[0];
    AUTO(close_fd) int writing = ends[1];
    if (failed) return error_set_errno(err, -failed, "making a pipe");
    pid_t pid = 0;
    failed = spawn_reader(argv, input, writing, &pid);
    if (failed) return error_set_errno(err, failed, "starting %s", argv[0]);
    close(take_fd(&writing));
    struct text out = {0};
    bool whole = read_all(reading, limit_bytes, &out);
    close(take_fd(&reading)); /* a program that still writes ends by it */
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!whole) {
        text_release(&out);
        return error_set(err, ERROR_LIMIT, NOWHERE, "the output of %s %s is over %zu bytes", argv[0], argv[1], limit_bytes);
    }
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    *ret_size = out.size;
    *ret_output = text_take(&out);
    return 0;
}

int neighbour_read(const char *const *argv, size_t limit_bytes, char **ret_output, size_t *ret_size, int *ret_status, struct error *err)
{
    return read_output(argv, -1, limit_bytes, ret_output, ret_size, ret_status, err);
}

/* A file in memory, so that neither side waits for the other while both write. */
int neighbour_filter(const char *const *argv, const char *input, size_t input_size, size_t limit_bytes, char **ret_output, size_t *ret_size,
    int *ret_status, struct error *err)
{
    AUTO(close_fd) int file = memfd_create("input", MFD_CLOEXEC);
    int failed = file < 0 ? -errno : file_write_all(file, input, input_size);
    if (!failed && lseek(file, 0, SEEK_SET) < 0) failed = -errno;
    if (failed) return error_set_errno(err, -failed, "handing something to %s", argv[0]);
    return read_output(argv, file, limit_bytes, ret_output, ret_size, ret_status, err);
}
