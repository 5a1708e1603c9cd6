/* git.c: a git process with its pipes, and what `git cat-file --batch` says. */
#include "trigger/hook/hook.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_BYTES = 64 * 1024 };

bool child_start(struct child *child, const char *const *argv)
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

void child_end(struct child *child)
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
    do
        size = read(child->out, child->buffer, child->room);
    while (size < 0 && errno == EINTR);
    child->from = 0;
    child->to = size > 0 ? (size_t)size : 0;
    return size > 0;
}

bool child_say(struct child *child, const char *bytes, size_t size)
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
bool child_read_until(struct child *child, char delimiter, struct text *out)
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
bool child_read(struct child *child, size_t size, size_t keep, struct text *out)
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
bool read_object(struct child *cat, const char *type, size_t keep, struct text *out, bool *ret_found)
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
