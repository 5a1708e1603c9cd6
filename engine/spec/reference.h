/* reference.h: docs/reference/pipeline.md, from the tables that the loader uses. */
#ifndef CRESCENDO_SPEC_REFERENCE_H
#define CRESCENDO_SPEC_REFERENCE_H

#include "base/text.h"
#include "spec/pipeline.h"

void reference_print(step_types *types, struct text *out);

/* docs/reference/service.md and domain.md, from the tables of their readers. */
void reference_print_service(struct text *out);
void reference_print_domain(struct text *out);

#endif
