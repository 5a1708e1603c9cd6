/* body.c: a push as the body of POST /v1/pushes: the pipeline's files and its service's descriptor at the commit, its title, the changed
 * paths. */
#include "trigger/hook/hook.h"

#include "base/encode.h"
#include "base/mem.h"
#include "crescendo/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FILES_TOTAL_BYTES = LIMIT_REQUEST_BYTES / 2, /* base64 adds a third */
    FILES_COUNT = 200,
    PATHS_BYTES = 512 * 1024,
    COMMIT_BYTES = 64 * 1024, /* what is read of a commit and of the tree of pipelines/ */
    TREE_BYTES = 1024 * 1024,
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

struct library { /* pipelines/NAME.yaml of one commit */
    char *names[FILES_COUNT];
    size_t count;
};

/* Reads a tree object (mode SP name NUL id) and asks for its YAML files. */
static bool ask_for_library(struct hook *hook, const struct text *tree, size_t id_size, struct library *library)
{
    struct text ask = {0};
    const char *at = text_view(tree), *end = at + tree->size;
    while (at < end && library->count < FILES_COUNT) {
        const char *name = memchr(at, ' ', (size_t)(end - at));
        const char *id = name ? memchr(name, '\0', (size_t)(end - name)) : NULL;
        if (!id || (size_t)(end - id) <= id_size) break;
        if (text_starts(at, "100") && text_ends(name + 1, ".yaml")) {
            library->names[library->count++] = mem_format("pipelines/%s", name + 1);
            for (size_t i = 1; i <= id_size; i++)
                text_add_format(&ask, "%02x", (unsigned char)id[i]);
            text_add_char(&ask, '\n');
        }
        at = id + 1 + id_size;
    }
    bool good = !ask.size || child_say(&hook->cat, ask.bytes, ask.size);
    text_release(&ask);
    return good;
}

static bool add_library(struct hook *hook, const struct text *tree, size_t id_size, struct text *body, unsigned *count)
{
    struct library library = {0};
    bool good = ask_for_library(hook, tree, id_size, &library);
    for (size_t i = 0; i < library.count; i++) {
        struct text file = {0};
        bool found = false;
        good = good && read_object(&hook->cat, "blob", LIMIT_PIPELINE_BYTES + 1, &file, &found);
        if (good && found && body->size + file.size * 4 / 3 < FILES_TOTAL_BYTES) add_file(body, library.names[i], &file, count);
        text_release(&file);
        free(library.names[i]);
    }
    return good;
}

/* The entry of the tree, "MODE NAME"; NULL: there is none. */
static const char *find_entry(const struct text *tree, size_t id_size, const char *wanted)
{
    const char *at = text_view(tree), *end = at + tree->size;
    while (at < end) {
        const char *name = memchr(at, ' ', (size_t)(end - at));
        const char *id = name ? memchr(name, '\0', (size_t)(end - name)) : NULL;
        if (!id || (size_t)(end - id) <= id_size) return NULL;
        if (text_equal(name + 1, wanted)) return at;
        at = id + 1 + id_size;
    }
    return NULL;
}

/* Is this entry a symbolic link? What git hands out for one is its target's path. */
static bool is_link(const struct text *tree, size_t id_size, const char *wanted)
{
    const char *entry = find_entry(tree, id_size, wanted);
    return entry && text_starts(entry, "120000 ");
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
    struct hook *hook, const char *commit, const struct text *pipeline, const struct text *root, struct text *body, unsigned *count)
{
    size_t id_size = strlen(commit) / 2;
    struct text name = {0}, ask = {0}, file = {0};
    bool found = false, good = true;
    if (!text_find_top_value(text_view(pipeline), "service", &name) && find_entry(root, id_size, "service.yaml"))
        text_add(&name, "service.yaml");
    if (is_plain_path(text_view(&name)) && !is_link(root, id_size, text_view(&name))) {
        text_add_format(&ask, "%s:%s\n", commit, text_view(&name));
        good = child_say(&hook->cat, ask.bytes, ask.size) && read_object(&hook->cat, "blob", LIMIT_PIPELINE_BYTES + 1, &file, &found);
    }
    if (good && found && body->size + file.size * 4 / 3 < FILES_TOTAL_BYTES) add_file(body, text_view(&name), &file, count);
    text_release(&name);
    text_release(&ask);
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

/* Everything about the commit: its files, its title and, where the file filters by paths, what changed. False: git failed. */
static bool add_commit(struct hook *hook, const struct update *update, struct text *body)
{
    static const char *const cat_argv[] = {"git", "cat-file", "--batch", NULL};
    struct text ask = {0}, commit = {0}, file = {0}, tree = {0}, root = {0};
    bool found_commit = false, found_file = false, found_tree = false, found_root = false;
    unsigned count = 0;
    text_add_format(&ask, "%s\n%s^{tree}\n%s:crescendo.yaml\n%s:pipelines\n", update->new, update->new, update->new, update->new);
    bool good = hook->cat.buffer || child_start(&hook->cat, cat_argv);
    good = good && child_say(&hook->cat, ask.bytes, ask.size);
    good = good && read_object(&hook->cat, "commit", COMMIT_BYTES, &commit, &found_commit);
    good = good && read_object(&hook->cat, "tree", ROOT_BYTES, &root, &found_root);
    good = good && read_object(&hook->cat, "blob", LIMIT_PIPELINE_BYTES + 1, &file, &found_file);
    good = good && read_object(&hook->cat, "tree", TREE_BYTES, &tree, &found_tree);
    bool link = found_root && is_link(&root, strlen(update->new) / 2, "crescendo.yaml");
    found_file = found_file && !link;
    if (good && found_file) add_file(body, "crescendo.yaml", &file, &count);
    if (good && found_file && found_tree) good = add_library(hook, &tree, strlen(update->new) / 2, body, &count);
    if (good && found_file) good = add_service(hook, update->new, &file, &root, body, &count);
    text_add(body, link ? "],\"link\":true" : "]");
    if (good && found_commit) add_title(body, &commit);
    if (good && !is_zeros(update->old) && strstr(text_view(&file), "paths")) add_paths(update, body);
    text_release(&ask);
    text_release(&commit);
    text_release(&file);
    text_release(&tree);
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
