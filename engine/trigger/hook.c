/* hook.c: the program crescendo-hook, which git runs as hooks/post-receive of a bare repository. It reads the pipeline's files at the
   pushed commit, stores the push in crescendo-spool/ (synced), hands it to the server, prints what that says and follows the run.
   A push is in the spool until a server has it on disk, so neither a crash nor a missing server loses one. Static, no libraries. */
#include "base/encode.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLLOW_SECONDS = 60,
    FILES_TOTAL_BYTES = LIMIT_REQUEST_BYTES / 2, /* base64 adds a third */
    FILES_COUNT = 200,
    PATHS_BYTES = 512 * 1024,
    COMMIT_BYTES = 64 * 1024,  /* what is read of a commit and of the tree of pipelines/ */
    TREE_BYTES = 1024 * 1024,
    PIPE_BYTES = 64 * 1024,
    TITLE_BYTES = 200,
    ANSWER_TIMEOUT_MS = 30 * 1000,
};

static const char spool_folder[] = "crescendo-spool";

struct child { /* a git of ours, with its standard input and output */
    pid_t pid;
    int in, out;
    char *buffer;
    size_t from, to, room;
};

struct hook {
    char name[NAME_MAX]; /* the repository's */
    const char *server, *token;
    int64_t follow_seconds;
    bool colour;
    struct child cat;    /* git cat-file --batch, started when first needed */
    unsigned spooled;    /* files made so far */
    unsigned long long run; /* the last one started, of so many: */
    unsigned runs;
};

/* --- git ---------------------------------------------------------------------------------------------------------------- */

static bool child_start(struct child *child, const char *const *argv)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0) return false;
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int fault = posix_spawnp(&child->pid, "git", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
    child->room = PIPE_BYTES;
    child->buffer = mem_alloc(child->room);
    if (fault) child->pid = 0;
    return fault == 0;
}

static void child_end(struct child *child)
{
    if (!child->buffer) return;
    close(child->in);
    close(child->out); /* a git that still writes ends by SIGPIPE */
    if (child->pid) waitpid(child->pid, NULL, 0);
    free(child->buffer);
    *child = (struct child){0};
}

static bool child_fill(struct child *child)
{
    ssize_t size;
    do size = read(child->out, child->buffer, child->room);
    while (size < 0 && errno == EINTR);
    child->from = 0;
    child->to = size > 0 ? (size_t)size : 0;
    return size > 0;
}

static bool child_say(struct child *child, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = write(child->in, bytes, size);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Appends up to the delimiter, which is taken and left out. */
static bool child_read_until(struct child *child, char delimiter, struct text *out)
{
    while (true) {
        if (child->from == child->to && !child_fill(child)) return false;
        const char *start = child->buffer + child->from;
        const char *end = memchr(start, delimiter, child->to - child->from);
        size_t size = end ? (size_t)(end - start) : child->to - child->from;
        text_add_bytes(out, start, size);
        child->from += size + (end != NULL);
        if (end) return true;
    }
}

/* Appends size bytes; what is beyond keep is read and dropped. */
static bool child_read(struct child *child, size_t size, size_t keep, struct text *out)
{
    while (size > 0) {
        if (child->from == child->to && !child_fill(child)) return false;
        size_t part = child->to - child->from < size ? child->to - child->from : size;
        text_add_bytes(out, child->buffer + child->from, part < keep ? part : keep);
        keep -= part < keep ? part : keep;
        child->from += part;
        size -= part;
    }
    return true;
}

/* The next object of git cat-file --batch: *ret_found says whether it is there and of that type. */
static bool read_object(struct child *cat, const char *type, size_t keep, struct text *out, bool *ret_found)
{
    struct text head = {0};
    bool good = child_read_until(cat, '\n', &head);
    char *space = good ? strrchr(text_view(&head), ' ') : NULL;
    *ret_found = false;
    if (good && space && !text_ends(head.bytes, " missing") && !text_ends(head.bytes, " ambiguous")) {
        size_t size = strtoull(space + 1, NULL, 10);
        *space = '\0';
        *ret_found = text_ends(head.bytes, type);
        good = child_read(cat, size, *ret_found ? keep : 0, out) && child_read(cat, 1, 0, out);
    }
    text_release(&head);
    return good;
}

/* --- JSON, as much as is needed ------------------------------------------------------------------------------------------ */

static void json_add(struct text *out, const char *bytes, size_t size)
{
    bool utf8 = text_is_utf8(bytes, size);
    text_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\') text_add_format(out, "\\%c", c);
        else if (c < 0x20) text_add_format(out, "\\u%04x", c);
        else if (c >= 0x80 && !utf8) text_add_char(out, '?');
        else text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

static void add_code_point(struct text *out, unsigned long point)
{
    if (point < 0x80) {
        text_add_char(out, (char)point);
    } else if (point < 0x800) {
        text_add_char(out, (char)(0xc0 | point >> 6));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else {
        text_add_char(out, (char)(0xe0 | point >> 12));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    }
}

/* Decodes the string that begins behind the quote at *at; leaves *at behind its closing quote. */
static void json_read_string(const char **at, struct text *out)
{
    static const char codes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *p = *at;
    for (; *p && *p != '"'; p++) {
        if (*p != '\\' || !p[1]) {
            text_add_char(out, *p);
        } else if (*++p == 'u' && strnlen(p, 5) == 5) {
            char digits[5] = {p[1], p[2], p[3], p[4], 0};
            add_code_point(out, strtoul(digits, NULL, 16));
            p += 4;
        } else {
            const char *code = strchr(codes, *p);
            text_add_char(out, code ? meanings[code - codes] : *p);
        }
    }
    *at = *p ? p + 1 : p;
}

/* The first member of that name, at any depth, as text. */
static bool json_find(const char *json, const char *key, struct text *out)
{
    struct text string = {0};
    bool found = false;
    for (const char *at = json; *at && !found;) {
        if (*at++ != '"') continue;
        string.size = 0;
        text_add(&string, "");
        json_read_string(&at, &string);
        found = *at == ':' && text_equal(text_view(&string), key);
        if (!found) continue;
        at += 1 + strspn(at + 1, " ");
        if (*at == '"') at++, json_read_string(&at, out);
        else text_add_bytes(out, at, strcspn(at, ",}] "));
    }
    text_release(&string);
    return found;
}

/* --- the push, as the body of POST /v1/pushes ------------------------------------------------------------------------------ */

struct update { /* one line of git's */
    char old[65], new[65];
    const char *ref;
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
    while (size > TITLE_BYTES || (size > 0 && size < strlen(message) && ((unsigned char)message[size] & 0xc0) == 0x80)) size--;
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
            for (size_t i = 1; i <= id_size; i++) text_add_format(&ask, "%02x", (unsigned char)id[i]);
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
    struct text ask = {0}, commit = {0}, file = {0}, tree = {0};
    bool found_commit = false, found_file = false, found_tree = false;
    unsigned count = 0;
    text_add_format(&ask, "%s\n%s:crescendo.yaml\n%s:pipelines\n", update->new, update->new, update->new);
    bool good = hook->cat.buffer || child_start(&hook->cat, cat_argv);
    good = good && child_say(&hook->cat, ask.bytes, ask.size);
    good = good && read_object(&hook->cat, "commit", COMMIT_BYTES, &commit, &found_commit);
    good = good && read_object(&hook->cat, "blob", LIMIT_PIPELINE_BYTES + 1, &file, &found_file);
    good = good && read_object(&hook->cat, "tree", TREE_BYTES, &tree, &found_tree);
    if (good && found_file) add_file(body, "crescendo.yaml", &file, &count);
    if (good && found_file && found_tree) good = add_library(hook, &tree, strlen(update->new) / 2, body, &count);
    text_add_char(body, ']');
    if (good && found_commit) add_title(body, &commit);
    if (good && !is_zeros(update->old) && strstr(text_view(&file), "paths")) add_paths(update, body);
    text_release(&ask);
    text_release(&commit);
    text_release(&file);
    text_release(&tree);
    return good;
}

static bool make_body(struct hook *hook, const struct update *update, struct text *body)
{
    text_add(body, "{\"repository\":");
    json_add(body, hook->name, strlen(hook->name));
    text_add(body, ",\"ref\":");
    json_add(body, update->ref, strlen(update->ref));
    text_add_format(body, ",\"old\":\"%s\",\"new\":\"%s\",\"colour\":%s,\"files\":[", update->old, update->new,
        hook->colour ? "true" : "false");
    bool wanted = text_starts(update->ref, "refs/heads/") && !is_zeros(update->new);
    bool good = wanted ? add_commit(hook, update, body) : true;
    if (!wanted) text_add_char(body, ']');
    text_add_char(body, '}');
    return good;
}

/* --- the spool -------------------------------------------------------------------------------------------------------------- */

static bool write_synced(const char *path, const struct text *body)
{
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    for (size_t done = 0; done < body->size;) {
        ssize_t size = write(fd, body->bytes + done, body->size - done);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return false;
        done += (size_t)size;
    }
    return fdatasync(fd) == 0;
}

/* Returns the file's path: on disk, name and all. NULL: it could not be stored, errno says why. */
static char *spool_write(struct hook *hook, const struct text *body)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (mkdir(spool_folder, 0777) < 0 && errno != EEXIST) return NULL;
    AUTO(free_text) char *path = mem_format("%s/%012lld%09ld-%d-%u.json", spool_folder, (long long)now.tv_sec, now.tv_nsec, getpid(),
        hook->spooled++);
    AUTO(free_text) char *writing = mem_format("%s.tmp", path);
    if (!write_synced(writing, body) || rename(writing, path) < 0) {
        int saved_errno = errno;
        unlink(writing);
        errno = saved_errno;
        return NULL;
    }
    AUTO(close_fd) int folder = open(spool_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder >= 0 && fsync(folder) == 0 ? take(&path) : NULL;
}

static void spool_reject(const char *path)
{
    AUTO(free_text) char *rejected = mem_format("%s.rejected", path);
    if (rename(path, rejected) < 0) unlink(path);
}

/* --- the server --------------------------------------------------------------------------------------------------------------- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

static void say_refusal(const struct local_response *answer, const char *what)
{
    struct text message = {0}, hint = {0};
    if (!json_find(answer->body, "message", &message)) text_add_format(&message, "status %d", answer->status);
    say("Crescendo %s: %s\n", what, text_view(&message));
    if (json_find(answer->body, "hint", &hint)) say("  %s\n", text_view(&hint));
    text_release(&message);
    text_release(&hint);
}

static void note_run(struct hook *hook, const struct local_response *answer)
{
    struct text text = {0}, run = {0};
    if (json_find(answer->body, "text", &text)) say("%s", text_view(&text));
    json_find(answer->body, "run", &run);
    unsigned long long number = strtoull(text_view(&run), NULL, 10);
    text_release(&text);
    run.size = 0;
    bool invalid = json_find(answer->body, "invalid", &run) && text_equal(text_view(&run), "true");
    if (number && !invalid) {
        hook->run = number;
        hook->runs++;
    }
    text_release(&run);
}

static void hand_over(struct hook *hook, const struct text *body, const char *spooled)
{
    struct local_request request = {.server = hook->server, .token = hook->token, .method = "POST", .path = "/v1/pushes",
        .body = body->bytes, .body_size = body->size, .timeout_ms = ANSWER_TIMEOUT_MS};
    struct local_response answer = {0};
    struct error err = {0};
    const char *kept = spooled ? "this push is stored and will be run when the server is back"
                               : "this push is NOT stored: push again when the server is back";
    if (local_send(&request, &answer, &err) < 0) {
        say("Crescendo: no answer from the server: %s\n", kept);
        say("  %s\n", err.message);
        return;
    }
    if (answer.status / 100 == 2) {
        if (spooled) unlink(spooled);
        note_run(hook, &answer);
    } else if (answer.status == 400 || answer.status == 404 || answer.status == 413) {
        if (spooled) spool_reject(spooled);
        say_refusal(&answer, "refused this push");
    } else {
        say_refusal(&answer, "cannot take this push now");
        say("  %s\n", kept);
    }
    local_response_release(&answer);
}

static int print_bytes(void *context, const char *bytes, size_t size)
{
    *(bool *)context = true;
    bool good = fwrite(bytes, 1, size, stdout) == size;
    return fflush(stdout) == 0 && good ? 0 : -1;
}

static void follow(const struct hook *hook)
{
    bool printed = false;
    AUTO(free_text) char *path = mem_format("/v1/runs/%llu/follow?seconds=%lld&colour=%d", hook->run, (long long)hook->follow_seconds,
        hook->colour);
    struct local_request request = {.server = hook->server, .token = hook->token, .method = "GET", .path = path,
        .timeout_ms = (int)(hook->follow_seconds + 15) * 1000, .on_bytes = print_bytes, .context = &printed};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0)
        say("Crescendo: the server has left; the run goes on when it is back: crescendo watch %llu\n", hook->run);
    else if (answer.status / 100 != 2)
        say_refusal(&answer, "cannot show this run");
    local_response_release(&answer);
}

/* --- settings ------------------------------------------------------------------------------------------------------------------- */

static void set_option(struct hook *hook, const char *name, const char *value)
{
    int64_t seconds = 0;
    if (text_equal(name, "follow") && text_to_integer(value, &seconds) && seconds >= 0 && seconds <= 86400) hook->follow_seconds = seconds;
    if (text_equal(name, "no-follow")) hook->follow_seconds = 0;
    if (text_equal(name, "colour")) hook->colour = text_equal(value, "true");
    if (text_equal(name, "no-colour")) hook->colour = false;
}

/* [crescendo] in the repository's config: read by us, because another git would cost a millisecond. */
static void read_config(struct hook *hook)
{
    FILE *file = fopen("config", "re");
    char line[512];
    bool ours = false;
    while (file && fgets(line, sizeof line, file)) {
        char *at = line + strspn(line, " \t"), *equals = strchr(at, '=');
        at[strcspn(at, "\r\n")] = '\0';
        if (*at == '[') ours = text_starts(at, "[crescendo]");
        if (!ours || !equals || *at == '#' || *at == ';') continue;
        at[strcspn(at, " \t=")] = '\0';
        equals += 1 + strspn(equals + 1, " \t");
        equals[strcspn(equals, " \t#;")] = '\0';
        set_option(hook, at, equals);
    }
    if (file) fclose(file);
}

/* git push -o follow=10, -o no-follow */
static void read_push_options(struct hook *hook)
{
    const char *count_text = getenv("GIT_PUSH_OPTION_COUNT");
    int64_t count = 0;
    if (!count_text || !text_to_integer(count_text, &count)) return;
    for (int64_t i = 0; i < count && i < 64; i++) {
        AUTO(free_text) char *name = mem_format("GIT_PUSH_OPTION_%lld", (long long)i);
        const char *option = getenv(name);
        if (!option) continue;
        size_t size = strcspn(option, "=");
        AUTO(free_text) char *key = mem_copy_bytes(option, size);
        set_option(hook, key, option[size] ? option + size + 1 : "");
    }
}

/* Repositories stand in DATA/repositories, and the socket in DATA. */
static bool find_place(struct hook *hook)
{
    const char *folder = getenv("GIT_DIR");
    char path[PATH_MAX];
    if (folder && !text_equal(folder, ".") && chdir(folder) < 0) return false;
    if (!getcwd(path, sizeof path)) return false;
    const char *slash = strrchr(path, '/');
    if (!slash) return false;
    snprintf(hook->name, sizeof hook->name, "%s", slash + 1);
    if (text_ends(hook->name, ".git")) hook->name[strlen(hook->name) - strlen(".git")] = '\0';
    hook->server = getenv("CRESCENDO_SERVER");
    if (!hook->server || !*hook->server) hook->server = "unix:../../crescendo.sock";
    hook->token = getenv("CRESCENDO_TOKEN");
    hook->follow_seconds = FOLLOW_SECONDS;
    const char *no_colour = getenv("NO_COLOR");
    hook->colour = !no_colour || !*no_colour;
    return true;
}

static void take_update(struct hook *hook, const struct update *update)
{
    struct text body = {0};
    if (!make_body(hook, update, &body)) {
        say("Crescendo: git could not read commit %s: this push starts nothing\n", update->new);
        say("  push again, or start it by hand: crescendo run\n");
    } else {
        AUTO(free_text) char *spooled = spool_write(hook, &body);
        if (!spooled) say("Crescendo: cannot store this push in %s: %s\n", spool_folder, strerror(errno));
        hand_over(hook, &body, spooled);
    }
    text_release(&body);
}

int main(void)
{
    struct hook hook = {0};
    signal(SIGPIPE, SIG_IGN);
    if (!find_place(&hook)) {
        say("Crescendo: cannot tell which repository this is: %s\n", strerror(errno));
        return 0;
    }
    read_config(&hook);
    read_push_options(&hook);
    char *line = NULL;
    size_t room = 0;
    struct update update;
    while (getline(&line, &room, stdin) > 0) {
        int ref_at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%64s %64s %n", update.old, update.new, &ref_at) != 2 || !ref_at) continue;
        update.ref = line + ref_at;
        take_update(&hook, &update);
    }
    free(line);
    child_end(&hook.cat);
    if (hook.runs == 1 && hook.follow_seconds > 0) follow(&hook);
    return 0; /* the push itself has succeeded, whatever became of its run */
}
