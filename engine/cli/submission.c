/* submission.c: what `crescendo run` hands to the server. */
#include "cli/submission.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/neighbour.h"
#include "crescendo/limits.h"
#include "spec/beside.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 200 };

/* A text that is not UTF-8 cannot travel as JSON; the same is true of the language. */
static int put_file_text(json_t *object, const char *key, const char *name, const char *bytes, size_t size, struct error *err)
{
    json_t *text = json_stringn(bytes, size);
    if (!text) return error_set(err, ERROR_INVALID, NOWHERE, "%s is not UTF-8 text", name);
    json_put(object, key, text);
    return 0;
}

static int add_used(json_t *files, const char *name, const char *bytes, size_t size, struct error *err)
{
    json_t *file = json_object();
    json_array_append_new(files, file);
    json_put_text(file, "name", name);
    return put_file_text(file, "text", name, bytes, size, err);
}

/* NAME of pipelines/NAME.yaml. */
static bool is_usable(const char *name)
{
    size_t size = strlen(name);
    if (!text_ends(name, ".yaml") || size <= 5) return false;
    AUTO(free_text) char *stem = mem_copy_bytes(name, size - 5);
    return text_is_name(stem);
}

/* The folder of the file; of standard input, the current one. Caller frees. */
static char *folder_of(const char *path)
{
    AUTO(free_text) char *whole = realpath(text_equal(path, "-") ? "." : path, NULL);
    if (!whole || text_equal(path, "-")) return take(&whole);
    return mem_copy_text(dirname(whole));
}

int submission_from_file(const char *path, const struct source_set *set, json_t **ret_body, struct error *err)
{
    AUTO(free_text) char *folder = folder_of(path);
    if (!folder) return error_set_errno(err, errno, "%s", path);
    AUTO(free_json) json_t *body = json_object();
    json_t *files = json_array();
    json_put(body, "files", files);
    json_put_text(body, "file", set->items[0].name);
    json_put_text(body, "source", folder);
    json_put_flag(body, "work_tree", true);
    int failed = put_file_text(body, "pipeline", path, set->items[0].bytes, set->items[0].size, err);
    for (size_t i = 1; i < set->count && !failed; i++)
        if (!beside_is_domain(set->items[i].name)) /* a server has its own */
            failed = add_used(files, set->items[i].name, set->items[i].bytes, set->items[i].size, err);
    if (failed) return failed;
    *ret_body = take(&body);
    return 0;
}

/* --- from a bare repository --- */

static int git(const char *git_folder, const char *const *words, char **ret_output, size_t *ret_size, int *ret_status, struct error *err)
{
    AUTO(free_text) char *folder = mem_format("--git-dir=%s", git_folder);
    const char *argv[12] = {"git", "-c", "safe.directory=*", folder};
    for (size_t i = 0; words[i] && i + 5 < COUNT_OF(argv); i++)
        argv[i + 4] = words[i];
    return neighbour_read(argv, LIMIT_PIPELINE_BYTES, ret_output, ret_size, ret_status, err);
}

static int find_commit(const char *git_folder, const char *ref, char **ret_commit, struct error *err)
{
    AUTO(free_text) char *wanted = mem_format("%s^{commit}", ref);
    AUTO(free_text) char *output = NULL;
    size_t size = 0;
    int status = 0;
    int failed = git(
        git_folder, (const char *[]){"rev-parse", "--verify", "--quiet", "--end-of-options", wanted, NULL}, &output, &size, &status, err);
    if (failed) return failed;
    size = strspn(output, "0123456789abcdef");
    if (status || size < 40) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no '%s' in %s", ref, git_folder);
        return error_hint(err, "push it first, or name another with --ref");
    }
    *ret_commit = mem_copy_bytes(output, size);
    return 0;
}

/* What a push would call it: refs/heads/main for main. A commit's digest has no other name. */
static int find_full_name(const char *git_folder, const char *ref, char **ret_name, struct error *err)
{
    AUTO(free_text) char *output = NULL;
    size_t size = 0;
    int status = 0;
    int failed =
        git(git_folder, (const char *[]){"rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", ref, NULL},
            &output, &size, &status, err);
    if (failed) return failed;
    bool found = status == 0 && text_starts(output, "refs/");
    *ret_name = found ? mem_copy_bytes(output, strcspn(output, "\n")) : mem_copy_text(ref);
    return 0;
}

static int read_blob(const char *git_folder, const char *commit, const char *file, char **ret_bytes, size_t *ret_size, struct error *err)
{
    AUTO(free_text) char *object = mem_format("%s:%s", commit, file);
    AUTO(free_text) char *output = NULL;
    int status = 0;
    int failed = git(git_folder, (const char *[]){"cat-file", "blob", object, NULL}, &output, ret_size, &status, err);
    if (failed) return failed;
    if (status) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "commit %.12s has no %s", commit, file);
    *ret_bytes = take(&output);
    return 0;
}

static int add_used_blobs(json_t *files, const char *git_folder, const char *commit, struct error *err)
{
    AUTO(free_text) char *listing = NULL;
    size_t listing_size = 0;
    int status = 0;
    int failed = git(
        git_folder, (const char *[]){"ls-tree", "-z", "--name-only", commit, "pipelines/", NULL}, &listing, &listing_size, &status, err);
    if (failed || status) return failed; /* a commit without that folder */
    for (const char *name = listing; name < listing + listing_size; name += strlen(name) + 1) {
        if (!text_starts(name, "pipelines/") || !is_usable(name + strlen("pipelines/")) || json_array_size(files) >= FILES_MAX) continue;
        AUTO(free_text) char *bytes = NULL;
        size_t size = 0;
        failed = read_blob(git_folder, commit, name, &bytes, &size, err);
        if (!failed) failed = add_used(files, name, bytes, size, err);
        if (failed) return failed;
    }
    return 0;
}

/* The service's descriptor, where the pipeline names one that the commit has. */
static int add_service_blob(
    json_t *files, const char *git_folder, const char *commit, const char *file, const char *pipeline, struct error *err)
{
    AUTO(text_release) struct text service = {0};
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    if (!text_find_top_value(pipeline, "service", &service)) return 0;
    AUTO(free_text) char *name = beside_service_name(file, text_view(&service));
    int failed = read_blob(git_folder, commit, name, &bytes, &size, err);
    if (failed == -ERROR_NOT_FOUND) return 0;
    return failed ? failed : add_used(files, name, bytes, size, err);
}

int submission_from_repository(
    const char *repository, const char *git_folder, const char *ref, const char *file, json_t **ret_body, struct error *err)
{
    AUTO(free_text) char *commit = NULL;
    AUTO(free_text) char *name = NULL;
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    int failed = find_commit(git_folder, ref, &commit, err);
    if (!failed) failed = find_full_name(git_folder, ref, &name, err);
    if (!failed) failed = read_blob(git_folder, commit, file, &bytes, &size, err);
    if (failed) return failed;
    AUTO(free_json) json_t *body = json_object();
    json_t *files = json_array();
    json_put(body, "files", files);
    json_put_text(body, "file", file);
    json_put_text(body, "source", git_folder);
    json_put_flag(body, "work_tree", false);
    json_put_text(body, "repository", repository);
    json_put_text(body, "ref", name);
    json_put_text(body, "commit", commit);
    failed = put_file_text(body, "pipeline", file, bytes, size, err);
    if (!failed) failed = add_used_blobs(files, git_folder, commit, err);
    if (!failed) failed = add_service_blob(files, git_folder, commit, file, bytes, err);
    if (failed) return failed;
    *ret_body = take(&body);
    return 0;
}
