/* main.c: the program crescendo: finds the command, reads its words, runs it, prints what went wrong once. */
#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cli/complaint.h"
#include "cli/help.h"
#include "cli/output.h"
#include "steps/external.h"
#include "steps/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_LIMIT_BYTES = 1024 * 1024 };

static void print_error(const struct cli *cli, const struct error *err)
{
    struct text out = {0};
    if (cli->complains_in_json) {
        AUTO(free_json) json_t *complaint = complaint_json(&cli->client, err);
        AUTO(free_text) char *bytes = json_dumps(complaint, JSON_INDENT(2));
        text_add_format(&out, "%s\n", bytes ? bytes : "{\"error\": {}}");
    } else {
        complaint_add_text(&cli->client, err, terminal_of(STDERR_FILENO, options_flag(&cli->options, "no-color")).colour, &out);
    }
    fwrite(text_view(&out), 1, out.size, stderr);
    text_release(&out);
}

static int check_argument_count(const struct cli *cli, struct error *err)
{
    const struct command *command = cli->command;
    size_t count = cli->options.argument_count;
    int failed = 0;
    if (count < command->arguments_min)
        failed = error_set(err, ERROR_INVALID, NOWHERE, "%s wants more: crescendo %s %s", command->name, command->name, command->usage);
    if (count > command->arguments_max)
        failed = error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' is too much: crescendo %s %s",
            cli->options.arguments[command->arguments_max], command->name, command->usage);
    return failed ? error_hint(err, "`crescendo help %s` explains it", command->name) : 0;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static int explain(const struct cli *cli)
{
    struct text out = {0};
    if (cli->command)
        help_command(cli->command, &cli->out, &out);
    else
        help_overview(&cli->out, &out);
    print_text(&out);
    return 0;
}

static int run_command(struct cli *cli, struct error *err)
{
    const struct command *command = cli->command;
    if (wants_help(cli->argc, cli->argv)) return explain(cli);
    if (!(command->flags & COMMAND_OWN_WORDS)) {
        int failed = options_parse(cli->argc - 1, cli->argv + 1, command->options, common_options, false, &cli->options, NULL, err);
        if (failed && !err->hint[0]) return error_hint(err, "`crescendo help %s` lists the options", command->name);
        if (!failed) failed = check_argument_count(cli, err);
        if (failed) return failed;
    }
    cli->out = terminal_of(STDOUT_FILENO, options_flag(&cli->options, "no-color"));
    int failed = client_open(&cli->options, &cli->client, err);
    if (!failed && command->flags & COMMAND_CORE) failed = client_use_core(&cli->options, &cli->client, err);
    return failed ? failed : command->run(cli, err);
}

/* At once: asks no server. */
static int print_version(void)
{
    puts("crescendo " CRESCENDO_VERSION);
    return 0;
}

static int unknown_command(const char *name, struct error *err)
{
    const char *nearest = command_nearest(name);
    error_set(err, ERROR_INVALID, NOWHERE, "there is no command '%s'", name);
    return nearest ? error_hint(err, "did you mean `crescendo %s`?", nearest) : error_hint(err, "`crescendo --help` lists them");
}

/* The common options may stand before the command, too. */
static int find_and_run(struct cli *cli, int argc, char **argv, struct error *err)
{
    static const struct option_spec before[] = {{"version", 0, NULL, "this program's version"}, OPTION_END};
    int used = 0;
    int failed = options_parse(argc - 1, argv + 1, before, common_options, true, &cli->options, &used, err);
    cli->out = terminal_of(STDOUT_FILENO, options_flag(&cli->options, "no-color"));
    if (failed) return err->hint[0] ? failed : error_hint(err, "`crescendo --help` lists the options");
    if (options_flag(&cli->options, "version")) return print_version();
    cli->argc = argc - 1 - used;
    cli->argv = argv + 1 + used;
    if (cli->argc == 0) return explain(cli);
    cli->command = command_find(cli->argv[0]);
    if (!cli->command) return unknown_command(cli->argv[0], err);
    if (options_flag(&cli->options, "help")) return explain(cli);
    return run_command(cli, err);
}

/* Exit code 0 must mean that all of the output was taken. */
static int flush_output(struct cli *cli, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    struct error err = {0};
    error_set_errno(&err, errno, "standard output");
    print_error(cli, &err);
    return code ? code : 1;
}

/* Each external type by its name, its program and the text of its table. Caller frees. */
static char *mark_types(step_types *types, const char *path_variable)
{
    struct text mark = {0};
    for (; *types; types++) {
        AUTO(free_text) char *program = NULL;
        if (step_type_find(step_types_builtin, (*types)->name) || !(program = external_type_program((*types)->name, path_variable)))
            continue;
        AUTO(free_text) char *path = mem_format("%s.json", program);
        AUTO(free_text) char *table = NULL;
        size_t size = 0;
        char digest[SHA256_HEX];
        if (file_read(path, TABLE_LIMIT_BYTES, &table, &size, NULL)) size = 0;
        sha256_hex(size ? table : "", size, digest);
        text_add_format(&mark, "%s %s %s\n", (*types)->name, digest, program);
    }
    return text_take(&mark);
}

static int load_types(struct cli *cli, struct error *err)
{
    if (!cli->storage) cli->storage = arena_new();
    int failed = external_types_load(getenv("PATH"), cli->storage, step_types_builtin, &cli->types, err);
    if (failed) return failed;
    free(cli->types_mark);
    cli->client.types_mark = cli->types_mark = mark_types(cli->types, getenv("PATH"));
    return 0;
}

int main(int argc, char **argv)
{
    struct cli cli = {.load_types = load_types, .complains_in_json = complaint_wants_json(argc, argv)};
    struct error err = {0};
    int code = find_and_run(&cli, argc, argv, &err);
    code = flush_output(&cli, code);
    if (code < 0) {
        print_error(&cli, &err);
        code = error_exit_code(&err);
    }
    arena_free(&cli.storage);
    client_release(&cli.client);
    free(cli.types_mark);
    options_release(&cli.options);
    exit(code); /* with `return` a leak checker would not see any more that cli has the plan */
}
