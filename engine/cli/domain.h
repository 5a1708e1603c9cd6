/* domain.h: the forms of `crescendo domain` that have a file of their own. */
#ifndef CRESCENDO_CLI_DOMAIN_H
#define CRESCENDO_CLI_DOMAIN_H

#include "cli/commands_tables.h"

int domain_show(struct cli *cli, struct error *err) MUST_CHECK;  /* domain_show.c */
int domain_add(struct cli *cli, struct error *err) MUST_CHECK;   /* domain_add.c */
int domain_check(struct cli *cli, struct error *err) MUST_CHECK; /* domain_add.c */

#endif
