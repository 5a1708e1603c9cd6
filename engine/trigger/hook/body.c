/* body.c: a push as the body of POST /v1/pushes: the pipeline's files and its service's descriptor at the commit, its title, the changed
 * paths. */
#include "trigger/hook/hook.h"

#include "base/encode.h"
#include "base/mem.h"
#include "crescendo/limits.h"
#include "trigger/hook/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FILES_TOTAL_BYTES = LIMIT_REQUEST_BYTES / 2, /* base64 adds a third */
    FILES_COUNT = 200,
    PATHS_BYTES = 512 * 1024,
    COMMIT_BYTES = 64 * 1024,      /* what is read of a commit */
    TREE_BYTES = 1024 * 1024,      /* of the tree of a folder */
    ROOT_BYTES = 16 * 1024 * 1024, /* of the tree at the top, to see what crescendo.yaml is */
    TITLE_BYTES = 200,
};

static bool is_zeros(const char *id)
{
    return id[strspn(id, "0")] == '\0';
}

static void add_file(struct text *body, const char *name, const struct text *content, unsigned *count)
{
    text_add(body, (*count)++ ? ",{\"name\":" : "{\"name\":");
    json_add(body, name, strlen(name));
    text_add(body, ",\"base64\":\"");
    base64_encode(text_view(content), content->size, body);
    text_add(body, "\"}");
}

static void add_title(struct text *body, const struct text *commit)
{
    const char *message = strstr(text_view(commit), "\n\n");
    if (!message) return;
    message += strspn(message, "\n");
    size_t size = strcspn(message, "\n");
    text_add(body, ",\"title\":");
    while (size > TITLE_BYTES || (size > 0 && size < strlen(message) && ((unsigned char)message[size] & 0xc0) == 0x80))
        size--;
    json_add(body, message, size);
}

/* An object by its id; one of another type, or that is not there, is not found. False: git is gone. */
static bool get(struct hook *hook, const char *id, const char *type, size_t keep, struct text *out, bool *ret_found)
{
    static const char *const argv[] = {"git", "cat-file", "--batch", NULL};
    const char *seen = NULL;
    size_t start = out->size;
    *ret_found = false;
    if (object_read(id, keep, out, &seen)) {
        *ret_found = text_equal(seen, type);
        if (!*ret_found) out->size = start;
        return true;
    }
    AUTO(free_text) char *ask = mem_format("%s\n", id);
    return (hook->cat.buffer || child_start(&hook->cat, argv)) && child_say(&hook->cat, ask, strlen(ask)) &&
           read_object(&hook->cat, type, keep, out, ret_found);
}

struct entry { /* of a tree: MODE SP NAME NUL id */
    const char *mode, *name;
    char id[65];
};

/* The entry at *at, which is moved behind it; false: there is none. */
static bool next_entry(const struct text *tree, const char **at, size_t id_size, struct entry *ret)
{
    const char *end = text_view(tree) + tree->size;
    const char *name = memchr(*at, ' ', (size_t)(end - *at));
    const char *id = name ? memchr(name, '\0', (size_t)(end - name)) : NULL;
    if (!id || (size_t)(end - id) <= id_size) return false;
    *ret = (struct entry){.mode = *at, .name = name + 1};
    for (size_t i = 0; i < id_size; i++)
        snprintf(ret->id + 2 * i, 3, "%02x", (unsigned char)id[1 + i]);
    *at = id + 1 + id_size;
    return true;
}

static bool find_entry(const struct text *tree, size_t id_size, const char *wanted, size_t wanted_size, struct entry *ret)
{
    const char *at = text_view(tree);
    while (next_entry(tree, &at, id_size, ret))
        if (strlen(ret->name) == wanted_size && memcmp(ret->name, wanted, wanted_size) == 0) return true;
    return false;
}

static bool is_file(const struct entry *entry)
{
    return text_starts(entry->mode, "100");
}

/* The regular file at a path below the tree, through its folders; a link is none. */
static bool get_file(
    struct hook *hook, const struct text *tree, size_t id_size, const char *path, size_t keep, struct text *out, bool *ret_found)
{
    struct entry entry;
    const char *slash = strchr(path, '/');
    *ret_found = false;
    if (!find_entry(tree, id_size, path, slash ? (size_t)(slash - path) : strlen(path), &entry)) return true;
    if (!slash) return !is_file(&entry) || get(hook, entry.id, "blob", keep, out, ret_found);
    struct text folder = {0};
    bool found = false, good = get(hook, entry.id, "tree", TREE_BYTES, &folder, &found);
    if (good && found) good = get_file(hook, &folder, id_size, slash + 1, keep, out, ret_found);
    text_release(&folder);
    return good;
}

/* pipelines/NAME.yaml of the commit. */
static bool add_library(struct hook *hook, const struct text *root, size_t id_size, struct text *body, unsigned *count)
{
    struct text tree = {0};
    struct entry entry;
    bool found = false, good = true;
    if (find_entry(root, id_size, "pipelines", strlen("pipelines"), &entry)) good = get(hook, entry.id, "tree", TREE_BYTES, &tree, &found);
    const char *at = text_view(&tree);
    for (unsigned files = 0; good && files < FILES_COUNT && next_entry(&tree, &at, id_size, &entry);) {
        if (!is_file(&entry) || !text_ends(entry.name, ".yaml")) continue;
        AUTO(free_text) char *name = mem_format("pipelines/%s", entry.name);
        struct text file = {0};
        good = get(hook, entry.id, "blob", LIMIT_PIPELINE_BYTES + 1, &file, &found);
        if (good && found && body->size + file.size * 4 / 3 < FILES_TOTAL_BYTES) add_file(body, name, &file, count);
        text_release(&file);
        files++;
    }
    text_release(&tree);
    return good;
}

/* A path that git may be asked for, on one line, inside the commit. */
static bool is_plain_path(const char *path)
{
    if (!*path || *path == '/' || strlen(path) > PATH_MAX / 2 || strstr(path, "..")) return false;
    for (; *path; path++)
        if ((unsigned char)*path < ' ' || *path == 127) return false;
    return true;
}

/* The service's descriptor: the file that the pipeline calls so, else service.yaml; one that is not there is left out. */
static bool add_service(
    struct hook *hook, const struct text *pipeline, const struct text *root, size_t id_size, struct text *body, unsigned *count)
{
    struct text name = {0}, file = {0};
    bool found = false, good = true;
    if (!text_find_top_value(text_view(pipeline), "service", &name)) text_add(&name, "service.yaml");
    if (is_plain_path(text_view(&name))) good = get_file(hook, root, id_size, text_view(&name), LIMIT_PIPELINE_BYTES + 1, &file, &found);
    if (good && found && body->size + file.size * 4 / 3 < FILES_TOTAL_BYTES) add_file(body, text_view(&name), &file, count);
    text_release(&name);
    text_release(&file);
    return good;
}

/* The changed paths, for `on.push.paths`. More than fit: nothing is said, which matches every filter. */
static void add_paths(const struct update *update, struct text *body)
{
    const char *const argv[] = {"git", "diff-tree", "-r", "--name-only", "-z", "--no-renames", update->old, update->new, NULL};
    struct child diff = {0};
    struct text list = {0}, path = {0};
    bool started = child_start(&diff, argv);
    while (started && list.size < PATHS_BYTES && child_read_until(&diff, '\0', &path)) {
        text_add(&list, list.size ? "," : ",\"paths\":[");
        json_add(&list, text_view(&path), path.size);
        path.size = 0;
    }
    if (started && list.size < PATHS_BYTES) {
        text_add_bytes(body, text_view(&list), list.size);
        text_add(body, list.size ? "]" : ",\"paths\":[]");
    }
    text_release(&list);
    text_release(&path);
    child_end(&diff);
}

/* A commit begins with "tree ID". */
static bool get_root(struct hook *hook, const struct text *commit, size_t id_size, struct text *root, bool *ret_found)
{
    const char *text = text_view(commit);
    *ret_found = false;
    if (!text_starts(text, "tree ") || strcspn(text + strlen("tree "), "\n") != 2 * id_size) return true;
    AUTO(free_text) char *id = mem_copy_bytes(text + strlen("tree "), 2 * id_size);
    return get(hook, id, "tree", ROOT_BYTES, root, ret_found);
}

static bool add_files(struct hook *hook, const struct text *root, size_t id_size, struct text *body, bool *ret_filters)
{
    static const char pipeline[] = "crescendo.yaml";
    struct text file = {0};
    struct entry entry;
    bool found = false;
    unsigned count = 0;
    bool good = get_file(hook, root, id_size, pipeline, LIMIT_PIPELINE_BYTES + 1, &file, &found);
    bool link = find_entry(root, id_size, pipeline, strlen(pipeline), &entry) && text_starts(entry.mode, "120000 ");
    if (good && found) add_file(body, pipeline, &file, &count);
    if (good && found) good = add_library(hook, root, id_size, body, &count);
    if (good && found) good = add_service(hook, &file, root, id_size, body, &count);
    text_add(body, link ? "],\"link\":true" : "]");
    *ret_filters = strstr(text_view(&file), "paths") != NULL;
    text_release(&file);
    return good;
}

/* Everything about the commit: its files, its title and, where the file filters by paths, what changed. False: git failed. */
static bool add_commit(struct hook *hook, const struct update *update, struct text *body)
{
    struct text commit = {0}, root = {0};
    size_t id_size = strlen(update->new) / 2;
    bool found = false, filters = false;
    bool good = get(hook, update->new, "commit", COMMIT_BYTES, &commit, &found);
    good = good && get_root(hook, &commit, id_size, &root, &found);
    good = good && add_files(hook, &root, id_size, body, &filters);
    if (good && commit.size) add_title(body, &commit);
    if (good && !is_zeros(update->old) && filters) add_paths(update, body);
    text_release(&commit);
    text_release(&root);
    return good;
}

bool make_body(struct hook *hook, const struct update *update, struct text *body)
{
    text_add(body, "{\"repository\":");
    json_add(body, hook->name, strlen(hook->name));
    text_add(body, ",\"ref\":");
    json_add(body, update->ref, strlen(update->ref));
    text_add_format(
        body, ",\"old\":\"%s\",\"new\":\"%s\",\"colour\":%s,\"files\":[", update->old, update->new, hook->colour ? "true" : "false");
    bool wanted = text_starts(update->ref, "refs/heads/") && !is_zeros(update->new);
    bool good = wanted ? add_commit(hook, update, body) : true;
    if (!wanted) text_add_char(body, ']');
    text_add_char(body, '}');
    return good;
}
