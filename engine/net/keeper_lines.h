/* keeper_lines.h: what a domain's keeper says, as keeper_ask() hands it over: an array of {"line": WORD, NAME: TEXT, ...}. Pure. */
#ifndef CRESCENDO_NET_KEEPER_LINES_H
#define CRESCENDO_NET_KEEPER_LINES_H

#include <jansson.h>
#include <stdint.h>

/* The line `service` of this service; NULL = it is not there. Borrowed. */
const json_t *keeper_service(const json_t *lines, const char *id);
/* A field as a number; 0 where it is none. */
int64_t keeper_number(const json_t *line, const char *name);

#endif
