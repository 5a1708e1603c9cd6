/* domain_policy.h: a domain's canary policy in a few lines. Pure. */
#ifndef CRESCENDO_CLI_DOMAIN_POLICY_H
#define CRESCENDO_CLI_DOMAIN_POLICY_H

#include "cli/terminal.h"

#include <jansson.h>

/* Adds facts (facts.h): the shares, the times, what each KPI is judged by, what follows. policy: typed; NULL = nothing is said. */
void add_policy(struct text *out, const struct terminal *terminal, const json_t *policy);

#endif
