/* external.c: finds external step types in the folders of PATH. Their tables are read by external_table.c. */
#include "external.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "external_table.h"
#include "registry.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "crescendo-step-";

static const char *const taken_keys[] = {"id", "name", "if", "env", "timeout", "retry", "sandbox", "cache", "reports", "outputs",
    "allow-failure", "steps", "use", "approve", NULL};

/* What was found so far: a growing list of types, the built-in ones first. */
struct search {
    struct arena *arena;
    const struct step_type **types;
    size_t count, capacity;
    void (*wrong)(void *context, const struct error *mistake); /* may be NULL */
    void *context;
};

static void free_search(struct search *search)
{
    free(search->types);
}

static void search_add(struct search *search, const struct step_type *type)
{
    search->types = mem_grow(search->types, &search->capacity, search->count + 2, sizeof *search->types);
    search->types[search->count++] = type;
    search->types[search->count] = NULL;
}

static bool name_is_free(const struct search *search, const char *name)
{
    for (size_t i = 0; taken_keys[i]; i++)
        if (strcmp(taken_keys[i], name) == 0) return false;
    for (size_t i = 0; i < search->count; i++)
        if (strcmp(search->types[i]->name, name) == 0) return false;
    return true;
}

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void search_add_program(struct search *search, const char *folder, const char *name)
{
    AUTO(free_text) char *program = mem_format("%s/%s%s", folder, prefix, name);
    struct step_type *type = NULL;
    struct error mistake;
    if (!name_is_free(search, name) || !is_program(program)) return;
    if (external_table_read(program, name, search->arena, &type, &mistake) < 0) {
        if (search->wrong) search->wrong(search->context, &mistake);
        type = external_table_refuse(name, &mistake, search->arena);
    }
    search_add(search, type);
}

/* The NAMEs of crescendo-step-NAME in a folder, sorted, so that the joined table does not depend on the disk's order. */
static char **list_names(const char *folder, struct arena *arena, size_t *ret_count)
{
    char **names = NULL;
    size_t count = 0, capacity = 0;
    DIR *listing = opendir(folder);
    if (listing) {
        for (struct dirent *entry; (entry = readdir(listing));) {
            const char *name = entry->d_name + sizeof prefix - 1;
            if (!text_starts(entry->d_name, prefix) || !text_is_name(name)) continue;
            names = mem_grow(names, &capacity, count + 1, sizeof *names);
            names[count++] = arena_copy_text(arena, name);
        }
        closedir(listing);
    }
    if (count) qsort(names, count, sizeof *names, compare_texts);
    *ret_count = count;
    return names;
}

static void search_folder(struct search *search, const char *folder)
{
    size_t count = 0;
    char **names = list_names(folder, search->arena, &count);
    for (size_t i = 0; i < count; i++)
        search_add_program(search, folder, names[i]);
    free(names);
}

/* The next absolute folder of a PATH-like variable; NULL at the end. Caller frees. */
static char *next_folder(const char **at)
{
    while (**at) {
        size_t size = strcspn(*at, ":");
        const char *start = *at;
        *at += size + (start[size] == ':');
        if (size > 0 && *start == '/') return mem_copy_bytes(start, size);
    }
    return NULL;
}

int external_types_load(const char *path_variable, struct arena *arena, step_types *builtin, step_types **ret_all, struct error *err)
{
    return external_types_load_telling(path_variable, arena, builtin, NULL, NULL, ret_all, err);
}

int external_types_load_telling(const char *path_variable, struct arena *arena, step_types *builtin,
    void (*wrong)(void *context, const struct error *mistake), void *context, step_types **ret_all, struct error *err)
{
    AUTO(free_search) struct search search = {.arena = arena, .wrong = wrong, .context = context};
    const char *at = path_variable ? path_variable : "";
    (void)err;
    for (; *builtin; builtin++)
        search_add(&search, *builtin);
    for (;;) {
        AUTO(free_text) char *folder = next_folder(&at);
        if (!folder) break;
        search_folder(&search, folder);
    }
    const struct step_type **all = arena_alloc_array(arena, search.count + 1, sizeof *all);
    if (search.count) memcpy(all, search.types, search.count * sizeof *all);
    *ret_all = all;
    return 0;
}

char *external_type_program(const char *name, const char *path_variable)
{
    const char *at = path_variable ? path_variable : "";
    if (!text_is_name(name)) return NULL;
    for (;;) {
        AUTO(free_text) char *folder = next_folder(&at);
        if (!folder) return NULL;
        AUTO(free_text) char *program = mem_format("%s/%s%s", folder, prefix, name);
        if (is_program(program)) return take(&program);
    }
}
