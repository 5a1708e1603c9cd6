/* repository.c: bare repositories, made without git: complete under a temporary name first, then renamed. */
#include "trigger/repository.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".git";

static const char config[] = "[core]\n"
                             "\trepositoryformatversion = 0\n"
                             "\tfilemode = true\n"
                             "\tbare = true\n"
                             "[receive]\n"
                             "\tadvertisePushOptions = true\n"
                             "[crescendo]\n"
                             "\t# A push shows its run for so many seconds; 0: not at all.\n"
                             "\tfollow = 60\n";

char *repository_path(const char *data, const char *name)
{
    return mem_format("%s/repositories/%s%s", data, name, suffix);
}

static int check_name(const char *name, struct error *err)
{
    if (text_is_name(name)) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' cannot be a repository's name", name);
    return error_hint(err, "a name starts with a letter and holds a to z, 0 to 9 and hyphens");
}

int repository_check(const char *data, const char *name, struct error *err)
{
    int code = check_name(name, err);
    if (code < 0) return code;
    AUTO(free_text) char *path = repository_path(data, name);
    if (file_exists(path)) return 0;
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no repository '%s'", name);
    return error_hint(err, "make one: crescendo repository add %s", name);
}

static int write_file(const char *folder, const char *name, const char *text, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    int fault = file_write_all(fd, text, strlen(text));
    if (fault == 0 && fsync(fd) < 0) fault = -errno;
    return fault < 0 ? error_set_errno(err, -fault, "%s", path) : 0;
}

static int sync_folder(const char *path, struct error *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) return error_set_errno(err, errno, "%s", path);
    return 0;
}

static int fill(const char *folder, const char *name, const char *hook, struct error *err)
{
    static const char *const folders[] = {"objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks", "info", "crescendo-spool"};
    int code = 0;
    for (size_t i = 0; i < COUNT_OF(folders) && code == 0; i++) {
        AUTO(free_text) char *path = mem_format("%s/%s", folder, folders[i]);
        code = file_make_folders(path, 0777, err);
    }
    AUTO(free_text) char *description = mem_format("%s: pushes are run by Crescendo\n", name);
    if (code == 0) code = write_file(folder, "HEAD", "ref: refs/heads/main\n", err);
    if (code == 0) code = write_file(folder, "config", config, err);
    if (code == 0) code = write_file(folder, "description", description, err);
    if (code < 0) return code;
    AUTO(free_text) char *link = mem_format("%s/hooks/post-receive", folder);
    if (symlink(hook, link) < 0) return error_set_errno(err, errno, "%s", link);
    return sync_folder(folder, err);
}

int repository_create(const char *data, const char *name, const char *hook, struct error *err)
{
    int code = check_name(name, err);
    if (code < 0) return code;
    AUTO(free_text) char *path = repository_path(data, name);
    AUTO(free_text) char *all = mem_format("%s/repositories", data);
    AUTO(free_text) char *making = mem_format("%s/.making-%s", all, name);
    if (file_exists(path)) return error_set(err, ERROR_CONFLICT, NOWHERE, "there is a repository '%s' already", name);
    code = file_remove_tree(making, err);
    if (code == 0) code = file_make_folders(making, 0777, err);
    if (code == 0) code = fill(making, name, hook, err);
    if (code == 0 && rename(making, path) < 0) code = error_set_errno(err, errno, "%s", path);
    if (code == 0) return sync_folder(all, err);
    struct error ignored;
    (void)!file_remove_tree(making, &ignored);
    return code;
}

static int is_repository(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(entry->d_name, suffix);
}

int repository_each(const char *data, void (*each)(void *context, const char *name, const char *path), void *context, struct error *err)
{
    AUTO(free_text) char *all = mem_format("%s/repositories", data);
    struct dirent **entries = NULL;
    int count = scandir(all, &entries, is_repository, alphasort);
    if (count < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", all);
    for (int i = 0; i < count; i++) {
        AUTO(free_text) char *name = mem_copy_bytes(entries[i]->d_name, strlen(entries[i]->d_name) - strlen(suffix));
        AUTO(free_text) char *path = repository_path(data, name);
        each(context, name, path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* The new link is made beside the old one and renamed over it: a push at this moment finds one of the two. */
static void renew_hook(void *hook, const char *name, const char *path)
{
    AUTO(free_text) char *link = mem_format("%s/hooks/post-receive", path);
    AUTO(free_text) char *beside = mem_format("%s/hooks/.post-receive", path);
    char target[4096];
    ssize_t size = readlink(link, target, sizeof target - 1);
    if (size < 0) return;
    target[size] = '\0';
    if (!text_ends(target, "/crescendo-hook") || text_equal(target, hook)) return;
    unlink(beside);
    if (symlink(hook, beside) < 0 || rename(beside, link) < 0)
        log_line(LOG_LEVEL_WARNING, "repository %s: cannot renew its hook: %s", name, strerror(errno));
}

void repository_renew_hooks(const char *data, const char *hook)
{
    struct error err;
    if (repository_each(data, renew_hook, (void *)hook, &err) < 0) log_error(&err, "repositories");
}

/* --- the routes --- */

static const struct field body_fields[] = {
    {.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "The new repository's name"},
    FIELD_END,
};

static void add_row(void *list, const char *name, const char *path)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "path", path));
}

static void handle_list(struct request *request, void *context)
{
    const struct trigger *trigger = context;
    struct error err;
    json_t *list = json_array();
    if (repository_each(trigger->data, add_row, list, &err) == 0) {
        respond_json(request, 200, json_pack("{s:o}", "repositories", list));
        return;
    }
    json_decref(list);
    respond_error(request, &err);
}

static void handle_create(struct request *request, void *context)
{
    const struct trigger *trigger = context;
    const char *name = json_text(request_body(request), "name", "");
    struct error err;
    if (repository_create(trigger->data, name, trigger->hook, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    AUTO(free_text) char *path = repository_path(trigger->data, name);
    respond_json(request, 201, json_pack("{s:s, s:s}", "name", name, "path", path));
}

const struct route repository_routes[] = {
    {"GET", "/v1/repositories", handle_list, "Lists the repositories that may be pushed to", NULL},
    {"POST", "/v1/repositories", handle_create, "Makes a bare repository whose pushes start runs", body_fields},
    ROUTE_END,
};
