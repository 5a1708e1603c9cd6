/* offerings.h: finds what a person names in the catalogue: an offering, and the service specification behind it. */
#ifndef CRESCENDO_CLI_OFFERINGS_H
#define CRESCENDO_CLI_OFFERINGS_H

#include "cli/client.h"

/* The offering of that name or id and version; version NULL: the newest one that is Active, else the newest. Caller frees. -ERROR_NOT_FOUND
   with a name that is near, or the versions that there are. */
int offering_find(struct client *client, const char *name, const char *version, json_t **ret, struct error *err) MUST_CHECK;
/* Its service specification, by way of its service candidate or its product specification. Caller frees. */
int offering_specification(struct client *client, const json_t *offering, json_t **ret, struct error *err) MUST_CHECK;

/* Pure. The one that offering_find means, borrowed; NULL = none. */
const json_t *offering_choose(const json_t *offerings, const char *name, const char *version);
/* Pure. Like strcmp, but numbers count as numbers: "1.10.0" is above "1.9.3". */
int version_compare(const char *a, const char *b);

#endif
