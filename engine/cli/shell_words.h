/* shell_words.h: words for a command that a person copies into a shell. Pure. */
#ifndef CRESCENDO_CLI_SHELL_WORDS_H
#define CRESCENDO_CLI_SHELL_WORDS_H

#include "base/text.h"

/* Adds one word, in quotes where a POSIX shell would read it otherwise. */
void shell_add_word(struct text *out, const char *word);
char *shell_word(const char *word); /* the same; caller frees */

#endif
