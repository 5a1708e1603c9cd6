/* settle_line.h: what the two files about the step protocol share. */
#ifndef CRESCENDO_STATE_SETTLE_LINE_H
#define CRESCENDO_STATE_SETTLE_LINE_H

#include "state/parts.h"

enum { STEP_PROTOCOL_VERSION = 1 };

struct line {
    const struct run_state *state;
    const struct plan_step *plan;
    const struct step_state *step;
    const json_t *json; /* an object */
    int64_t now_ms;
    struct event_list *list;
};

int line_refuse(struct error *err, const char *path, const char *what); /* -ERROR_PROTOCOL */
void line_add(const struct line *line, enum event_type type, json_t *data);
char *line_reply(const char *type, const char *name); /* name may be NULL */

int settle_intend(const struct line *line, char **ret_reply, struct error *err) MUST_CHECK;
int settle_compensated(const struct line *line, char **ret_reply, struct error *err) MUST_CHECK;
int settle_outcome(const struct line *line, char **ret_reply, struct error *err) MUST_CHECK;

#endif
