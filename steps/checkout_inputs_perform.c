/* checkout_inputs_perform.c: copies what matches an input's globs from another stage's workspace into this one. A folder that matches
   comes with all that is in it; a file that is there already gives way. A glob that matches nothing is an error: the next step would
   only fail later and say less. The other workspace was written by arbitrary programs, so nothing in it is followed. */
#include "checkout.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "copy.h"
#include "paths.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct input_walk {
    const struct copy *copy;
    const json_t *globs;
    bool *matched;  /* one a glob */
    bool is_copied; /* inside a folder that was copied whole: globs are only marked */
};

static int walk_folder(struct input_walk *walk, int from, const char *above, unsigned depth, struct error *err);

/* Globs are marked as they match, so all are looked at. "out/" means the folder out. */
static bool matches(struct input_walk *walk, const char *shown)
{
    size_t index;
    json_t *item;
    bool any = false;
    json_array_foreach(walk->globs, index, item)
    {
        AUTO(free_text) char *glob = mem_copy_text(json_is_string(item) ? json_string_value(item) : "");
        size_t size = strlen(glob);
        if (size && glob[size - 1] == '/') glob[size - 1] = '\0';
        if (!text_matches_glob(shown, text_starts(glob, "./") ? glob + 2 : glob)) continue;
        walk->matched[index] = true;
        any = true;
    }
    return any;
}

/* Opens the folder of shown below the workspace, made where it is missing. */
static int open_parent(int workspace, const char *shown, int *ret_fd, struct error *err)
{
    AUTO(close_fd) int at = fcntl(workspace, F_DUPFD_CLOEXEC, 0);
    for (const char *slash; (slash = strchr(shown, '/')); shown = slash + 1) {
        AUTO(free_text) char *part = mem_copy_bytes(shown, (size_t)(slash - shown));
        int below = -1, failed = workspace_enter_folder(at, part, part, &below, err);
        if (failed) return failed;
        close_fd(&at);
        at = below;
    }
    *ret_fd = take_fd(&at);
    return 0;
}

static int copy_match(struct input_walk *walk, int from, const char *name, const char *shown, unsigned depth, struct error *err)
{
    AUTO(close_fd) int parent = -1;
    int failed = open_parent(walk->copy->checkout->workspace, shown, &parent, err);
    return failed ? failed : copy_entry(walk->copy, from, name, parent, shown, depth, err);
}

static int walk_entry(struct input_walk *walk, int from, const char *name, const char *shown, unsigned depth, struct error *err)
{
    if (!path_part_is_safe(name)) return 0;
    if (depth > TREE_DEPTH_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "%.80s...: folders are nested more than 200 deep", shown);
    bool was_copied = walk->is_copied, wanted = matches(walk, shown) && !was_copied;
    int failed = wanted ? copy_match(walk, from, name, shown, depth, err) : 0;
    if (failed) return failed;
    AUTO(close_fd) int below = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0 && (errno == ENOTDIR || errno == ELOOP)) return 0; /* a file or a link */
    if (below < 0) return error_set_errno(err, errno, "%s", shown);
    walk->is_copied = was_copied || wanted;
    failed = walk_folder(walk, below, shown, depth + 1, err);
    walk->is_copied = was_copied;
    return failed;
}

static int walk_folder(struct input_walk *walk, int from, const char *above, unsigned depth, struct error *err)
{
    AUTO(name_list_release) struct name_list names = {0};
    int failed = workspace_list(from, above, &names, err);
    for (size_t i = 0; i < names.count && !failed; i++) {
        AUTO(free_text) char *shown = mem_format("%s%s%s", above, *above ? "/" : "", names.items[i]);
        failed = walk_entry(walk, from, names.items[i], shown, depth, err);
    }
    return failed;
}

static int check_matched(const struct input_walk *walk, const char *stage, struct error *err)
{
    for (size_t i = 0; i < json_array_size(walk->globs); i++) {
        if (walk->matched[i]) continue;
        const char *glob = json_string_value(json_array_get(walk->globs, i));
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "inputs: nothing in the workspace of stage %s matches \"%s\"", stage, glob ? glob : "");
        return error_hint(err, "globs start at the workspace's top; does a step of %s make it?", stage);
    }
    return 0;
}

static void free_flags(bool **flags)
{
    free(*flags);
}

int checkout_input(struct checkout *checkout, const json_t *input, struct error *err)
{
    const char *from = json_text(input, "from", NULL), *stage = json_text(input, "stage", "?");
    const json_t *globs = json_object_get(input, "globs");
    AUTO(close_fd) int folder = -1;
    AUTO(free_flags) bool *matched = mem_alloc_array(json_array_size(globs), sizeof *matched);
    struct copy copy = {.checkout = checkout, .replace = true};
    struct input_walk walk = {.copy = &copy, .globs = globs, .matched = matched};
    if (!from) return error_set(err, ERROR_INVALID, NOWHERE, "inputs: the workspace of stage %s is not known", stage);
    int failed = workspace_open(from, &folder, err);
    if (!failed) failed = walk_folder(&walk, folder, "", 0, err);
    return failed ? failed : check_matched(&walk, stage, err);
}
