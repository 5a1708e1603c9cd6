/* package_perform.c: makes a service's package: names it, collects and digests its files, writes manifest and archive, and hands over where
   it is. The archive lies in the run's state folder under its own digest, so that a path never means two contents. */
#include "perform.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EPOCH_S = 315532800, NAME_MAX_BYTES = 100 }; /* 1980-01-01, the first day that every archive format can say */

struct package {
    const json_t *with, *facts;
    const char *workspace;
    struct descriptor descriptor;
    struct package_files files;
    char *name, *version;
    int64_t mtime_s;
};

static void package_release(struct package *package)
{
    descriptor_release(&package->descriptor);
    contents_release(&package->files);
    free(package->name);
    free(package->version);
}

/* --- what it is called --------------------------------------------------------------------------------------------- */

static int read_descriptor(struct package *package, struct error *err)
{
    const char *given = json_text(package->with, "service", NULL), *path = given ? given : "service.yaml";
    AUTO(free_text) char *place = mem_format("%s/%s", package->workspace, path);
    if (!given && !file_exists(place)) return 0;
    return descriptor_read(package->workspace, path, &package->descriptor, err);
}

/* "/srv/hello.git" → "hello". Caller frees. */
static char *repository_name(const json_t *facts)
{
    const char *repository = json_text(facts, "repository", NULL);
    if (!repository) return NULL;
    const char *slash = strrchr(repository, '/');
    char *name = mem_copy_text(slash ? slash + 1 : repository);
    if (text_ends(name, ".git")) name[strlen(name) - 4] = '\0';
    return name;
}

static char *default_version(const json_t *facts)
{
    const char *commit = json_text(facts, "commit", NULL);
    return commit ? mem_format("0.0.0+g%.12s", commit) : mem_copy_text("0.0.0");
}

/* Both become part of a file's name and of other systems' names. */
static int check_word(const char *what, const char *word, struct error *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
    size_t size = word ? strlen(word) : 0;
    if (size > 0 && size <= NAME_MAX_BYTES && word[0] != '.' && word[0] != '-' && strspn(word, allowed) == size) return 0;
    if (size == 0)
        error_set(err, ERROR_INVALID, NOWHERE, "the package has no %s", what);
    else
        error_set(err, ERROR_INVALID, NOWHERE, "\"%.100s\" cannot be the package's %s", word, what);
    return error_hint(err, "set `%s:` to letters, digits and . _ + -, in the step or in service.yaml", what);
}

static int name_package(struct package *package, struct error *err)
{
    const char *name = json_text(package->with, "name", package->descriptor.service);
    const char *version = json_text(package->with, "version", package->descriptor.version);
    package->name = name ? mem_copy_text(name) : repository_name(package->facts);
    package->version = version ? mem_copy_text(version) : default_version(package->facts);
    int failed = check_word("name", package->name, err);
    return failed ? failed : check_word("version", package->version, err);
}

/* --- when it is from ------------------------------------------------------------------------------------------------ */

/* Not the commit's time: the same files are the same package, whichever commit they are of. */
static int64_t package_time(void)
{
    const char *given = getenv("SOURCE_DATE_EPOCH"); /* https://reproducible-builds.org/specs/source-date-epoch/ */
    int64_t seconds = EPOCH_S;
    return given && text_to_integer(given, &seconds) && seconds >= 0 ? seconds : EPOCH_S;
}

/* --- what is in it -------------------------------------------------------------------------------------------------- */

static int collect(struct package *package, struct error *err)
{
    int failed = contents_collect(package->workspace, json_object_get(package->with, "contents"), &package->files, err);
    bool has_descriptor = false;
    for (size_t i = 0; i < package->files.count && !failed; i++)
        has_descriptor |= strcmp(package->files.items[i].path, "service.yaml") == 0;
    if (!failed && package->descriptor.path && !has_descriptor)
        failed = contents_add(&package->files, package->workspace, "service.yaml", package->descriptor.path, err);
    if (!failed) failed = contents_sort(&package->files, err);
    return failed ? failed : contents_digest(package->workspace, &package->files, err);
}

static json_t *describe_file(const struct package_file *file)
{
    json_t *entry = json_object();
    json_put_text(entry, "path", file->path);
    json_put_text(entry, "mode", file->executable ? "0755" : "0644");
    json_put_whole(entry, "size", file->size);
    json_put_text(entry, "sha256", file->sha256);
    return entry;
}

static json_t *describe_service(const struct descriptor *descriptor)
{
    if (!descriptor->path) return NULL;
    json_t *service = json_object();
    json_put_text(service, "path", "service.yaml");
    json_put_text(service, "service", descriptor->service);
    json_put_text(service, "version", descriptor->version);
    json_put_text(service, "kind", descriptor->kind);
    return service;
}

/* Caller frees. */
static char *make_manifest(const struct package *package)
{
    AUTO(free_json) json_t *manifest = json_object();
    json_t *files = json_array();
    json_put_text(manifest, "format", "crescendo-package");
    json_put_whole(manifest, "format_version", 1);
    json_put_text(manifest, "name", package->name);
    json_put_text(manifest, "version", package->version);
    json_put(manifest, "descriptor", describe_service(&package->descriptor));
    for (size_t i = 0; i < package->files.count; i++)
        json_array_append_new(files, describe_file(&package->files.items[i]));
    json_put(manifest, "files", files);
    AUTO(free_text) char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_SORT_KEYS);
    return mem_format("%s\n", text ? text : "{}");
}

/* --- where it goes --------------------------------------------------------------------------------------------------- */

static int digest_archive(const char *file, char ret_hex[SHA256_HEX], int64_t *ret_size, struct error *err)
{
    AUTO(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    char chunk[64 * 1024];
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    ssize_t got;
    sha256_init(&hash);
    *ret_size = 0;
    while ((got = fd < 0 ? -1 : read(fd, chunk, sizeof chunk)) > 0) {
        sha256_add(&hash, chunk, (size_t)got);
        *ret_size += got;
    }
    if (got < 0) return error_set_errno(err, errno, "%s", file);
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, ret_hex);
    return 0;
}

/* Moves the finished archive to packages/DIGEST/NAME-VERSION.tar.gz. Caller frees *ret_file. */
static int place_archive(
    const struct package *package, const char *folder, const char *fresh, const char *digest, char **ret_file, struct error *err)
{
    AUTO(free_text) char *home = mem_format("%s/%.12s", folder, digest);
    AUTO(free_text) char *file = mem_format("%s/%s-%s.tar.gz", home, package->name, package->version);
    int failed = file_make_folders(home, 0755, err);
    if (failed) return failed;
    if (rename(fresh, file) < 0) return error_set_errno(err, errno, "%s", file);
    *ret_file = take(&file);
    return 0;
}

static int hand_over(struct step *step, const struct package *package, const char *file, const char *digest, int64_t size)
{
    int failed = step_output(step, "file", json_string(file));
    if (!failed) failed = step_output(step, "digest", json_sprintf("sha256:%s", digest));
    if (!failed) failed = step_output(step, "name", json_string(package->name));
    if (!failed) failed = step_output(step, "version", json_string(package->version));
    if (!failed) failed = step_output(step, "size", json_integer(size));
    return failed;
}

static int write_archive(struct step *step, const struct package *package, struct error *err)
{
    const char *state = json_text(package->facts, "state", NULL);
    if (!state) return error_set(err, ERROR_INVALID, NOWHERE, "the step has no folder to leave the package in");
    AUTO(free_text) char *folder = mem_format("%s/packages", state);
    AUTO(free_text) char *fresh = mem_format("%s/new-%d", folder, (int)getpid());
    AUTO(free_text) char *manifest = make_manifest(package);
    AUTO(free_text) char *file = NULL;
    char digest[SHA256_HEX];
    int64_t size = 0;
    int failed = file_make_folders(folder, 0755, err);
    if (!failed) failed = archive_write_package(fresh, package->workspace, manifest, &package->files, package->mtime_s, err);
    if (!failed) failed = digest_archive(fresh, digest, &size, err);
    if (!failed) failed = place_archive(package, folder, fresh, digest, &file, err);
    if (failed) return failed;
    printf("%s %s: %zu file%s, %lld bytes, sha256:%s\n", package->name, package->version, package->files.count,
        package->files.count == 1 ? "" : "s", (long long)size, digest);
    return hand_over(step, package, file, digest, size);
}

int package_perform(struct step *step, struct error *err)
{
    const json_t *facts = step_facts(step);
    AUTO(package_release)
    struct package package = {
        .with = step_with(step), .facts = facts, .workspace = json_text(facts, "workspace", "."), .mtime_s = package_time()};
    const char *format = json_text(package.with, "format", "tar");
    if (strcmp(format, "tar") != 0)
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "packages of format \"%s\" are not in this version", format);
    int failed = read_descriptor(&package, err);
    if (!failed) failed = name_package(&package, err);
    if (!failed) failed = collect(&package, err);
    return failed ? failed : write_archive(step, &package, err);
}
