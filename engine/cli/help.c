/* help.c: help from the table of commands. */
#include "cli/help.h"

#include "base/mem.h"
#include "cli/display.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 12, OPTION_COLUMNS = 24, EXAMPLE_COLUMNS = 40, LINE_COLUMNS = 79 };

static void heading(const struct terminal *terminal, const char *words, struct text *out)
{
    text_add_styled(out, STYLE_STRONG, terminal->colour, words);
    text_add_char(out, '\n');
}

/* Words in lines of at most LINE_COLUMNS, of which the first begins at column `at`, the others at `indent`. */
static void add_wrapped(const char *words, size_t at, size_t indent, struct text *out)
{
    for (const char *word = words; *word;) {
        size_t size = strcspn(word, " \n");
        size_t columns = text_columns(word, size);
        if (word != words && at + 1 + columns > LINE_COLUMNS) {
            text_add_char(out, '\n');
            text_add_repeated(out, ' ', indent);
            at = indent;
        } else if (word != words) {
            text_add_char(out, ' ');
            at++;
        }
        text_add_bytes(out, word, size);
        at += columns;
        word += size + strspn(word + size, " \n");
    }
    text_add_char(out, '\n');
}

/* Two columns; a long left side stands on a line of its own. */
static void two_columns(const char *left, const char *right, size_t columns, struct text *out)
{
    size_t width = display_width(left);
    text_add_format(out, "  %s", left);
    if (width >= columns)
        text_add_format(out, "\n%*s", (int)columns + 2, "");
    else
        text_add_repeated(out, ' ', columns - width);
    add_wrapped(right, columns + 2, columns + 2, out);
}

static void option_words(const struct option_spec *option, struct text *out)
{
    if (option->letter) text_add_format(out, "-%c, ", option->letter);
    text_add_format(out, "--%s", option->name);
    if (option->argument) text_add_format(out, " %s", option->argument);
}

static void add_options(const struct option_spec *options, struct text *out)
{
    for (; options && options->name; options++) {
        struct text left = {0};
        option_words(options, &left);
        two_columns(text_view(&left), options->help, OPTION_COLUMNS, out);
        text_release(&left);
    }
}

static void add_examples(const struct example *examples, struct text *out)
{
    for (; examples && examples->line; examples++)
        two_columns(examples->line, examples->what, EXAMPLE_COLUMNS, out);
}

static void add_forms(const struct form *forms, struct text *out)
{
    for (; forms && forms->name; forms++) {
        AUTO(free_text) char *left = mem_format("%s %s", forms->name, forms->arguments);
        two_columns(left, forms->what, OPTION_COLUMNS, out);
    }
}

/* Calls back for each number in "0 1 64". */
static void each_exit(const char *exits, void (*row)(int code, const char *meaning, struct text *out), struct text *out)
{
    for (char *end = NULL; exits && *exits; exits = end + strspn(end, " ")) {
        int code = (int)strtol(exits, &end, 10);
        if (end == exits) return;
        row(code, exit_code_meaning(code), out);
    }
}

static void exit_row(int code, const char *meaning, struct text *out)
{
    text_add_format(out, "  %-4d %s\n", code, meaning);
}

void help_overview(const struct terminal *terminal, struct text *out)
{
    text_add(out, "Crescendo runs deployment pipelines: from a git push to a service in operation.\n\n"
                  "Usage: crescendo COMMAND [OPTION...]\n");
    const char *group = NULL;
    for (const struct command *command = commands; command->name; command++) {
        if (command->flags & COMMAND_HIDDEN) continue;
        if (!text_equal(group, command->group)) {
            text_add_char(out, '\n');
            heading(terminal, command->group, out);
        }
        group = command->group;
        two_columns(command->name, command->summary, NAME_COLUMNS, out);
    }
    text_add_char(out, '\n');
    heading(terminal, "Options of every command", out);
    add_options(common_options, out);
    text_add_char(out, '\n');
    heading(terminal, "To begin with", out);
    two_columns("crescendo run", "the crescendo.yaml of this folder, without any server", 34, out);
    two_columns("crescendo serve", "the engine, in a terminal of its own", 34, out);
    two_columns("crescendo repository add hello", "a repository to push to", 34, out);
    text_add(out, "\nMore about each: crescendo help COMMAND\n");
}

void help_command(const struct command *command, const struct terminal *terminal, struct text *out)
{
    text_add_format(out, "crescendo %s: %s\n\nUsage: crescendo %s %s\n\n", command->name, command->summary, command->name, command->usage);
    add_wrapped(command->about, 0, 0, out);
    if (command->forms) {
        text_add_char(out, '\n');
        heading(terminal, "Forms", out);
        add_forms(command->forms, out);
    }
    if (command->options && command->options->name) {
        text_add_char(out, '\n');
        heading(terminal, "Options", out);
        add_options(command->options, out);
    }
    text_add_char(out, '\n');
    heading(terminal, "Options of every command", out);
    add_options(common_options, out);
    text_add_char(out, '\n');
    heading(terminal, "Examples", out);
    add_examples(command->examples, out);
    text_add_char(out, '\n');
    heading(terminal, "Exit codes", out);
    each_exit(command->exits, exit_row, out);
}

static void markdown_options(const struct option_spec *options, struct text *out)
{
    if (!options || !options->name) return;
    text_add(out, "\n| option | what it does |\n|---|---|\n");
    for (; options->name; options++) {
        text_add(out, "| `");
        option_words(options, out);
        text_add_format(out, "` | %s |\n", options->help);
    }
}

static void markdown_forms(const struct command *command, struct text *out)
{
    if (!command->forms) return;
    text_add(out, "\n| form | what it does |\n|---|---|\n");
    for (const struct form *form = command->forms; form->name; form++)
        text_add_format(out, "| `%s %s%s%s` | %s |\n", command->name, form->name, *form->arguments ? " " : "", form->arguments, form->what);
}

static void markdown_exit(int code, const char *meaning, struct text *out)
{
    text_add_format(out, "%s%d %s", text_ends(text_view(out), ": ") ? "" : ", ", code, meaning);
}

static void markdown_command(const struct command *command, struct text *out)
{
    text_add_format(out, "\n## crescendo %s\n\n`crescendo %s %s`: %s.\n\n%s\n", command->name, command->name, command->usage,
        command->summary, command->about);
    markdown_forms(command, out);
    markdown_options(command->options, out);
    text_add(out, "\n```sh\n");
    for (const struct example *example = command->examples; example->line; example++)
        text_add_format(out, "%s  # %s\n", example->line, example->what);
    text_add(out, "```\n\nExit codes: ");
    each_exit(command->exits, markdown_exit, out);
    text_add(out, ".\n");
}

void help_markdown(struct text *out)
{
    text_add(out,
        "# Commands\n\n<!-- Written by `crescendo help --markdown`; do not edit. -->\n\n"
        "Where no server is named, the commands talk to the one whose data are in `/var/lib/crescendo` for root, else in\n"
        "`$XDG_STATE_HOME/crescendo` or `~/.local/state/crescendo`. The private server (`--local`, and `crescendo run` where there is no\n"
        "other) has `crescendo/local` below your state folder; it is started when it is needed and ends when no run is open.\n"
        "`catalogue`, `order`, `inventory` and `domain` ask the server's own core, or the one that `--core` or `CRESCENDO_CORE` "
        "names.\n\n"
        "With `--json` a command that lists (`runs`, `catalogue`, `order`, `inventory`, `domain`, `repository`) prints one array; every "
        "other\n"
        "one prints one object. What went wrong is then one object on standard error, with the same exit code, and nothing is on standard\n"
        "output: `{\"error\": {\"code\", \"message\", \"hint\", \"diagnostics\"}}`; the last two only where there are any. An order that "
        "failed is no\n"
        "error: it is printed as it ended.\n\nEvery "
        "command takes:\n");
    markdown_options(common_options, out);
    for (const struct command *command = commands; command->name; command++)
        markdown_command(command, out);
}

static void completion_options(const struct option_spec *options, struct text *out)
{
    for (; options && options->name; options++)
        text_add_format(out, " --%s", options->name);
}

void help_completion_bash(struct text *out)
{
    text_add(out, "# bash completion for crescendo: source <(crescendo help --completion bash)\n"
                  "_crescendo() {\n"
                  "    local word=${COMP_WORDS[COMP_CWORD]} command= i\n"
                  "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "        case ${COMP_WORDS[i]} in --server|--token|--data) ((i++)) ;; -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac\n"
                  "    done\n"
                  "    local words=\"");
    for (const struct command *command = commands; command->name; command++)
        text_add_format(out, "%s%s", command == commands ? "" : " ", command->name);
    text_add(out, "\"\n    case $command in\n");
    for (const struct command *command = commands; command->name; command++) {
        text_add_format(out, "    %s) words=\"", command->name);
        for (const struct form *form = command->forms; form && form->name; form++)
            text_add_format(out, " %s", form->name);
        if (text_equal(command->name, "help"))
            for (const struct command *other = commands; other->name; other++)
                text_add_format(out, " %s", other->name);
        completion_options(command->options, out);
        completion_options(common_options, out);
        text_add(out, "\" ;;\n");
    }
    text_add(out, "    esac\n"
                  "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                  "}\n"
                  "complete -o default -F _crescendo crescendo\n");
}

int help_run(struct cli *cli, struct error *err)
{
    struct text out = {0};
    const char *name = options_argument(&cli->options, 0), *shell = options_value(&cli->options, "completion");
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command) {
        int failed = error_set(err, ERROR_INVALID, NOWHERE, "there is no command '%s'", name);
        const char *nearest = command_nearest(name);
        return nearest ? error_hint(err, "did you mean `crescendo help %s`?", nearest) : failed;
    }
    if (shell && !text_equal(shell, "bash"))
        return error_set(err, ERROR_INVALID, NOWHERE, "there is no completion for '%s', only for bash", shell);
    if (shell)
        help_completion_bash(&out);
    else if (options_flag(&cli->options, "markdown"))
        help_markdown(&out);
    else if (command)
        help_command(command, &cli->out, &out);
    else
        help_overview(&cli->out, &out);
    print_text(&out);
    return 0;
}
