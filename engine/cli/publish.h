/* publish.h: `crescendo catalogue publish`. */
#ifndef CRESCENDO_CLI_PUBLISH_H
#define CRESCENDO_CLI_PUBLISH_H

#include "cli/commands.h"

/* Uploads a package and makes its offering, as the step `publish` does. Again: what is there stays; a version with another content is the
   core's -ERROR_CONFLICT. */
int catalogue_publish(struct cli *cli, struct error *err) MUST_CHECK;

#endif
