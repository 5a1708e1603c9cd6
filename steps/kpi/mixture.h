/* mixture.h: many bets at once: the mean of their wealths is an e-process whatever each of them won or lost. Pure. */
#ifndef CRESCENDO_STEPS_KPI_MIXTURE_H
#define CRESCENDO_STEPS_KPI_MIXTURE_H

#include "steps/kpi/evidence.h"

/* count bets of equal stakes; their wealths sum to 1. */
void mixture_init(struct mixture *mixture, unsigned count);

/* What each bet won on one tick: the logarithm of its factor; mixture->count of them. */
void mixture_add(struct mixture *mixture, const double *log_factors);

/* The natural logarithm of all wealth together. */
double mixture_log(const struct mixture *mixture);

/* log((exp(a) + exp(b)) / 2) */
double log_mean(double a, double b);

#endif
