/* planning.h: the plan of a file, as the command line names it: FILE, --param, --repository, --ref, --branch, --commit; with the domains
   and the service that stand beside it. One code for every command that plans by itself. */
#ifndef CRESCENDO_CLI_PLANNING_H
#define CRESCENDO_CLI_PLANNING_H

#include "cli/commands.h"
#include "plan/plan.h"

#define PLANNING_OPTIONS \
    {"repository", 'r', "NAME", "plan as a push to this repository would be: run.repository"}, {"ref", 0, "REF", "run.ref"}, \
        {"branch", 0, "NAME", "run.branch"}, \
    { \
        "commit", 0, "DIGEST", "run.commit" \
    }

/* Reads and plans the command's first argument, or crescendo.yaml; warnings go to standard error. Loads the step types first (cli->types).
   A file that lint would refuse is refused with the same words: kept in the client until they are said. Once in a command: the plan is
   cli->plan then, and nobody frees it. */
int planning_make(struct cli *cli, struct error *err) MUST_CHECK;
const char *planning_file(const struct cli *cli); /* what it reads, as it was typed */

#endif
