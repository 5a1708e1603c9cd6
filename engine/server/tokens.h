/* tokens.h: who may ask over TCP: a file of lines `NAME GROUP[,GROUP...] SHA256-OF-THE-TOKEN`; `-` stands for no groups, # begins a
   comment. Only digests are kept, so that the file gives nothing away. */
#ifndef CRESCENDO_SERVER_TOKENS_H
#define CRESCENDO_SERVER_TOKENS_H

#include "crescendo/error.h"

struct tokens;

/* Reads the file; -ERROR_INVALID names the wrong line. */
int tokens_open(const char *path, struct tokens **ret, struct error *err) MUST_CHECK;
void tokens_free(struct tokens **tokens);

/* Whose token is it? Reads the file again when it has changed; a file that is wrong or gone then leaves nobody in. What is returned is
   borrowed until the next call. */
bool tokens_find(struct tokens *tokens, const char *token, const char **ret_user, const char *const **ret_groups);

#endif
