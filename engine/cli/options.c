/* options.c: the command line as a table. */
#include "cli/options.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_MIN = 3 };

struct parser {
    int argc;
    char **argv;
    const struct option_spec *tables[2];
    struct options *options;
};

static const struct option_spec *find_name(const struct parser *parser, const char *name, size_t size)
{
    for (size_t t = 0; t < COUNT_OF(parser->tables); t++)
        for (const struct option_spec *spec = parser->tables[t]; spec && spec->name; spec++)
            if (strlen(spec->name) == size && memcmp(spec->name, name, size) == 0) return spec;
    return NULL;
}

static const struct option_spec *find_letter(const struct parser *parser, char letter)
{
    for (size_t t = 0; t < COUNT_OF(parser->tables); t++)
        for (const struct option_spec *spec = parser->tables[t]; spec && spec->name; spec++)
            if (spec->letter == letter) return spec;
    return NULL;
}

/* Two neighbouring letters changed places: the commonest slip of two hands. */
static bool is_swapped(const char *typed, const char *name)
{
    size_t same = 0;
    while (typed[same] && typed[same] == name[same])
        same++;
    if (!typed[same] || !typed[same + 1] || typed[same] != name[same + 1] || typed[same + 1] != name[same]) return false;
    return strcmp(typed + same + 2, name + same + 2) == 0;
}

const char *name_nearest(const char *typed, const char *const *names)
{
    const char *begun = NULL;
    for (const char *const *name = names; *name; name++) {
        if (is_swapped(typed, *name)) return *name;
        if (!begun && strlen(typed) >= PREFIX_MIN && text_starts(*name, typed)) begun = *name;
    }
    return begun ? begun : text_nearest(typed, names);
}

static int unknown_option(const struct parser *parser, const char *name, size_t size, struct error *err)
{
    AUTO(free_text) char *wanted = mem_copy_bytes(name, size);
    const char *names[128];
    size_t count = 0;
    for (size_t t = 0; t < COUNT_OF(parser->tables); t++)
        for (const struct option_spec *spec = parser->tables[t]; spec && spec->name && count + 1 < COUNT_OF(names); spec++)
            names[count++] = spec->name;
    names[count] = NULL;
    const char *nearest = name_nearest(wanted, names);
    int failed = error_set(err, ERROR_INVALID, NOWHERE, "there is no option --%s", wanted);
    return nearest ? error_hint(err, "did you mean --%s?", nearest) : failed;
}

static void keep(struct options *options, const struct option_spec *spec, const char *value)
{
    options->given = mem_grow(options->given, &options->given_capacity, options->given_count + 1, sizeof *options->given);
    options->given[options->given_count++] = (struct option_given){spec, value};
}

static void keep_argument(struct options *options, const char *argument)
{
    options->arguments = mem_grow(options->arguments, &options->argument_capacity, options->argument_count + 1, sizeof *options->arguments);
    options->arguments[options->argument_count++] = argument;
}

/* The value of spec: what stands behind it in the same word, or the next word. */
static int keep_with_value(struct parser *parser, const struct option_spec *spec, const char *value, int *at, struct error *err)
{
    if (!value && *at + 1 >= parser->argc)
        return error_set(err, ERROR_INVALID, NOWHERE, "--%s needs a value: --%s %s", spec->name, spec->name, spec->argument);
    keep(parser->options, spec, value ? value : parser->argv[++*at]);
    return 0;
}

static int parse_long(struct parser *parser, int *at, struct error *err)
{
    const char *name = parser->argv[*at] + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_spec *spec = find_name(parser, name, size);
    if (!spec) return unknown_option(parser, name, size, err);
    if (spec->argument) return keep_with_value(parser, spec, equals ? equals + 1 : NULL, at, err);
    if (equals) return error_set(err, ERROR_INVALID, NOWHERE, "--%s takes no value", spec->name);
    keep(parser->options, spec, NULL);
    return 0;
}

static int unknown_letter(const char *word, char letter, struct error *err)
{
    int64_t number;
    if (text_to_integer(word, &number)) {
        error_set(err, ERROR_INVALID, NOWHERE, "%.40s is no option, and no run", word);
        return error_hint(err, "runs are counted from 1; `crescendo runs` lists them");
    }
    error_set(err, ERROR_INVALID, NOWHERE, "there is no option -%c", letter);
    if (!word[2]) return error_hint(err, "behind `--` everything is an argument");
    return error_hint(err, "words have two dashes: --%s; behind `--` everything is an argument", word + 1);
}

static int parse_letters(struct parser *parser, int *at, struct error *err)
{
    for (const char *letter = parser->argv[*at] + 1; *letter; letter++) {
        const struct option_spec *spec = find_letter(parser, *letter);
        if (!spec) return unknown_letter(parser->argv[*at], *letter, err);
        if (spec->argument) return keep_with_value(parser, spec, letter[1] ? letter + 1 : NULL, at, err);
        keep(parser->options, spec, NULL);
    }
    return 0;
}

int options_parse(int argc, char **argv, const struct option_spec *own, const struct option_spec *common, bool first_only,
    struct options *ret, int *ret_used, struct error *err)
{
    struct parser parser = {argc, argv, {own, common}, ret};
    bool options_end = false;
    int at = 0;
    for (; at < argc; at++) {
        const char *word = argv[at];
        int failed = 0;
        if (options_end || word[0] != '-' || !word[1]) {
            if (first_only) break;
            keep_argument(ret, word);
        } else if (text_equal(word, "--")) {
            options_end = true;
        } else {
            failed = word[1] == '-' ? parse_long(&parser, &at, err) : parse_letters(&parser, &at, err);
        }
        if (failed) return failed;
    }
    if (ret_used) *ret_used = at;
    return 0;
}

void options_release(struct options *options)
{
    free(options->given);
    free(options->arguments);
    *options = (struct options){0};
}

bool options_flag(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (text_equal(options->given[i].spec->name, name)) return true;
    return false;
}

const char *options_value(const struct options *options, const char *name)
{
    for (size_t i = options->given_count; i-- > 0;)
        if (text_equal(options->given[i].spec->name, name)) return options->given[i].value;
    return NULL;
}

const char *options_nth(const struct options *options, const char *name, size_t nth)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (text_equal(options->given[i].spec->name, name) && nth-- == 0) return options->given[i].value;
    return NULL;
}

int options_number(const struct options *options, const char *name, int64_t min, int64_t fallback, int64_t *ret, struct error *err)
{
    const char *text = options_value(options, name);
    int64_t value = fallback;
    if (text && (!text_to_integer(text, &value) || value < min))
        return error_set(err, ERROR_INVALID, NOWHERE, "--%s wants a whole number of at least %lld, not '%s'", name, (long long)min, text);
    *ret = value;
    return 0;
}

static int no_such_choice(const char *name, const char *value, const char *const *choices, struct error *err)
{
    struct text all = {0};
    const char *nearest = name_nearest(value, choices);
    for (size_t i = 0; choices[i]; i++)
        text_add_format(&all, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    int failed = error_set(err, ERROR_INVALID, NOWHERE, "there is no %s '%.60s'", name, value);
    error_hint(err, nearest ? "did you mean %s?" : "it may be %s", nearest ? nearest : text_view(&all));
    text_release(&all);
    return failed;
}

int options_choice(const struct options *options, const char *name, const char *const *choices, size_t *ret, struct error *err)
{
    const char *value = options_value(options, name);
    if (!value) return 0;
    for (size_t i = 0; choices[i]; i++) {
        if (!text_equal(value, choices[i])) continue;
        *ret = i;
        return 0;
    }
    return no_such_choice(name, value, choices, err);
}

const char *options_argument(const struct options *options, size_t index)
{
    return index < options->argument_count ? options->arguments[index] : NULL;
}
