/* support.h: what the step tests share: a folder of their own, files in it, and an engine's end of the protocol that says what was
   written down before and keeps what it hears. As a step speaks and listens by turns, all answers can lie ready from the start. */
#ifndef CRESCENDO_TESTS_STEPS_SUPPORT_H
#define CRESCENDO_TESTS_STEPS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../steps/protocol.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* A fresh folder; *state is its path. */
UNUSED static int make_folder(void **state)
{
    char *path = mem_copy_text("/tmp/crescendo-steps-XXXXXX");
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

UNUSED static int remove_folder(void **state)
{
    int failed = file_remove_tree(*state, NULL);
    free(*state);
    return failed;
}

/* Writes folder/name with its parents. */
UNUSED static void put_file(const char *folder, const char *name, const char *bytes, mode_t mode)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(free_text) char *parent = mem_copy_bytes(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folders(parent, 0755, NULL), 0);
    assert_int_equal(file_replace(path, bytes, strlen(bytes), mode, NULL), 0);
    assert_int_equal(chmod(path, mode), 0);
}

UNUSED static char *get_file(const char *folder, const char *name)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    char *bytes = NULL;
    return file_read(path, 1 << 24, &bytes, NULL, NULL) == 0 ? bytes : NULL;
}

UNUSED static bool has_file(const char *folder, const char *name)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Runs a shell script in folder; true when it ends with 0. */
UNUSED static bool shell(const char *folder, const char *script)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder) < 0) _exit(99);
        execl("/bin/sh", "sh", "-e", "-c", script, (char *)NULL);
        _exit(99);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct peer {
    struct step *step;
    json_t *input, *heard; /* array of what the step said, after peer_end */
    int engine, fd;
};

UNUSED static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

/* Opens a step of this type on input (JSON text; protocol is added), with these lines lying ready for it. */
UNUSED static struct peer peer_begin(const struct step_type *type, json_t *input, const char *lines)
{
    int ends[2];
    struct peer peer = {.input = input};
    json_put_whole(input, "protocol", 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer.engine = ends[0];
    peer.fd = ends[1];
    assert_int_equal(file_write_all(peer.engine, lines, strlen(lines)), 0);
    shutdown(peer.engine, SHUT_WR); /* a step that asks for more than the script holds sees the end, and does not hang */
    assert_int_equal(step_open(type, peer.input, peer.fd, &peer.step, NULL), 0);
    return peer;
}

/* Closes the step's end and collects what it said, hello left out. */
UNUSED static void peer_end(struct peer *peer)
{
    struct text all = {0};
    char chunk[4096];
    ssize_t got;
    step_close(&peer->step);
    close(peer->fd);
    while ((got = read(peer->engine, chunk, sizeof chunk)) > 0)
        text_add_bytes(&all, chunk, (size_t)got);
    close(peer->engine);
    peer->heard = json_array();
    for (const char *at = text_view(&all); *at;) {
        size_t size = strcspn(at, "\n");
        json_t *line = NULL;
        assert_int_equal(json_parse(at, size, "line", &line, NULL), 0);
        json_array_append_new(peer->heard, line);
        at += size + 1;
    }
    text_release(&all);
    assert_string_equal(json_text(json_array_get(peer->heard, 0), "type", ""), "hello");
    assert_int_equal(json_whole(json_array_get(peer->heard, 0), "protocol", 0), 1);
    json_array_remove(peer->heard, 0);
}

UNUSED static void peer_release(struct peer *peer)
{
    json_decref(peer->heard);
    json_decref(peer->input);
}

/* The types of what was heard: "intend outcome". Caller frees. */
UNUSED static char *peer_types(const struct peer *peer)
{
    struct text types = {0};
    size_t index;
    json_t *line;
    json_array_foreach(peer->heard, index, line) text_add_format(&types, "%s%s", index ? " " : "", json_text(line, "type", "?"));
    return text_take(&types);
}

/* The value of an output; borrowed; NULL when it was not given. */
UNUSED static const json_t *peer_output(const struct peer *peer, const char *name)
{
    size_t index;
    json_t *line;
    json_array_foreach(peer->heard, index, line) if (text_equal(json_text(line, "type", ""), "output") &&
                                                     text_equal(json_text(line, "name", ""), name)) return json_object_get(line, "value");
    return NULL;
}

#endif
