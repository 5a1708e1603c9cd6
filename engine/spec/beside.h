/* beside.h: what stands beside a pipeline and decides what its steps mean: the service's descriptor that it names, and the domains. */
#ifndef CRESCENDO_SPEC_BESIDE_H
#define CRESCENDO_SPEC_BESIDE_H

#include "spec/pipeline.h"

/* Starts as {0}; beside_release frees. domains: object, name → typed (domain.h), or text that says what is wrong with its file, so that one
   wrong file harms only who names it. service: typed (service.h), or NULL. */
struct beside {
    json_t *domains, *service;
};

/* From the sources: every "domains/NAME.yaml", in whichever folder, the first of a name; and the file that the pipeline calls its service.
   Mistakes in that one go to *list, then -ERROR_INVALID; so does that it is not there, where a step reaches out. Pure. */
int beside_load(const struct pipeline *pipeline, const struct source_set *sources, struct diagnostics *list, struct beside *ret) MUST_CHECK;
void beside_release(struct beside *beside);

bool beside_is_domain(const char *source_name); /* "domains/NAME.yaml", perhaps in a folder */
/* The name of the descriptor's source: beside the pipeline's file. Caller frees. */
char *beside_service_name(const char *pipeline_file, const char *service);

/* Does a step of it, or of a file that it uses, speak with a domain? Others need nothing of this. */
bool pipeline_reaches_out(const struct pipeline *pipeline);
/* The key that names its domain: "domain", or "catalogue" of what has only that; NULL: it has none. */
const char *step_type_domain_key(const struct step_type *type);

/* The domain, if it is there and can do what the type needs; NULL after a mistake, which is added to *list. Borrowed. */
const json_t *beside_find(
    const json_t *domains, const struct step_type *type, const char *name, struct location at, struct diagnostics *list);

/* The same for every step whose domain can be told from the files alone, and what that domain's policy denies it; without any domain at
   hand, nothing. For `lint`. */
void beside_check(const struct pipeline *pipeline, const struct beside *beside, struct diagnostics *list);

#endif
