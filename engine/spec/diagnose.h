/* diagnose.h: shows diagnostics to a person or a program. Pure: returns text. */
#ifndef CRESCENDO_SPEC_DIAGNOSE_H
#define CRESCENDO_SPEC_DIAGNOSE_H

#include "base/text.h"
#include "spec/pipeline.h"

enum diagnose_style { DIAGNOSE_PLAIN, DIAGNOSE_COLOUR };

/* file:line:column: error: message [code], the line, a caret line, a hint; a blank line between two; a count at the end. One
   mistake about a domain that several steps name is said once, with the other places. */
void diagnose_text(const struct diagnostics *list, const struct source_set *sources, enum diagnose_style style, struct text *out);
json_t *diagnose_json(const struct diagnostics *list);  /* array of {severity, code, file, line, column, width, message, hint} */
json_t *diagnose_sarif(const struct diagnostics *list); /* SARIF 2.1.0 log */

#endif
