/* commands.c: the table of commands. */
#include "cli/commands_tables.h"

const struct option_spec common_options[] = {
    {"server", 0, "URL", "the server: unix:/path/to/socket or http://host:port; else CRESCENDO_SERVER"},
    {"token", 0, "TOKEN", "who you are, for a server over TCP; else CRESCENDO_TOKEN"},
    {"data", 0, "DIR", "the data folder of a server on this machine; else CRESCENDO_DATA"},
    {"local", 'l', NULL, "the private server that `crescendo run` starts"},
    {"no-color", 0, NULL, "no colours; so does NO_COLOR"},
    {"help", 'h', NULL, "explain the command"},
    OPTION_END,
};

#define PARAM_OPTION \
    { \
        "param", 'p', "NAME=VALUE", "a parameter's value; may be repeated" \
    }

static const struct option_spec serve_options[] = {
    {"listen", 0, "HOST:PORT", "answer over TCP too; needs --token-file"},
    {"token-file", 0, "FILE", "who may ask over TCP: lines `NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN`"},
    {"jobs", 0, "N", "stages that may be live at once; the default is the number of processors"},
    {"allow-no-sandbox", 0, NULL, "pipelines may say `sandbox: none`"},
    OPTION_END,
};
static const struct example serve_examples[] = {
    {"crescendo serve", "with your own data folder"},
    {"crescendo serve --data /srv/crescendo", "with another; tell the other commands with --data or CRESCENDO_DATA"},
    {0},
};

static const struct option_spec core_options[] = {
    {"listen", 0, "HOST:PORT", "answer over TCP too; needs --token-file, but not on a loopback address"},
    {"token-file", 0, "FILE", "who may ask over TCP: lines `NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN`"},
    OPTION_END,
};
static const struct example core_examples[] = {
    {"crescendo core --data /srv/core", "on the socket /srv/core/core.sock"},
    {"crescendo core --data core --listen 127.0.0.1:8632", "for clients on this machine: curl, another OSS"},
    {0},
};

static const struct option_spec repository_options[] = {JSON_OPTION, OPTION_END};
static const struct example repository_examples[] = {
    {"crescendo repository add hello-service", "and it prints where to push"},
    {"crescendo repository list", "all of them"},
    {0},
};

static const struct option_spec lint_options[] = {
    {"format", 0, "FORMAT", "text, json or sarif"},
    {"schema", 0, NULL, "print the JSON schema of pipeline files"},
    {"reference", 0, NULL, "print the reference page of pipeline, service or domain instead of reading a FILE"},
    OPTION_END,
};
static const struct example lint_examples[] = {
    {"crescendo lint", "crescendo.yaml in this folder"},
    {"crescendo lint --format sarif build.yaml", "for a code scanner"},
    {0},
};

static const struct option_spec plan_options[] = {
    PARAM_OPTION,
    {"format", 0, "FORMAT", "text, json or dot"},
    {"json", 0, NULL, "the same as --format json"},
    {"bodies", 0, NULL, "as text, with all that effects send; JSON has it always"},
    {"repository", 'r', "NAME", "plan as a push to this repository would be: run.repository"},
    {"ref", 0, "REF", "run.ref"},
    {"branch", 0, "NAME", "run.branch"},
    {"commit", 0, "DIGEST", "run.commit"},
    OPTION_END,
};
static const struct example plan_examples[] = {
    {"crescendo plan", "what crescendo.yaml would do"},
    {"crescendo plan --param replicas=4", "with another value"},
    {"crescendo plan --format dot | dot -Tsvg > plan.svg", "as a picture"},
    {0},
};

static const struct option_spec run_options[] = {
    PARAM_OPTION,
    {"detach", 'd', NULL, "print the run's number and return"},
    {"no-wait", 0, NULL, "stop watching with exit code 3 when it waits for approval"},
    {"plain", 0, NULL, "lines instead of a live picture"},
    {"repository", 'r', "NAME", "run the file as it is in this repository"},
    {"ref", 0, "REF", "branch, tag or commit there; the default is main"},
    {"title", 0, "TEXT", "what to call the run"},
    {"json", 0, NULL, "with --detach: the server's answer as JSON"},
    OPTION_END,
};
static const struct example run_examples[] = {
    {"crescendo run", "crescendo.yaml of this folder, as the folder is now"},
    {"crescendo run --param replicas=2 deploy.yaml", "another file, a parameter"},
    {"crescendo run --repository hello --ref v1.2", "what was pushed, at a tag"},
    {0},
};

static const struct option_spec runs_options[] = {
    {"repository", 'r', "NAME", "only of this repository"},
    {"pipeline", 'p', "NAME", "only of this pipeline"},
    {"state", 's', "STATE", "only in this state: running, waiting, failed, ..."},
    {"limit", 'n', "N", "this many; the default is 20"},
    {"before", 0, "RUN", "only older ones than this"},
    JSON_OPTION,
    OPTION_END,
};
static const struct example runs_examples[] = {
    {"crescendo runs --repository hello --state failed", "what went wrong there"},
    {"crescendo runs --json --limit 1", "the newest, for a program"},
    {0},
};

static const struct option_spec show_options[] = {JSON_OPTION, OPTION_END};
static const struct example show_examples[] = {
    {"crescendo show", "the newest run"},
    {"crescendo show 12", "run 12: steps, failures with their last lines, approvals"},
    {0},
};

static const struct option_spec watch_options[] = {
    {"no-wait", 0, NULL, "stop with exit code 3 when it waits for approval"},
    {"plain", 0, NULL, "lines instead of a live picture"},
    OPTION_END,
};
static const struct example watch_examples[] = {
    {"crescendo watch", "the newest run"},
    {"crescendo watch 12 && ./announce", "go on only when it succeeded"},
    {0},
};

static const struct option_spec logs_options[] = {
    {"step", 's', "PATH", "only this step: build/test"},
    {"attempt", 0, "N", "only this attempt"},
    {"follow", 'f', NULL, "go on until the run ends"},
    {"raw", 0, NULL, "the bytes as they were printed, whatever they do to a terminal"},
    OPTION_END,
};
static const struct example logs_examples[] = {
    {"crescendo logs 12 --step build/test", "one step"},
    {"crescendo logs --follow", "the newest run, as it comes"},
    {0},
};

static const struct option_spec vote_options[] = {
    {"comment", 'm', "TEXT", "why; kept with the decision"},
    JSON_OPTION,
    OPTION_END,
};
static const struct example approve_examples[] = {
    {"crescendo approve", "the only one that waits"},
    {"crescendo approve 12 sign-off --comment \"looked at the canary\"", "a stage of run 12"},
    {0},
};
static const struct example reject_examples[] = {
    {"crescendo reject 12 --comment \"not before the weekend\"", "run 12 ends"},
    {0},
};
static const struct example cancel_examples[] = {
    {"crescendo cancel 12", "ends its live steps, then the run"},
    {0},
};
static const struct option_spec version_options[] = {JSON_OPTION, OPTION_END};
static const struct example version_examples[] = {{"crescendo version --json", "for a program"}, {0}};
static const struct option_spec help_options[] = {
    {"markdown", 0, NULL, "the reference page of all commands"},
    {"completion", 0, "SHELL", "what makes SHELL complete commands and options: bash"},
    OPTION_END,
};
static const struct example help_examples[] = {
    {"crescendo help run", "one command"},
    {"source <(crescendo help --completion bash)", "completion in this shell"},
    {0},
};

const struct command commands[] = {
    {.name = "run",
        .group = "Write a pipeline",
        .summary = "run a pipeline file, here and now",
        .usage = "[FILE] [OPTION...]",
        .options = run_options,
        .about = "Runs FILE (crescendo.yaml) with its folder as it is, and shows it to its end. Without a server it "
                 "starts a private one, which ends by itself. A wrong file is shown with its mistakes; nothing starts.",
        .examples = run_examples,
        .exits = "0 1 3 4 5 6 7 64 69 130",
        .arguments_max = 1,
        .run = run_run},
    {.name = "lint",
        .group = "Write a pipeline",
        .summary = "check a pipeline file",
        .usage = "[FILE...] [OPTION...]",
        .options = lint_options,
        .about = "Shows every mistake in FILE (crescendo.yaml) and the files that it uses, each with its place and a hint. A service's\n"
                 "descriptor and the file of a domain are known by what stands in them. Needs no server.",
        .examples = lint_examples,
        .exits = "0 1 4 64",
        .arguments_max = 1000,
        .run = lint_run},
    {.name = "plan",
        .group = "Write a pipeline",
        .summary = "show what a pipeline would do",
        .usage = "[FILE] [OPTION...]",
        .options = plan_options,
        .about = "Shows stages, steps and effects in their order, as far as they are known before the run: of an effect its key, what "
                 "undoes it\n"
                 "or that nothing does, and how large its body is. Needs no server.",
        .examples = plan_examples,
        .exits = "0 1 4 64",
        .arguments_max = 1,
        .run = plan_run},
    {.name = "runs",
        .group = "Follow runs",
        .summary = "list the runs, newest first",
        .usage = "[OPTION...]",
        .options = runs_options,
        .about = "One line a run: what ran, from where, how it stands or why it ended, when, and how long it took.",
        .examples = runs_examples,
        .exits = "0 1 4 64 69",
        .run = runs_run},
    {.name = "show",
        .group = "Follow runs",
        .summary = "show one run: steps, failures, approvals",
        .usage = "[RUN] [OPTION...]",
        .options = show_options,
        .about = "Shows all about a run (the newest) as it is now: its steps, the last lines of those that failed, who is waited for.",
        .examples = show_examples,
        .exits = "0 1 4 64 69",
        .arguments_max = 1,
        .run = show_run},
    {.name = "watch",
        .group = "Follow runs",
        .summary = "watch a run until it ends",
        .usage = "[RUN] [OPTION...]",
        .options = watch_options,
        .about = "Shows a run (the newest) live: a line for each stage on a terminal, a line for each event elsewhere. Ends "
                 "with the run; the exit code says how. Ctrl-C leaves the run alone.",
        .examples = watch_examples,
        .exits = "0 1 3 4 5 6 7 64 69 130",
        .arguments_max = 1,
        .run = watch_run},
    {.name = "logs",
        .group = "Follow runs",
        .summary = "print what the steps printed",
        .usage = "[RUN] [OPTION...]",
        .options = logs_options,
        .about = "Prints the log of a run (the newest). On a terminal only colours are let through; elsewhere nothing is changed.",
        .examples = logs_examples,
        .exits = "0 1 4 64 69 130",
        .arguments_max = 1,
        .run = logs_run},
    {.name = "approve",
        .group = "Decide",
        .summary = "say yes to what waits for approval",
        .usage = "[RUN] [STEP] [OPTION...]",
        .options = vote_options,
        .about = "Approves a waiting stage. Without RUN: the only one that waits. `crescendo show RUN` tells who may.",
        .examples = approve_examples,
        .exits = "0 1 4 64 69",
        .arguments_max = 2,
        .run = approve_run},
    {.name = "reject",
        .group = "Decide",
        .summary = "say no",
        .usage = "[RUN] [STEP] [OPTION...]",
        .options = vote_options,
        .about = "Rejects a waiting stage; its run fails with the reason `rejected`. Without RUN: the only one that waits.",
        .examples = reject_examples,
        .exits = "0 1 4 64 69",
        .arguments_max = 2,
        .run = reject_run},
    {.name = "cancel",
        .group = "Decide",
        .summary = "stop a run",
        .usage = "RUN [OPTION...]",
        .options = vote_options,
        .about = "Ends the live steps of a run, then the run. Never counts as success.",
        .examples = cancel_examples,
        .exits = "0 1 4 64 69",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = cancel_run},
    {.name = "catalogue",
        .group = "Order a service",
        .summary = "what is published, and publishing by hand",
        .usage = "[FORM] [OPTION...]",
        .options = catalogue_options,
        .about = "An offering is one version of a service: what a pipeline's step `publish` put there, and what an order names.",
        .forms = catalogue_forms,
        .examples = catalogue_examples,
        .exits = "0 1 4 64 69",
        .flags = COMMAND_CORE,
        .arguments_max = 4,
        .run = form_run},
    {.name = "order",
        .group = "Order a service",
        .summary = "order, change and end services",
        .usage = "[FORM] [OPTION...]",
        .options = order_options,
        .about = order_about,
        .forms = order_forms,
        .examples = order_examples,
        .exits = "0 1 4 7 64 69 130",
        .flags = COMMAND_CORE,
        .arguments_max = 101,
        .run = form_run},
    {.name = "inventory",
        .group = "Order a service",
        .summary = "the services that run, and where they answer",
        .usage = "[FORM] [OPTION...]",
        .options = inventory_options,
        .about = "A service is one ordered version on one domain. Its share is its part of the requests at its address.",
        .forms = inventory_forms,
        .examples = inventory_examples,
        .exits = "0 1 4 64 69",
        .flags = COMMAND_CORE,
        .arguments_max = 2,
        .run = form_run},
    {.name = "telemetry",
        .group = "Order a service",
        .summary = "show how a domain's services answer",
        .usage = "[DOMAIN] [OPTION...]",
        .options = telemetry_options,
        .about =
            "One line a version: its requests, its share of its service's, errors, latency, throughput. Each request that went through the "
            "domain's HAProxy is counted; what could not be recorded is said. DOMAIN may be left out where there is only one.",
        .examples = telemetry_examples,
        .exits = "0 1 4 64 69 130",
        .flags = COMMAND_CORE,
        .arguments_max = 1,
        .run = telemetry_run},
    {.name = "domain",
        .group = "Order a service",
        .summary = "the places where services run",
        .usage = "[FORM] [OPTION...]",
        .options = domain_options,
        .about = domain_about,
        .forms = domain_forms,
        .examples = domain_examples,
        .exits = "0 1 4 64 69",
        .flags = COMMAND_CORE,
        .arguments_max = 2,
        .run = form_run},
    {.name = "serve",
        .group = "Serve",
        .summary = "start the server",
        .usage = "[OPTION...]",
        .options = serve_options,
        .about =
            "Runs the engine in the foreground: takes pushes, runs pipelines, answers the other commands. All that it "
            "knows is in its data folder; killed at any moment, it goes on from there. All options go to the program crescendo-server.",
        .examples = serve_examples,
        .exits = "0 1 64 69 74",
        .flags = COMMAND_OWN_WORDS,
        .arguments_max = 1000,
        .run = serve_run},
    {.name = "core",
        .group = "Serve",
        .summary = "start an orchestration core by itself",
        .usage = "--data DIR [OPTION...]",
        .options = core_options,
        .about =
            "Runs the orchestration core in the foreground: catalogues, orders and inventory over TM Forum APIs. `crescendo serve` has one "
            "inside, in DATA/core; this is for a domain that is not the server's. All options go to the program crescendo-server.",
        .examples = core_examples,
        .exits = "0 1 64 69 74",
        .flags = COMMAND_OWN_WORDS,
        .arguments_max = 1000,
        .run = core_run},
    {.name = "repository",
        .group = "Serve",
        .summary = "add or list repositories to push to",
        .usage = "[FORM] [OPTION...]",
        .options = repository_options,
        .about = "A repository is a bare git repository of the server. A push to it starts the pipeline in crescendo.yaml.",
        .forms = repository_forms,
        .examples = repository_examples,
        .exits = "0 1 4 64 69",
        .arguments_max = 2,
        .run = form_run},
    {.name = "version",
        .group = "Serve",
        .summary = "print this program's and the server's version",
        .usage = "[OPTION...]",
        .options = version_options,
        .about = "Prints both, and whether a server can be reached.",
        .examples = version_examples,
        .exits = "0 1 64",
        .run = version_run},
    {.name = "help",
        .group = "Serve",
        .summary = "explain a command",
        .usage = "[COMMAND]",
        .options = help_options,
        .about = "Explains a command, or lists them all.",
        .examples = help_examples,
        .exits = "0 1 64",
        .flags = COMMAND_HIDDEN,
        .arguments_max = 1,
        .run = help_run},
    {.name = NULL},
};
