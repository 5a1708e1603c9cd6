/* domain_neighbours.h: the other domains of a data folder, as far as their ports matter. */
#ifndef CRESCENDO_CLI_DOMAIN_NEIGHBOURS_H
#define CRESCENDO_CLI_DOMAIN_NEIGHBOURS_H

#include <jansson.h>

/* The files of a folder of domains but the one of name: name → site. Files that are wrong, or without a site, are not there. New. */
json_t *neighbours_read(const char *folder, const char *name);

/* The first range of ports, as `domain add` writes it, that none of them has; the usual one where all are taken. Caller frees. */
char *neighbours_free_ports(const json_t *neighbours, const char *address);

/* "plant (18080-18099)": those whose ports overlap with the site's; NULL: none does. Caller frees. */
char *neighbours_overlap(const json_t *neighbours, const json_t *site);

#endif
