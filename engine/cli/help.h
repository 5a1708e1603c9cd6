/* help.h: help from the table of commands. Pure. */
#ifndef CRESCENDO_CLI_HELP_H
#define CRESCENDO_CLI_HELP_H

#include "cli/commands.h"

void help_overview(const struct terminal *terminal, struct text *out);
void help_command(const struct command *command, const struct terminal *terminal, struct text *out);
void help_markdown(struct text *out); /* docs/reference/commands.md */
void help_completion_bash(struct text *out);

#endif
