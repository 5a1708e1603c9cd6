/* domain.h: the forms of `crescendo domain` that have a file of their own. */
#ifndef CRESCENDO_CLI_DOMAIN_H
#define CRESCENDO_CLI_DOMAIN_H

#include "cli/commands_tables.h"

/* DATA/domains/NAME.yaml of the data folder that is meant; without one, -ERROR_UNSUPPORTED. Caller frees. domain_add.c */
int domain_path(const struct cli *cli, const char *name, char **ret, struct error *err) MUST_CHECK;

int domain_show(struct cli *cli, struct error *err) MUST_CHECK;   /* domain_show.c */
int domain_add(struct cli *cli, struct error *err) MUST_CHECK;    /* domain_add.c */
int domain_remove(struct cli *cli, struct error *err) MUST_CHECK; /* domain_remove.c */
int domain_check(struct cli *cli, struct error *err) MUST_CHECK;  /* domain_add.c */

#endif
