/* evidence_replay.h: a recorded decision computed again, by the program that made it. */
#ifndef CRESCENDO_CLI_EVIDENCE_REPLAY_H
#define CRESCENDO_CLI_EVIDENCE_REPLAY_H

#include "base/text.h"
#include "cli/evidence_record.h"

/* Hands the records to crescendo-step and compares every bit. *ret_same, and a line that says so, or where they differ first. Blocks.
   -ERROR_INVALID: these records cannot be computed again. */
int evidence_replay(const struct evidence_record *evidence, bool *ret_same, struct text *line, struct error *err) MUST_CHECK;

/* What differs between records and what was computed from them, as the line's end: "tick 3, latency: harm is ...". Pure. false: nothing. */
bool evidence_difference(const json_t *recorded, const json_t *computed, struct text *line);

#endif
