/* order.h: the forms of `crescendo order`, each in the file that it is about. */
#ifndef CRESCENDO_CLI_ORDER_H
#define CRESCENDO_CLI_ORDER_H

#include "cli/commands_tables.h"

int order_show(struct cli *cli, struct error *err) MUST_CHECK; /* order_show.c */
int order_add(struct cli *cli, struct error *err) MUST_CHECK;  /* order_place.c, as those below */
int order_scale(struct cli *cli, struct error *err) MUST_CHECK;
int order_share(struct cli *cli, struct error *err) MUST_CHECK;
int order_delete(struct cli *cli, struct error *err) MUST_CHECK;
int order_resolve(struct cli *cli, struct error *err) MUST_CHECK; /* resolve.c */
int order_send(struct cli *cli, struct error *err) MUST_CHECK;

#endif
