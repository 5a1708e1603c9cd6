/* commands_tables.h: the options, examples and forms that rows of the table of commands point to, where they have a file of their own. */
#ifndef CRESCENDO_CLI_COMMANDS_TABLES_H
#define CRESCENDO_CLI_COMMANDS_TABLES_H

#include "cli/commands.h"

#define JSON_OPTION \
    { \
        "json", 0, NULL, "as JSON: an array where it lists, else one object; errors, too" \
    }

/* commands_write.c */
extern const struct option_spec lint_options[], plan_options[], simulate_options[], run_options[];
extern const struct example lint_examples[], plan_examples[], simulate_examples[], run_examples[];

/* commands_orders.c */
extern const struct option_spec catalogue_options[], order_options[], inventory_options[], domain_options[], telemetry_options[];
extern const struct example catalogue_examples[], order_examples[], inventory_examples[], domain_examples[], telemetry_examples[];
extern const char order_about[], domain_about[];

/* commands_serve.c */
extern const struct option_spec serve_options[], core_options[], repository_options[], version_options[], help_options[];
extern const struct option_spec fsck_options[], replay_options[], backup_options[];
extern const struct example fsck_examples[], replay_examples[], backup_examples[];
extern const char fsck_about[], replay_about[], backup_about[];
extern const struct example serve_examples[], core_examples[], repository_examples[], version_examples[], help_examples[];

/* commands_runs.c */
extern const struct option_spec runs_options[], show_options[], explain_options[], evidence_options[], watch_options[], logs_options[];
extern const struct example runs_examples[], show_examples[], explain_examples[], evidence_examples[], watch_examples[], logs_examples[];
extern const struct option_spec vote_options[], resolve_options[];
extern const struct example approve_examples[], reject_examples[], cancel_examples[], resolve_examples[];
extern const char explain_about[], evidence_about[], resolve_about[];

/* each in the file of its command */
extern const struct form repository_forms[], catalogue_forms[], order_forms[], inventory_forms[], domain_forms[];

#endif
