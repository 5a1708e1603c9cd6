/* options.h: the command line as a table: one table parses the arguments and writes the help. Pure. */
#ifndef CRESCENDO_CLI_OPTIONS_H
#define CRESCENDO_CLI_OPTIONS_H

#include "crescendo/error.h"

#include <stddef.h>
#include <stdint.h>

struct option_spec {
    const char *name;     /* "repository", without the dashes */
    char letter;          /* 'f' for -f; 0 = none */
    const char *argument; /* "NAME" when it takes a value; NULL: a flag */
    const char *help;     /* one line */
};
#define OPTION_END \
    { \
        .name = 0 \
    }

/* What was given, in order. Texts are borrowed from argv. Starts as {0}; options_release frees. */
struct options {
    struct option_given {
        const struct option_spec *spec;
        const char *value; /* NULL for a flag */
    } * given;
    size_t given_count, given_capacity;
    const char **arguments; /* what is not an option */
    size_t argument_count, argument_capacity;
};

/* Parses argv[0..argc) against the tables (both OPTION_END-ended; the second may be NULL). `--name value`, `--name=value`, `-n value`,
   `-nvalue`; `--` ends the options; a lone `-` is an argument. first_only: stops at the first argument; *ret_used says how many of
   argv were read. An unknown option, a missing or superfluous value: -ERROR_INVALID with "did you mean". */
int options_parse(int argc, char **argv, const struct option_spec *own, const struct option_spec *common, bool first_only,
    struct options *ret, int *ret_used, struct error *err) MUST_CHECK;
void options_release(struct options *options);

bool options_flag(const struct options *options, const char *name);
const char *options_value(const struct options *options, const char *name); /* the last one given; NULL = none */
/* The nth value (from 0) of an option that may be repeated; NULL behind the last. */
const char *options_nth(const struct options *options, const char *name, size_t nth);
/* A whole number of at least min; the fallback where the option is absent. */
int options_number(
    const struct options *options, const char *name, int64_t min, int64_t fallback, int64_t *ret, struct error *err) MUST_CHECK;
/* Which of the choices (NULL-ended) the option names; *ret stays as it is where the option is absent. */
int options_choice(const struct options *options, const char *name, const char *const *choices, size_t *ret, struct error *err) MUST_CHECK;
const char *options_argument(const struct options *options, size_t index); /* NULL when there are fewer */

/* Did you mean: of names (NULL-ended) the one with two neighbouring letters swapped, else one that begins like that, else the most similar;
   NULL when none is. */
const char *name_nearest(const char *typed, const char *const *names);

#endif
