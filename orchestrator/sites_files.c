/* sites_files.c: the files of the domains that have a site. A file that is wrong is told, and what it said before holds. */
#include "orchestrator/sites_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/domain.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_HOLD_US = 20 * 1000, DOMAINS_MAX = 1000 };

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

static int read_file(const char *folder, const char *file, json_t **ret, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, file);
    AUTO(free_text) char *bytes = NULL;
    AUTO(diagnostics_release) struct diagnostics list = {0};
    size_t size = 0;
    int failed = file_read(path, LIMIT_PIPELINE_BYTES, &bytes, &size, err);
    if (failed) return failed;
    const struct source source = {path, bytes, size};
    failed = domain_load(&source, &list, ret);
    if (!failed) return 0;
    const struct diagnostic *first = list.count ? &list.items[0] : NULL;
    return error_set(err, ERROR_INVALID, first ? first->at : NOWHERE, "domains/%s:%u: %s", file, first ? first->at.line : 0,
        first ? first->message : "it cannot be read");
}

/* name.yaml; those of editors (".x.yaml.swp") are none. */
static char *stem_of(const char *file)
{
    static const char ending[] = ".yaml";
    size_t size = strlen(file);
    if (size < sizeof ending || !text_ends(file, ending)) return NULL;
    char *stem = mem_copy_bytes(file, size - (sizeof ending - 1));
    if (text_is_name(stem)) return stem;
    free_text(&stem);
    return NULL;
}

static void take_file(const struct sites *sites, const char *file, json_t *files, json_t *wrong)
{
    AUTO(free_text) char *name = stem_of(file);
    AUTO(free_json) json_t *domain = NULL;
    struct error err;
    if (!name || json_object_size(files) >= DOMAINS_MAX) return;
    if (read_file(sites->domains, file, &domain, &err)) {
        AUTO(free_text) char *what = mem_format("a domain's file is wrong in %s; what it said before holds", sites->domains);
        log_error(&err, what);
        json_put_text(wrong, name, err.message);
        domain = json_incref(json_object_get(sites->files, name));
    }
    if (json_object_get(domain, "site")) json_object_set(files, name, domain);
}

/* Names, sizes and times of the files: the same means that nothing has to be read, or told, again. Caller frees. */
static char *look_at_files(const char *path)
{
    AUTO(close_folder) DIR *folder = path ? opendir(path) : NULL;
    struct text seen = {0};
    struct stat is;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!text_ends(entry->d_name, ".yaml") || fstatat(dirfd(folder), entry->d_name, &is, 0) < 0) continue;
        text_add_format(&seen, "%s %lld %lld.%09ld %llu\n", entry->d_name, (long long)is.st_size, (long long)is.st_mtim.tv_sec,
            is.st_mtim.tv_nsec, (unsigned long long)is.st_ino);
    }
    return text_take(&seen);
}

void sites_read_files(struct sites *sites)
{
    AUTO(free_text) char *seen = look_at_files(sites->domains);
    sites->files_us = clock_monotonic_us();
    if (sites->files && text_equal(seen, sites->files_seen)) return;
    AUTO(close_folder) DIR *folder = sites->domains ? opendir(sites->domains) : NULL;
    json_t *files = json_object(), *wrong = json_object();
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        take_file(sites, entry->d_name, files, wrong);
    json_decref(sites->files);
    sites->files = files;
    json_decref(sites->wrong);
    sites->wrong = wrong;
    free(sites->files_seen);
    sites->files_seen = take(&seen);
}

const json_t *sites_domains(struct sites *sites)
{
    if (!sites->files || clock_monotonic_us() - sites->files_us > FILES_HOLD_US) sites_read_files(sites);
    return sites->files;
}
