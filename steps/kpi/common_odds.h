/* common_odds.h: the odds ratio of failed requests, canary to baseline, over all ticks, with an interval. It describes and decides nothing.
 * Pure. */
#ifndef CRESCENDO_STEPS_KPI_COMMON_ODDS_H
#define CRESCENDO_STEPS_KPI_COMMON_ODDS_H

#include "steps/kpi/evidence.h"
#include "steps/kpi/odds.h"

#include <stdbool.h>

/* Adds a tick to the sums R, S, PR, PS + QR, QS (Robins, Breslow and Greenland 1986), from which Mantel and Haenszel's odds ratio and its
   variance are made: sums that only ever grow, and each tick is compared within itself, so that a drift of both arms does no harm. */
void common_odds_add(double sums[ODDS_SUMS], const struct odds_table *table);

/* The logarithm of the odds ratio and its standard error; of the whole canary as one table with halves added (Haldane 1956, Anscombe 1956)
   where an arm has no error or nothing else. false: no request failed. */
bool common_odds(const double sums[ODDS_SUMS], const struct odds_table *all, double *ret_log_odds, double *ret_error);

#endif
