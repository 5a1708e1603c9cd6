/* commands_find.c: looking something up in the table of commands. */
#include "base/mem.h"
#include "cli/commands.h"

enum { COMMANDS_MAX = 64 };

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (text_equal(command->name, name)) return command;
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *names[COMMANDS_MAX + 1] = {0};
    for (size_t i = 0; i < COMMANDS_MAX && commands[i].name; i++)
        names[i] = commands[i].name;
    return name_nearest(name, names);
}

const char *exit_code_meaning(int code)
{
    switch (code) {
    case 0: return "done";
    case 1: return "failed";
    case 2: return "the plan has changes";
    case 3: return "waiting for approval";
    case 4: return "not allowed, or denied by a policy";
    case 5: return "rolled back on KPIs";
    case 6: return "the KPIs were inconclusive";
    case 7: return "an effect's outcome is unknown and needs a person";
    case 64: return "wrong command line or wrong pipeline file";
    case 70: return "the engine broke its promise: please report it, with the seed";
    case 69: return "no server can be reached, or another one has the folder";
    case 74: return "input or output failed: the journal cannot be written";
    case 130: return "interrupted; the run goes on";
    default: return NULL;
    }
}
