/* secrets.c: reads a run's secrets for the moment in which a step is handed over. */
#include "run/secrets.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_wipe(char **value)
{
    if (*value) explicit_bzero(*value, strlen(*value));
    free(*value);
    *value = NULL;
}

/* Part by part, so that no link leads elsewhere. -1: errno. */
static int open_below(const char *folder, const char *name)
{
    int at = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (const char *part = name; at >= 0;) {
        size_t size = strcspn(part, "/");
        AUTO(free_text) char *copy = mem_copy_bytes(part, size);
        bool last = !part[size];
        int flags = last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
        int next = openat(at, copy, flags | O_NOFOLLOW | O_CLOEXEC);
        int saved = errno;
        close(at);
        errno = saved;
        at = next;
        if (last) break;
        part += size + 1;
    }
    return at;
}

static int fail_open(const char *path, int saved, struct error *err)
{
    if (saved == ENOENT) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no secret in %s", path);
        return error_hint(err, "put it there, for the server's user alone: install -D -m 600 FILE %.80s", path);
    }
    if (saved == ELOOP || saved == ENOTDIR) {
        error_set(err, ERROR_DENIED, NOWHERE, "the secret in %s is behind a link", path);
        return error_hint(err, "let it be a file in a folder, not a link");
    }
    return error_set_errno(err, saved, "the secret in %s", path);
}

static int check_file(const char *path, const struct stat *facts, struct error *err)
{
    if (!S_ISREG(facts->st_mode)) return error_set(err, ERROR_DENIED, NOWHERE, "the secret in %s is no regular file", path);
    if (facts->st_mode & 077) {
        error_set(err, ERROR_DENIED, NOWHERE, "the secret in %s is open to others than its owner (mode %03o)", path, facts->st_mode & 0777);
        return error_hint(err, "chmod 600 %.120s", path);
    }
    if (facts->st_size > LIMIT_SECRET_BYTES)
        return error_set(err, ERROR_LIMIT, NOWHERE, "the secret in %s is larger than %d KiB", path, LIMIT_SECRET_BYTES / 1024);
    return 0;
}

/* What may be handed over in an environment, and hidden in a log. size: without line ends behind it. */
static int check_value(const char *where, const char *value, size_t size, struct error *err)
{
    if (memchr(value, '\0', size)) {
        error_set(err, ERROR_INVALID, NOWHERE, "the secret in %s is binary, which no environment variable can be", where);
        return error_hint(err, "store it as text, in base64, and let the step decode it");
    }
    if (size >= LIMIT_SECRET_SHORTEST) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "the secret in %s has %zu bytes: less than %d cannot be hidden in a log", where, size,
        LIMIT_SECRET_SHORTEST);
    return error_hint(err, "use a longer one");
}

static size_t size_without_end(const char *value, size_t size)
{
    while (size && (value[size - 1] == '\n' || value[size - 1] == '\r'))
        size--;
    return size;
}

static int read_open(int fd, const char *path, char **ret_value, struct error *err)
{
    struct stat facts;
    if (fstat(fd, &facts) < 0) return error_set_errno(err, errno, "the secret in %s", path);
    int failed = check_file(path, &facts, err);
    if (failed) return failed;
    size_t room = (size_t)facts.st_size;
    AUTO(secret_wipe) char *value = mem_alloc(room + 1);
    ssize_t got = pread(fd, value, room, 0);
    if (got < 0) return error_set_errno(err, errno, "the secret in %s", path);
    size_t size = size_without_end(value, (size_t)got);
    failed = check_value(path, value, size, err);
    if (failed) {
        explicit_bzero(value, room);
        return failed;
    }
    explicit_bzero(value + size, room - size);
    *ret_value = take(&value);
    return 0;
}

static int read_file(const char *data, const char *name, char **ret_value, struct error *err)
{
    AUTO(free_text) char *folder = mem_format("%s/secrets", data);
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(close_fd) int fd = open_below(folder, name);
    return fd < 0 ? fail_open(path, errno, err) : read_open(fd, path, ret_value, err);
}

static int read_variable(const char *name, char **ret_value, struct error *err)
{
    const char *value = getenv(name);
    if (!value) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "the server has no environment variable %s", name);
        return error_hint(err, "start it with one, or use file:NAME, a file below its secrets/");
    }
    AUTO(free_text) char *where = mem_format("the variable %s", name);
    size_t size = size_without_end(value, strlen(value));
    if (size > LIMIT_SECRET_BYTES)
        return error_set(err, ERROR_LIMIT, NOWHERE, "the secret in %s is larger than %d KiB", where, LIMIT_SECRET_BYTES / 1024);
    int failed = check_value(where, value, size, err);
    if (!failed) *ret_value = mem_copy_bytes(value, size);
    return failed;
}

int secret_read(const char *data, const char *source, char **ret_value, struct error *err)
{
    enum secret_scheme scheme;
    const char *name;
    int failed = secret_source_parse(source, &scheme, &name, err);
    if (failed) return failed;
    return scheme == SECRET_FILE ? read_file(data, name, ret_value, err) : read_variable(name, ret_value, err);
}

/* --- what a step gets --- */

static void list_release(char ***list)
{
    for (char **at = *list; at && *at; at++)
        secret_wipe(at);
    free(*list);
    *list = NULL;
}

void secrets_release(struct secrets *secrets)
{
    list_release(&secrets->environment);
    list_release(&secrets->hidden);
}

struct list {
    char **items; /* with room for all, and NULL */
    size_t count, bytes;
};

static int list_add(struct list *list, char *text, struct error *err)
{
    list->items[list->count++] = text;
    list->bytes += strlen(text);
    if (list->bytes <= LIMIT_SECRETS_BYTES) return 0;
    return error_set(err, ERROR_LIMIT, NOWHERE, "the secrets of a run are larger than %d KiB together", LIMIT_SECRETS_BYTES / 1024);
}

static int add_variable(const struct live_run *run, const char *variable, const char *name, struct list *list, struct error *err)
{
    AUTO(secret_wipe) char *value = NULL;
    int failed = secret_read(run->engine->options.data, json_text(run->plan->secrets, name, ""), &value, err);
    if (failed) return error_wrap(err, "env: %.60s", variable);
    return list_add(list, mem_format("%s=%s", variable, value), err);
}

static int gather_environment(const struct live_run *run, const json_t *env, char ***ret, struct error *err)
{
    struct list list = {.items = mem_alloc_array(json_object_size(env) + 1, sizeof *list.items)};
    const char *variable;
    json_t *value;
    int failed = 0;
    json_object_foreach((json_t *)env, variable, value)
    {
        const char *name = json_text(value, "$secret", NULL);
        if (name && !failed) failed = add_variable(run, variable, name, &list, err);
    }
    *ret = list.items;
    return failed;
}

static int gather_hidden(const struct live_run *run, char ***ret, struct error *err)
{
    struct list list = {.items = mem_alloc_array(json_object_size(run->plan->secrets) + 1, sizeof *list.items)};
    const char *name;
    json_t *source;
    int failed = 0;
    struct error ignored = {0};
    json_object_foreach(run->plan->secrets, name, source)
    {
        char *value = NULL;
        if (!failed && secret_read(run->engine->options.data, json_string_value(source), &value, &ignored)) continue;
        if (value) failed = list_add(&list, value, err);
    }
    *ret = list.items;
    return failed;
}

int secrets_gather(const struct live_run *run, const json_t *env, bool hidden, struct secrets *ret, struct error *err)
{
    if (!json_object_size(run->plan->secrets)) return 0;
    int failed = gather_environment(run, env, &ret->environment, err);
    if (!failed && hidden) failed = gather_hidden(run, &ret->hidden, err);
    if (failed) secrets_release(ret);
    return failed;
}
