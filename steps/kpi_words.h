/* kpi_words.h: a merged canary policy in sentences, for a plan. Pure. */
#ifndef CRESCENDO_STEPS_KPI_WORDS_H
#define CRESCENDO_STEPS_KPI_WORDS_H

#include <jansson.h>

/* A list of sentences: the ramp, what each KPI is judged by with the grey zone between, what follows without a verdict, and the digest.
 * New. */
json_t *kpi_policy_words(const json_t *policy, const char *domain);

#endif
