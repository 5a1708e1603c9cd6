/* domain_file.h: the text of a new domain's file. Pure. */
#ifndef CRESCENDO_CLI_DOMAIN_FILE_H
#define CRESCENDO_CLI_DOMAIN_FILE_H

#include "crescendo/error.h"

struct domain_wish {
    const char *name;
    const char *address, *ports; /* of a domain that our core drives; NULL = the usual ones */
    const char *url;             /* another core's; NULL = our core drives it */
    const char *dialect;         /* NULL = standard */
};

/* A small file with comments that says what the wish says. What cannot stand in it is -ERROR_INVALID. Caller frees. */
int domain_file_text(const struct domain_wish *wish, char **ret, struct error *err) MUST_CHECK;

#endif
