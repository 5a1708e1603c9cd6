/* publish.h: `crescendo catalogue publish FILE.tar.gz`. */
#ifndef CRESCENDO_CLI_PUBLISH_H
#define CRESCENDO_CLI_PUBLISH_H

#include "cli/commands.h"

int publish_package(struct cli *cli, struct error *err) MUST_CHECK;

#endif
