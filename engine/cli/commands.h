/* commands.h: the table of commands: one row says what a command is called, what it may be told, how it is explained and what runs it. */
#ifndef CRESCENDO_CLI_COMMANDS_H
#define CRESCENDO_CLI_COMMANDS_H

#include "cli/client.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "crescendo/step.h"

enum {
    EXIT_CODE_DENIED = 4,
    EXIT_CODE_WRONG = 64,
    EXIT_CODE_BROKEN = 70
}; /* a pipeline file that asks for too much, or is wrong; as error_exit_code has it */

struct command;
struct arena;

/* What main owns and hands to the command. */
struct cli {
    const struct command *command;
    struct options options;
    struct terminal out;
    struct client client; /* opened; no connection was made */
    int argc;             /* the command's own words, its name first */
    char **argv;
    /* The step types of this machine: the built-in ones joined with those in the folders of PATH, for commands that read a pipeline
       themselves. NULL until load_types was called, which fills both; types live in storage. */
    step_types *types;
    bool complains_in_json; /* what went wrong is told to a program: --json was given */
    char *types_mark;       /* says which external ones there are, and what stands in their tables; "" = none */
    int (*load_types)(struct cli *cli, struct error *err);
    struct arena *storage;
    /* What the command planned; NULL: nothing. The process ends with the command, and the kernel takes a large plan back in a tenth of the
       time in which we free its thousands of parts: so nobody does. */
    struct pipeline *pipeline;
    struct plan *plan;
};

struct example {
    const char *line, *what;
};

/* What a command's first argument may be, where it has several: `order add`. Where it is left out, the first form is meant. */
struct form {
    const char *name, *arguments;        /* "add", "NAME[@VERSION]" */
    const char *what;                    /* one line */
    size_t arguments_min, arguments_max; /* behind the name */
    const char *options; /* those of the command's that it takes, "domain replicas"; --json and --core always; NULL = no others */
    int (*run)(struct cli *cli, struct error *err);
};

enum command_flag {
    COMMAND_HIDDEN = 1,
    COMMAND_OWN_WORDS = 2, /* hands its words on to another program as they are */
    COMMAND_CORE = 4,      /* asks the orchestration core: --core says which */
};

struct command {
    const char *name, *group; /* group: the heading it stands under */
    const char *summary;      /* one line */
    const char *usage;        /* what stands behind the name */
    const char *about;        /* a few sentences, lines broken by hand */
    const struct option_spec *options;
    const struct form *forms;       /* NULL-name-ended; NULL: none */
    const struct example *examples; /* NULL-line-ended */
    const char *exits;              /* exit codes that it may have, "0 1 64" */
    unsigned flags;
    size_t arguments_min, arguments_max;
    /* Returns the exit code, or an error (negative) that main prints. NULL: the forms say what runs it. */
    int (*run)(struct cli *cli, struct error *err);
};

extern const struct command commands[]; /* NULL-name-ended, in the order of the help */
extern const struct option_spec common_options[];
const struct command *command_find(const char *name); /* NULL: there is none */
const char *command_nearest(const char *name);        /* did you mean; NULL */
const char *exit_code_meaning(int code);              /* NULL: there is none */

/* Runs the form of cli->command that its first argument names. An argument that names none, options that it does not take, too few or too
   many words behind it: -ERROR_INVALID. */
int form_run(struct cli *cli, struct error *err) MUST_CHECK;
/* The nth word behind the form's name; NULL behind the last. */
const char *form_argument(const struct cli *cli, size_t index);

/* One function a command, each in the file of its name. */
int serve_run(struct cli *cli, struct error *err);
int core_run(struct cli *cli, struct error *err);
int fsck_run(struct cli *cli, struct error *err);
int backup_run(struct cli *cli, struct error *err);
int replay_run(struct cli *cli, struct error *err);
int lint_run(struct cli *cli, struct error *err);
int plan_run(struct cli *cli, struct error *err);
int simulate_run(struct cli *cli, struct error *err);
int run_run(struct cli *cli, struct error *err);
int runs_run(struct cli *cli, struct error *err);
int show_run(struct cli *cli, struct error *err);
int explain_run(struct cli *cli, struct error *err);
int evidence_run(struct cli *cli, struct error *err);
int watch_run(struct cli *cli, struct error *err);
int logs_run(struct cli *cli, struct error *err);
int approve_run(struct cli *cli, struct error *err);
int reject_run(struct cli *cli, struct error *err);
int cancel_run(struct cli *cli, struct error *err);
int resolve_run(struct cli *cli, struct error *err);
int telemetry_run(struct cli *cli, struct error *err);
int version_run(struct cli *cli, struct error *err);
int help_run(struct cli *cli, struct error *err);

#endif
