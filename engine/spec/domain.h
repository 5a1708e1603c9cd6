/* domain.h: domains/NAME.yaml → typed JSON: how a domain is reached, what it can do, what its owner allows, what our core drives there. */
#ifndef CRESCENDO_SPEC_DOMAIN_H
#define CRESCENDO_SPEC_DOMAIN_H

#include "spec/pipeline.h"

/* Reads one file, whose stem must be the domain's name. *ret: what docs/reference/domain.md says, defaults filled in, and `digest`, the
   SHA-256 of the bytes; caller's. All mistakes go to *list; after one *ret is not set and the return is -ERROR_INVALID. Pure. */
int domain_load(const struct source *source, struct diagnostics *list, json_t **ret) MUST_CHECK;

/* Would the families of two sites, as domain_load gives them, want the same ports of one address? */
bool domain_sites_overlap(const json_t *one, const json_t *other);

/* The tables behind it, also the source of docs/reference/domain.md. */
extern const struct field domain_fields[], domain_policy_fields[], domain_site_fields[], domain_flavour_fields[], domain_capacity_fields[];

#endif
