/* start.c: a step's turn has come: its descriptors, its environment, its process, its deadline. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Our end and the step's end of each. */
struct ends {
    struct descriptors theirs;
    int output, error, talk;
};

static void close_all(const int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fds[i] >= 0) close(fds[i]);
}

static bool make_pipe(int *ret_ours, int *ret_theirs)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) return false;
    *ret_ours = fds[0];
    *ret_theirs = fds[1];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

/* The text that a typed step reads; anybody else gets /dev/null. */
static int make_input(const struct shim *shim, const struct step *step)
{
    if (!step->input_size) return shim->null_fd;
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) return -1;
    if (write(fd, step->input, step->input_size) == (ssize_t)step->input_size && lseek(fd, 0, SEEK_SET) == 0) return fd;
    close(fd);
    return -1;
}

static bool make_talk(struct ends *ends)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return false;
    ends->talk = fds[0];
    ends->theirs.talk = fds[1];
    return true;
}

static bool make_ends(const struct shim *shim, const struct step *step, struct ends *ret)
{
    *ret = (struct ends){{-1, -1, -1, -1}, -1, -1, -1};
    ret->theirs.input = make_input(shim, step);
    return ret->theirs.input >= 0 && make_pipe(&ret->output, &ret->theirs.output) && make_pipe(&ret->error, &ret->theirs.error) &&
           (!(step->flags & START_TALKS) || make_talk(ret));
}

/* What a step writes to /dev/stderr is opened anew, so the pipes must be its user's. */
static bool give_ends(const struct step *step, const struct ends *ends)
{
    uint32_t uid = step->stage->sandbox_uid, gid = step->stage->sandbox_gid;
    if (uid == UINT32_MAX || uid == geteuid()) return true;
    return fchown(ends->theirs.output, uid, gid) == 0 && fchown(ends->theirs.error, uid, gid) == 0 &&
           (!step->input_size || fchown(ends->theirs.input, uid, gid) == 0);
}

static bool has_variable(char *const *environment, const char *prefix)
{
    for (; *environment; environment++)
        if (strncmp(*environment, prefix, strlen(prefix)) == 0) return true;
    return false;
}

/* Where its file of outputs is, and the folder's name behind it; both as variables. */
static void name_places(struct shim *shim, struct step *step, bool namespaces)
{
    static const char outputs[] = "CRESCENDO_OUTPUT=", run[] = "CRESCENDO_RUN_FOLDER=";
    size_t folder = strlen(shim->folder), room = sizeof outputs + folder + 64;
    step->added = shim_alloc(room + sizeof run + folder);
    if (namespaces)
        snprintf(step->added, room, "%s/run/crescendo/%u-%u", outputs, step->id, step->attempt);
    else
        snprintf(step->added, room, "%s%s/outputs/%u", outputs, shim->folder, step->output_number);
    step->output_path = step->added + sizeof outputs - 1;
    step->added_folder = step->added + room;
    snprintf(step->added_folder, sizeof run + folder, "%s%s", run, shim->folder);
}

/* ADDED_VARIABLES in requests.c is the room in the list. */
static void add_variables(struct shim *shim, struct step *step)
{
    size_t count = 0;
    while (step->environment[count])
        count++;
    bool namespaces = step->stage->degree == DEGREE_NAMESPACES;
    name_places(shim, step, namespaces);
    step->environment[count++] = step->added;
    if (step->flags & START_TALKS) step->environment[count++] = "CRESCENDO_STEP_FD=3";
    if (!has_variable(step->environment, "HOME=")) step->environment[count++] = namespaces ? "HOME=/home/build" : "HOME=/tmp";
    if (namespaces || has_variable(step->environment, "CRESCENDO_RUN_FOLDER=")) return;
    step->environment[count] = step->added_folder;
}

static void enter_life(struct shim *shim, struct step *step)
{
    struct slot *slot = slot_of(shim, step->id);
    slot->state = SLOT_LIVE;
    slot->step = step;
    step->live = true;
    step->next = shim->live;
    shim->live = step;
    shim->live_count++;
    step->stage->live++;
    step->memory_events = step->stage->limits.memory_events;
    step->process_events = step->stage->limits.process_events;
    step->started_us = now_us();
    if (step->timeout_ms) step->deadline_us = step->started_us + (int64_t)step->timeout_ms * 1000;
}

static void refuse(struct shim *shim, struct step *step, const char *what, int error)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s could not be started: %s: %s", step->argv[0], what, strerror(error));
    step_refuse(shim, step, message);
}

void step_start(struct shim *shim, struct step *step)
{
    struct ends ends;
    bool made = make_ends(shim, step, &ends) && give_ends(step, &ends);
    int saved = errno;
    if (made) {
        if (step->stage->degree != DEGREE_NAMESPACES) step->output_number = output_create(shim);
        add_variables(shim, step);
        made = spawn_step(shim, step, &ends.theirs);
        saved = step->start_errno;
    }
    close_all((const int[]){ends.theirs.input == shim->null_fd ? -1 : ends.theirs.input, ends.theirs.talk}, 2);
    if (!made) {
        close_all((const int[]){ends.theirs.output, ends.theirs.error, ends.output, ends.error, ends.talk}, 5);
        return refuse(shim, step, step->start_what ? step->start_what : "its descriptors", saved);
    }
    step->write_ends[0] = ends.theirs.output;
    step->write_ends[1] = ends.theirs.error;
    streams_open(shim, step, (const int[]){ends.output, ends.error}, ends.talk);
    enter_life(shim, step);
}
