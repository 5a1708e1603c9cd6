/* main.c: crescendo-step TYPE: one step in a process of its own. Reads the step's input on standard input, speaks the step protocol on
   descriptor 3, and ends with 0, with 1 and the error on standard error, or with 75 when the step parks.
   crescendo-step kpi --replay: a canary's evidence computed again (docs/formats/evidence.md). */
#include "protocol.h"
#include "registry.h"

#include "orchestrator/drivers/registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "steps/kpi/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MIB_MAX = 16, REPLAY_MIB_MAX = 256, MIB = 1024 * 1024, STEP_FD = 3, EXIT_USAGE = 64 };

static int print_usage(FILE *out)
{
    fprintf(out, "crescendo-step TYPE: performs one step of a pipeline; started by Crescendo, not by people.\n"
                 "The input is read from standard input and the step protocol is spoken on descriptor 3.\n\nTypes:\n");
    for (step_types *type = step_types_builtin; *type; type++)
        if ((*type)->perform) fprintf(out, "  %-10s %s\n", (*type)->name, (*type)->summary);
    fprintf(out, "\nOf the orchestration core's orders:\n");
    for (step_types *type = driver_types; *type; type++)
        if ((*type)->perform) fprintf(out, "  %-10s %s\n", (*type)->name, (*type)->summary);
    return out == stdout ? 0 : EXIT_USAGE;
}

static int print_error(const struct error *err)
{
    fprintf(stderr, "error: %s\n", err->message);
    if (err->hint[0]) fprintf(stderr, "hint: %s\n", err->hint);
    return 1;
}

static int read_input(const char *what, int mib_max, json_t **ret, struct error *err)
{
    struct text text = {0};
    char chunk[16 * 1024];
    ssize_t got;
    while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || text.size > (size_t)mib_max * MIB) break;
        text_add_bytes(&text, chunk, (size_t)got);
    }
    int failed = got == 0 ? json_parse(text_view(&text), text.size, what, ret, err)
                          : error_set(err, ERROR_IO, NOWHERE, "%s cannot be read, or is larger than %d MiB", what, mib_max);
    text_release(&text);
    return failed;
}

static int check_descriptor(struct error *err)
{
    if (fcntl(STEP_FD, F_SETFD, FD_CLOEXEC) == 0) return 0;
    error_set(err, ERROR_INVALID, NOWHERE, "descriptor 3 is not open, so there is no engine to speak with");
    return error_hint(err, "steps are started by the engine: write a pipeline and use `crescendo run`");
}

static int perform(const struct step_type *type, bool *ret_parked, struct error *err)
{
    AUTO(free_json) json_t *input = NULL;
    AUTO(step_close) struct step *step = NULL;
    int failed = check_descriptor(err);
    if (!failed) failed = read_input("the step's input", INPUT_MIB_MAX, &input, err);
    if (!failed) failed = step_open(type, input, STEP_FD, &step, err);
    if (!failed) failed = step_to_compensate(step) ? step_compensate(type, step, err) : type->perform(step, err);
    *ret_parked = step && step_is_parked(step);
    if (failed && step && !*ret_parked) (void)step_fault(step, err);
    return failed;
}

static int replay(void)
{
    AUTO(free_json) json_t *checkpoints = NULL;
    struct error err = {0};
    int failed = read_input("the evidence", REPLAY_MIB_MAX, &checkpoints, &err);
    if (!failed) failed = kpi_replay(checkpoints, &err);
    if (failed) return print_error(&err);
    AUTO(free_text) char *text = json_canonical(checkpoints);
    return puts(text) < 0 || fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    bool parked = false;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return print_usage(stdout);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts("crescendo-step " CRESCENDO_VERSION) < 0;
    if (argc == 3 && strcmp(argv[1], "kpi") == 0 && strcmp(argv[2], "--replay") == 0) return replay();
    const struct step_type *type = argc == 2 ? step_type_find(step_types_builtin, argv[1]) : NULL;
    if (!type && argc == 2) type = step_type_find(driver_types, argv[1]);
    if (!type || !type->perform) return print_usage(stderr);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a person may be reading along */
    signal(SIGPIPE, SIG_IGN);         /* an engine that left is an error of write, with a message */
    int failed = perform(type, &parked, &err);
    if (parked) return STEP_EXIT_PARKED;
    return failed ? print_error(&err) : 0;
}
