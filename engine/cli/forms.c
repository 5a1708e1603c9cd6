/* forms.c: runs commands that have several forms: `order add`, `order list`. */
#include "base/mem.h"
#include "cli/commands.h"

#include <string.h>

enum { FORMS_MAX = 32 };

const char *form_argument(const struct cli *cli, size_t index)
{
    return options_argument(&cli->options, index + 1);
}

static const struct form *find(const struct form *forms, const char *name)
{
    for (; forms->name; forms++)
        if (text_equal(forms->name, name)) return forms;
    return NULL;
}

static int no_such_form(const struct command *command, const char *name, struct error *err)
{
    const char *names[FORMS_MAX + 1] = {0};
    size_t count = 0;
    for (const struct form *form = command->forms; form && form->name && count < FORMS_MAX; form++)
        names[count++] = form->name;
    const char *nearest = name_nearest(name, names);
    error_set(err, ERROR_INVALID, NOWHERE, "there is no `crescendo %s %.60s`", command->name, name);
    if (nearest) return error_hint(err, "did you mean `crescendo %s %s`?", command->name, nearest);
    return error_hint(err, "`crescendo help %s` lists what there is", command->name);
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; at && (at = strstr(at, word)); at += size)
        if ((at == words || at[-1] == ' ') && (!at[size] || at[size] == ' ')) return true;
    return false;
}

static bool is_common(const char *name)
{
    for (const struct option_spec *option = common_options; option->name; option++)
        if (text_equal(option->name, name)) return true;
    return has_word("json core", name);
}

static int check_options(const struct cli *cli, const struct form *form, struct error *err)
{
    for (size_t i = 0; i < cli->options.given_count; i++) {
        const char *name = cli->options.given[i].spec->name;
        if (is_common(name) || has_word(form->options, name)) continue;
        error_set(err, ERROR_INVALID, NOWHERE, "`crescendo %s %s` takes no --%s", cli->command->name, form->name, name);
        return error_hint(err, "`crescendo help %s` says what takes it", cli->command->name);
    }
    return 0;
}

static int check_count(const struct cli *cli, const struct form *form, struct error *err)
{
    size_t count = cli->options.argument_count ? cli->options.argument_count - 1 : 0;
    const char *command = cli->command->name, *space = *form->arguments ? " " : "";
    if (count >= form->arguments_min && count <= form->arguments_max) return 0;
    if (count < form->arguments_min)
        error_set(err, ERROR_INVALID, NOWHERE, "%s %s wants more: crescendo %s %s%s%s", command, form->name, command, form->name, space,
            form->arguments);
    else
        error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' is too much: crescendo %s %s%s%s", form_argument(cli, form->arguments_max), command,
            form->name, space, form->arguments);
    return error_hint(err, "`crescendo help %s` explains it", command);
}

int form_run(struct cli *cli, struct error *err)
{
    const char *name = options_argument(&cli->options, 0);
    const struct form *form = name ? find(cli->command->forms, name) : cli->command->forms;
    if (!form) return no_such_form(cli->command, name, err);
    int failed = check_options(cli, form, err);
    if (!failed) failed = check_count(cli, form, err);
    return failed ? failed : form->run(cli, err);
}
