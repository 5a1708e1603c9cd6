/* keeper.h: the client of a domain keeper's socket, KEEP/keeper.sock, for drivers and for the core's worker threads. Blocking. The protocol
   is docs/formats/keeper-protocol.md: one line a request, "VERB NAME=VALUE ...\n", values percent-encoded; the answer is lines, the last of
   which begins with "ok" or "error". */
#ifndef CRESCENDO_NET_KEEPER_H
#define CRESCENDO_NET_KEEPER_H

#include "crescendo/error.h"

#include <jansson.h>

/* Sends one request and waits for its answer. fields: an object of texts, whole numbers, reals, booleans and arrays of texts (an array
   becomes the same name repeated). *ret_lines: an array of objects, one a line before the last: {"line": WORD, NAME: TEXT, ...}; *ret: the
   fields of the last line. Both may be NULL; the caller frees. The keeper's "error code=conflict message=... hint=..." becomes that error
   (code: invalid, not_found, conflict, denied, limit, unavailable, timeout, internal). Nobody there: -ERROR_UNAVAILABLE, retryable. */
int keeper_ask(const char *folder, const char *verb, const json_t *fields, int timeout_ms, json_t **ret, json_t **ret_lines,
    struct error *err) MUST_CHECK;

#endif
