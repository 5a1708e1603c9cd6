/* test_repository.c: repositories made without git, read and pushed to by git; and the hook without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "trigger/repository.h"

#include <dirent.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char data[64];

static int make_folder(void **state)
{
    (void)state;
    memcpy(data, "/tmp/crescendo-repository-XXXXXX", sizeof "/tmp/crescendo-repository-XXXXXX");
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    return mkdtemp(data) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct error err;
    return file_remove_tree(data, &err);
}

static int run(const char *script)
{
    AUTO(free_text) char *line = mem_format("cd %s && { %s; } >/dev/null 2>&1", data, script);
    char *const argv[] = {"sh", "-ec", line, NULL};
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, "sh", NULL, NULL, argv, environ) == 0) waitpid(child, &status, 0);
    return status;
}

static void test_git_accepts_what_is_made(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(repository_create(data, "plain", "/bin/true", &err), 0);
    assert_int_equal(run("git -C repositories/plain.git fsck --strict"), 0);
    assert_int_equal(run("test \"$(git -C repositories/plain.git rev-parse --is-bare-repository)\" = true"), 0);
    assert_int_equal(run("git init -q -b main work && cd work && git config user.email a@b && git config user.name A "
                         "&& echo x > x && git add x && git commit -qm first && git push -o no-follow ../repositories/plain.git main"),
        0);
    assert_int_equal(run("git clone -q repositories/plain.git again && test -f again/x"), 0);
}

static void test_names_are_checked(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const names[] = {"", "..", "../x", "a/b", "A", "-x", ".git", "a b"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(repository_create(data, names[i], "/bin/true", &err), -ERROR_INVALID);
        assert_int_equal(repository_check(data, names[i], &err), -ERROR_INVALID);
    }
    assert_int_equal(repository_create(data, "twice", "/bin/true", &err), 0);
    assert_int_equal(repository_create(data, "twice", "/bin/true", &err), -ERROR_CONFLICT);
    assert_int_equal(repository_check(data, "absent", &err), -ERROR_NOT_FOUND);
}

static void add_name(void *context, const char *name, const char *path)
{
    assert_true(text_ends(path, ".git"));
    text_add_format(context, "%s ", name);
}

static void test_the_list_is_sorted(void **state)
{
    (void)state;
    struct error err;
    AUTO(text_release) struct text names = {0};
    assert_int_equal(repository_create(data, "b", "/bin/true", &err), 0);
    assert_int_equal(repository_create(data, "a", "/bin/true", &err), 0);
    assert_int_equal(repository_each(data, add_name, &names, &err), 0);
    assert_true(text_starts(text_view(&names), "a b "));
    assert_int_equal(repository_each("/nonexistent", add_name, &names, &err), 0);
}

static void test_a_hook_of_ours_is_renewed_and_no_other(void **state)
{
    (void)state;
    struct error err;
    char target[256] = "";
    AUTO(free_text) char *link = mem_format("%s/repositories/ours.git/hooks/post-receive", data);
    AUTO(free_text) char *other = mem_format("%s/repositories/twice.git/hooks/post-receive", data);
    assert_int_equal(repository_create(data, "ours", "/old/crescendo-hook", &err), 0);
    repository_renew_hooks(data, "/new/crescendo-hook");
    assert_true(readlink(link, target, sizeof target - 1) > 0);
    assert_string_equal(target, "/new/crescendo-hook");
    memset(target, 0, sizeof target);
    assert_true(readlink(other, target, sizeof target - 1) > 0);
    assert_string_equal(target, "/bin/true");
}

/* The program stands beside the tests' folder: BUILD/crescendo-hook. */
static char *find_hook(void)
{
    AUTO(free_text) char *folder = file_program_folder();
    char *hook = mem_format("%s/../../crescendo-hook", folder);
    return access(hook, X_OK) == 0 ? hook : (free(hook), NULL);
}

/* The only spooled push, parsed. */
static json_t *read_spooled(const char *repository)
{
    AUTO(free_text) char *folder = mem_format("%s/repositories/%s.git/crescendo-spool", data, repository);
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    json_t *body = NULL;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        if (entry->d_name[0] == '.') continue;
        assert_null(body);
        assert_true(text_ends(entry->d_name, ".json"));
        AUTO(free_text) char *path = mem_format("%s/%s", folder, entry->d_name);
        body = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    }
    closedir(open_folder);
    assert_non_null(body);
    return body;
}

static void test_without_a_server_a_push_is_spooled_whole(void **state)
{
    (void)state;
    struct error err;
    AUTO(free_text) char *hook = find_hook();
    if (!hook) skip();
    assert_int_equal(repository_create(data, "spooled", hook, &err), 0);
    assert_int_equal(run("touch journal.db"), 0); /* what makes it a data folder */
    assert_int_equal(run("git init -q -b main source && cd source && git config user.email a@b && git config user.name A "
                         "&& mkdir pipelines && printf 'pipeline: x\\n' > crescendo.yaml && printf 'a: \\377\\n' > pipelines/use.yaml "
                         "&& echo no > pipelines/other.txt && git add . && git commit -qm 'Say \"hé\"' -m body "
                         "&& git push ../repositories/spooled.git main > ../said 2>&1"),
        0);
    json_t *body = read_spooled("spooled");
    assert_string_equal(json_text(body, "repository", ""), "spooled");
    assert_string_equal(json_text(body, "ref", ""), "refs/heads/main");
    assert_string_equal(json_text(body, "old", ""), "0000000000000000000000000000000000000000");
    assert_string_equal(json_text(body, "title", ""), "Say \"hé\"");
    json_t *files = json_object_get(body, "files");
    assert_int_equal(json_array_size(files), 2);
    assert_string_equal(json_text(json_array_get(files, 0), "name", ""), "crescendo.yaml");
    assert_string_equal(json_text(json_array_get(files, 0), "base64", ""), "cGlwZWxpbmU6IHgK");
    assert_string_equal(json_text(json_array_get(files, 1), "name", ""), "pipelines/use.yaml");
    assert_string_equal(json_text(json_array_get(files, 1), "base64", ""), "YTog/wo=");
    json_decref(body);
    assert_int_equal(run("grep 'this push is stored and will be run' said"), 0);
}

static void test_changed_paths_are_told_where_the_file_asks(void **state)
{
    (void)state;
    struct error err;
    AUTO(free_text) char *hook = find_hook();
    if (!hook) skip();
    assert_int_equal(repository_create(data, "paths", hook, &err), 0);
    assert_int_equal(run("touch journal.db"), 0);
    assert_int_equal(run("git init -q -b main paths && cd paths && git config user.email a@b && git config user.name A "
                         "&& echo '# paths' > crescendo.yaml && git add . && git commit -qm one "
                         "&& git push -q ../repositories/paths.git main "
                         "&& rm ../repositories/paths.git/crescendo-spool/* && mkdir d && touch d/é f && git add . && git commit -qm two "
                         "&& git push -q ../repositories/paths.git main"),
        0);
    json_t *body = read_spooled("paths");
    json_t *paths = json_object_get(body, "paths");
    assert_int_equal(json_array_size(paths), 2);
    assert_string_equal(json_string_value(json_array_get(paths, 0)), "d/é");
    assert_string_equal(json_string_value(json_array_get(paths, 1)), "f");
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_git_accepts_what_is_made),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_the_list_is_sorted),
        cmocka_unit_test(test_a_hook_of_ours_is_renewed_and_no_other),
        cmocka_unit_test(test_without_a_server_a_push_is_spooled_whole),
        cmocka_unit_test(test_changed_paths_are_told_where_the_file_asks),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
