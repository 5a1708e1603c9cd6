/* reference_types.h: does an expression give what its place wants? */
#ifndef CRESCENDO_SPEC_REFERENCE_TYPES_H
#define CRESCENDO_SPEC_REFERENCE_TYPES_H

#include "spec/expression.h"
#include "spec/loader.h"

/* Adds what can be told from the file alone: a condition that is no boolean, a list inside text, a comparison that can never be.
   The expression's references have been checked. */
void check_expression_type(struct file *file, const struct site *site, const struct expression *expression);

#endif
