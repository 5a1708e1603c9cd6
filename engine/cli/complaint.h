/* complaint.h: what went wrong, for a person or a program. Makes texts and JSON; prints nothing. */
#ifndef CRESCENDO_CLI_COMPLAINT_H
#define CRESCENDO_CLI_COMPLAINT_H

#include "cli/commands.h"
#include "spec/pipeline.h"

/* Was --json given anywhere? Looks at the words themselves, because those that were not understood are complained of, too. */
bool complaint_wants_json(int argc, char **argv);
/* The mistakes of a file become what is complained of: kept in the client until it is said. -ERROR_DENIED where the file only asks for what
   is not allowed, else -ERROR_INVALID. */
int complaint_keep(struct cli *cli, const struct diagnostics *list, const struct source_set *sources, struct error *err) MUST_CHECK;

/* "crescendo: MESSAGE" and the hint below it; the mistakes of a file in its place, where the client keeps some. */
void complaint_add_text(const struct client *client, const struct error *err, bool colour, struct text *out);
/* {"error": {"code", "message", "hint", "diagnostics"}}: hint and diagnostics where there are any. Caller frees. */
json_t *complaint_json(const struct client *client, const struct error *err);

#endif
