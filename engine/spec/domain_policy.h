/* domain_policy.h: the canary policy in the file of a domain: what its table cannot say. */
#ifndef CRESCENDO_SPEC_DOMAIN_POLICY_H
#define CRESCENDO_SPEC_DOMAIN_POLICY_H

#include "spec/fields.h"

/* Checks what was read of `policy:` and fills in the defaults that depend on other values: the KPIs, what each is judged by, the shares.
   node: the map as it was written, NULL where there is none. policy: its object, completed in place; may be NULL after a mistake. */
void domain_policy_complete(struct reader *reader, const struct yaml_node *node, json_t *policy);

#endif
