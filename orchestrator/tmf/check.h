/* check.h: does a document have the members that a table of fields asks for, with their types? Pure. */
#ifndef CRESCENDO_TMF_CHECK_H
#define CRESCENDO_TMF_CHECK_H

#include "orchestrator/tmf/resource.h"

/* The first mistake is the error and names its place: "specCharacteristic[2].name must be text". Members that are not in the table are
   right, but those whose name begins with '@' are text. */
int tmf_check(const json_t *document, const struct tmf_field *fields, struct error *err) MUST_CHECK;
/* Would it change a member that stays as it is? `patched` is compared with `stored`. */
int tmf_check_fixed(const json_t *stored, const json_t *patched, const struct tmf_field *fields, struct error *err) MUST_CHECK;
/* At most so many levels of objects and arrays? */
bool tmf_is_shallow(const json_t *value, unsigned levels);

#endif
