/* repository.c: `crescendo repository add` and `list`: the bare repositories that runs start from. */
#include "base/mem.h"
#include "cli/commands_tables.h"
#include "cli/output.h"
#include "cli/shell_words.h"
#include "cli/table.h"

#include <stdio.h>

static int add(struct cli *cli, struct error *err)
{
    const char *name = form_argument(cli, 0);
    if (!text_is_name(name)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%s' cannot be a repository's name", name);
        return error_hint(err, "small letters, digits and hyphens, a letter first: hello-service");
    }
    AUTO(free_json) json_t *body = json_object(), *answer = NULL;
    json_put_text(body, "name", name);
    int failed = client_call(&cli->client, "POST", "/v1/repositories", body, &answer, err);
    if (failed == -ERROR_CONFLICT && !err->hint[0]) return error_hint(err, "`crescendo repository list` shows where it is");
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(answer);
    const char *path = json_text(answer, "path", "?");
    AUTO(free_text) char *word = shell_word(path);
    printf("repository %s is at %s\n\nIn your service's folder:\n  git remote add crescendo %s\n  git push crescendo main\n", name, path,
        word);
    return 0;
}

static int list(struct cli *cli, struct error *err)
{
    static const struct column columns[] = {{"NAME", .keep = 12}, {"PATH", .keep = 0}};
    AUTO(free_json) json_t *answer = NULL;
    int failed = client_get(&cli->client, &answer, err, "/v1/repositories");
    if (failed) return failed;
    const json_t *repositories = json_object_get(answer, "repositories");
    if (options_flag(&cli->options, "json")) return print_json(repositories);
    if (!json_array_size(repositories)) {
        puts("no repositories yet: crescendo repository add NAME");
        return 0;
    }
    struct table *table = table_new(columns, COUNT_OF(columns));
    size_t i;
    json_t *repository;
    json_array_foreach(repositories, i, repository)
    {
        table_add(table, STYLE_PLAIN, json_text(repository, "name", ""));
        table_add(table, STYLE_PLAIN, json_text(repository, "path", ""));
    }
    write_table(&table, &cli->out);
    return 0;
}

const struct form repository_forms[] = {
    {"list", "", "all of them", .run = list},
    {"add", "NAME", "makes one, and prints where to push", 1, 1, .run = add},
    {.name = NULL},
};
