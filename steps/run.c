/* run.c: the step type `run`: a script for a shell. The run's supervisor executes the shell itself, with nothing of ours between,
   so there is no perform; outputs are declared by the step (`outputs: [name]`) and read from $CRESCENDO_OUTPUT. */
#include "registry.h"

#include "base/json.h"

#include <string.h>

static const char *const shells[] = {"sh", "bash", NULL};

static const struct field fields[] = {
    {.name = "script",
        .type = FIELD_TEXT,
        .flags = FIELD_REQUIRED | FIELD_SHORT | FIELD_SCRIPT,
        .help = "What the shell executes, with -e: the first command that fails ends the step"},
    {.name = "shell", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .fallback = "sh", .choices = shells, .help = "The shell that reads it"},
    FIELD_END,
};

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    const char *script = json_text(with, "script", NULL);
    if (!script || script[strspn(script, " \t\r\n")]) return 0;
    diagnostics_add(list, "empty-script", at, 0, "write a command, or take the step out", "the script is empty");
    return -ERROR_INVALID;
}

const struct step_type run_step_type = {
    .name = "run",
    .summary = "Executes a shell script in the stage's workspace",
    .fields = fields,
    .check = check,
};
