/* commands_serve.c: options and examples of the commands that start, fill and explain what serves. */
#include "cli/commands_tables.h"

const struct option_spec serve_options[] = {
    {"listen", 0, "HOST:PORT", "answer over TCP too; needs --token-file"},
    {"token-file", 0, "FILE", "who may ask over TCP: lines `NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN`"},
    {"jobs", 0, "N", "stages that may be live at once; the default is the number of processors"},
    {"keep", 0, "TIME", "forget runs that ended longer ago, with their logs: 90d, 12h; the default is never"},
    {"allow-no-sandbox", 0, NULL, "pipelines may say `sandbox: none`"},
    OPTION_END,
};
const struct example serve_examples[] = {
    {"crescendo serve", "with your own data folder"},
    {"crescendo serve --data /srv/crescendo", "with another; tell the other commands with --data or CRESCENDO_DATA"},
    {0},
};

const struct option_spec core_options[] = {
    {"listen", 0, "HOST:PORT", "answer over TCP too; needs --token-file, but not on a loopback address"},
    {"token-file", 0, "FILE", "who may ask over TCP: lines `NAME GROUP[,GROUP] SHA256-OF-THE-TOKEN`"},
    OPTION_END,
};
const struct example core_examples[] = {
    {"crescendo core --data /srv/core", "on the socket /srv/core/core.sock"},
    {"crescendo core --data core --listen 127.0.0.1:8632", "for clients on this machine: curl, another OSS"},
    {0},
};

const struct option_spec fsck_options[] = {JSON_OPTION, OPTION_END};
const struct example fsck_examples[] = {
    {"crescendo fsck", "your own data folder, beside its server or without one"},
    {"crescendo fsck --data /mnt/restored", "a backup, before it is served"},
    {0},
};
const char fsck_about[] =
    "Reads both journals of a data folder, the server's and the core's, and changes nothing: the structure of the files, each run's hash "
    "chain, the plans against their digests, the projections against the fold of the events, the logs of the runs, the packages against "
    "their names. Each finding says "
    "where, what, and what to do. A server may run meanwhile.";

const struct option_spec replay_options[] = {JSON_OPTION, OPTION_END};
const struct example replay_examples[] = {
    {"crescendo replay 12", "would this version decide run 12 as it was decided?"},
    {0},
};
const char replay_about[] =
    "Decides a run once more, from its journal alone: folds its events and lets the engine decide and settle again, to the byte. What came "
    "from outside is taken as it stands: people, reports, the turns of other runs. The evidence of its canaries is computed again. Says "
    "how "
    "many decisions are the same, or shows the first that differs. Changes nothing; an order is replayed with the core's --data, "
    "DATA/core.";

const struct option_spec backup_options[] = {JSON_OPTION, OPTION_END};
const struct example backup_examples[] = {
    {"crescendo backup /backup/crescendo-$(date +%F).tar", "your own data folder, beside its server"},
    {"tar -xf crescendo-2026-11-27.tar -C /srv/crescendo", "restores one, into an empty folder"},
    {0},
};
const char backup_about[] =
    "Writes a data folder to FILE, a tar file, while its server runs: first the server's journal and the core's, each as one state of it, "
    "then all else: repositories, logs, domains, packages, telemetry. FILE is there whole and on disk, or not at all. To restore it, "
    "unpack "
    "it into an empty folder where the old one was.";

const struct option_spec repository_options[] = {JSON_OPTION, OPTION_END};
const struct example repository_examples[] = {
    {"crescendo repository add hello-service", "and it prints where to push"},
    {"crescendo repository list", "all of them"},
    {0},
};

const struct option_spec version_options[] = {JSON_OPTION, OPTION_END};
const struct example version_examples[] = {{"crescendo version --json", "for a program"}, {0}};
const struct option_spec help_options[] = {
    {"markdown", 0, NULL, "the reference page of all commands"},
    {"completion", 0, "SHELL", "what makes SHELL complete commands and options: bash"},
    OPTION_END,
};
const struct example help_examples[] = {
    {"crescendo help run", "one command"},
    {"source <(crescendo help --completion bash)", "completion in this shell"},
    {0},
};
