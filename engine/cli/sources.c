/* sources.c: reads a pipeline file, the files that it may use, and what stands beside it. */
#include "cli/sources.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/beside.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIBRARY_FILES_MAX = 1000, READ_LIMIT_BYTES = 16 * LIMIT_PIPELINE_BYTES };

static void add(struct sources *sources, char *name, char *bytes, size_t size)
{
    sources->items = mem_grow(sources->items, &sources->capacity, sources->set.count + 1, sizeof *sources->items);
    sources->items[sources->set.count++] = (struct source){name, bytes, size};
    sources->set.items = sources->items;
}

static int read_input(char **ret_bytes, size_t *ret_size, struct error *err)
{
    AUTO(text_release) struct text text = {0};
    char block[16 * 1024];
    for (ssize_t got; (got = read(STDIN_FILENO, block, sizeof block)) != 0;) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "cannot read standard input");
        text_add_bytes(&text, block, (size_t)got);
        if (text.size > READ_LIMIT_BYTES) return error_set(err, ERROR_LIMIT, NOWHERE, "standard input is larger than any pipeline file");
    }
    *ret_size = text.size;
    *ret_bytes = text_take(&text);
    return 0;
}

static int is_yaml(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(entry->d_name, ".yaml");
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* All of a folder's *.yaml by name, called `as`/NAME; a folder that is not there has none. */
static int add_folder(struct sources *sources, const char *folder, const char *as, struct error *err)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_yaml, alphasort), failed = 0;
    if (count < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, errno, "cannot list %s", folder);
    if (count > LIBRARY_FILES_MAX) failed = error_set(err, ERROR_LIMIT, NOWHERE, "%s holds more than %d files", folder, LIBRARY_FILES_MAX);
    for (int i = 0; i < count && !failed; i++) {
        AUTO(free_text) char *path = mem_format("%s/%s", folder, names[i]->d_name);
        char *bytes;
        size_t size;
        failed = file_read(path, READ_LIMIT_BYTES, &bytes, &size, err);
        if (!failed) add(sources, mem_format("%s/%s", as, names[i]->d_name), bytes, size);
    }
    free_names(names, count);
    return failed;
}

/* The folder of a path, with its slash; "" for the current one. Caller frees. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? mem_copy_bytes(path, (size_t)(slash + 1 - path)) : mem_copy_text("");
}

/* pipelines/ beside the file. "" stands for the current folder, so that names stay short. */
static int add_neighbours(struct sources *sources, const char *path, struct error *err)
{
    AUTO(free_text) char *folder = folder_of(path);
    AUTO(free_text) char *pipelines = mem_format("%spipelines", folder);
    return add_folder(sources, pipelines, pipelines, err);
}

/* The service's descriptor, where the pipeline names one that is there; that it is missing is for the loader to say. */
static int add_service(struct sources *sources, const char *path, struct error *err)
{
    AUTO(text_release) struct text service = {0};
    if (!text_find_top_value(sources->items[0].bytes, "service", &service)) return 0;
    AUTO(free_text) char *name = beside_service_name(path, text_view(&service));
    char *bytes;
    size_t size;
    if (!file_exists(name)) return 0;
    int failed = file_read(name, READ_LIMIT_BYTES, &bytes, &size, err);
    if (!failed) add(sources, take(&name), bytes, size);
    return failed;
}

/* domains/ beside the file, else of the data folder that is the usual one here, as far as it may be read. */
static int add_domains(struct sources *sources, const char *path, struct error *err)
{
    size_t before = sources->set.count;
    AUTO(free_text) char *folder = folder_of(path);
    AUTO(free_text) char *beside = mem_format("%sdomains", folder);
    int failed = add_folder(sources, beside, beside, err);
    const char *data = getenv("CRESCENDO_DATA");
    if (failed || sources->set.count > before || !data || !*data) return failed;
    AUTO(free_text) char *domains = mem_format("%s/domains", data);
    return access(domains, R_OK | X_OK) == 0 ? add_folder(sources, domains, domains, err) : 0;
}

/* The library beside the program: in a build tree, or installed. It is called as the server calls it, wherever it lies: a plan names it. */
static int add_library(struct sources *sources, struct error *err)
{
    static const char *const places[] = {"../pipelines", "../share/crescendo/pipelines"};
    AUTO(free_text) char *program = file_program_folder();
    for (size_t i = 0; program && i < COUNT_OF(places); i++) {
        AUTO(free_text) char *folder = mem_format("%s/%s", program, places[i]);
        int failed = add_folder(sources, folder, "pipelines", err);
        if (failed) return failed;
    }
    return 0;
}

static int cannot_read(const char *path, int failed, const struct error *why, struct error *err)
{
    if (failed != -ERROR_NOT_FOUND) return error_set(err, ERROR_INVALID, NOWHERE, "%s", why->message);
    error_set(err, ERROR_INVALID, NOWHERE, "there is no file %s", path);
    return error_hint(err, "go to the folder of your crescendo.yaml, or name the file");
}

int sources_read(const char *path, struct sources *ret, struct error *err)
{
    AUTO(sources_release) struct sources sources = {0};
    bool is_input = strcmp(path, "-") == 0;
    char *bytes = NULL;
    size_t size = 0;
    struct error why = {0};
    int failed = is_input ? read_input(&bytes, &size, &why) : file_read(path, READ_LIMIT_BYTES, &bytes, &size, &why);
    if (failed) return cannot_read(path, failed, &why, err);
    add(&sources, mem_copy_text(is_input ? "<stdin>" : path), bytes, size);
    if ((failed = add_neighbours(&sources, is_input ? "" : path, err))) return failed;
    if ((failed = add_library(&sources, err))) return failed;
    if ((failed = add_service(&sources, is_input ? "" : path, err))) return failed;
    if ((failed = add_domains(&sources, is_input ? "" : path, err))) return failed;
    *ret = sources;
    sources = (struct sources){0};
    return 0;
}

void sources_release(struct sources *sources)
{
    for (size_t i = 0; i < sources->set.count; i++) {
        free((void *)(uintptr_t)sources->items[i].name);
        free((void *)(uintptr_t)sources->items[i].bytes);
    }
    free(sources->items);
    *sources = (struct sources){0};
}
