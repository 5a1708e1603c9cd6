/* describe.h: what the descriptions and checks of the steps that send something share. Pure. */
#ifndef CRESCENDO_STEPS_DESCRIBE_H
#define CRESCENDO_STEPS_DESCRIBE_H

#include "base/text.h"
#include "crescendo/step.h"

/* A value as a person reads it in a summary: text, number, ‹expression› for what is not known. Caller frees. */
char *planned_text(const json_t *value, const char *fallback);

/* A time as one would write it: 2m, 30s, 500ms. */
void add_written_time(struct text *out, int64_t ms);

/* Adds one effect of describe: steals body. compensation NULL: it is not undone. */
void effect_add(json_t *effects, const char *name, const json_t *target, char *summary, json_t *body, const char *compensation);

/* Has it this capability? */
bool domain_can(const json_t *domain, const char *capability);
/* -ERROR_DENIED: the policy demands that the domain itself holds the lease of a lent share, and the domain cannot. */
int check_lease_by(const json_t *policy, const json_t *domain, struct error *err) MUST_CHECK;
/* The milliseconds that a share is lent for: with.lease, else the domain's policy's, else a minute. */
int64_t lease_of(const json_t *with, const json_t *domain);

/* Is a share neither none nor all, so that the domain only lends it? What is not known yet counts. */
bool share_is_lent(const json_t *share);

/* -ERROR_DENIED for an xApp: what it does is told apart by where it acts, not by a share of requests. service: its descriptor, or NULL;
   type: the step's, for the hint. */
int check_has_requests(const json_t *service, const char *type, struct error *err) MUST_CHECK;

/* -ERROR_DENIED where the domain's policy has every version judged and this share may be all requests: that is `promote`'s work, behind a
   kpi step. share: NULL, a number, or not known yet; domain: typed, or NULL. */
int check_judged(const json_t *share, const json_t *domain, struct error *err) MUST_CHECK;

/* Complains about each key of `unwanted` (NULL-ended) that is there, and each of `wanted` that is not. */
int check_keys(const json_t *with, const char *what, const char *const *wanted, const char *const *unwanted, struct location at,
    struct diagnostics *list);

#endif
