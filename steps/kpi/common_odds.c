/* common_odds.c: Mantel and Haenszel's odds ratio. */
#include "steps/kpi/common_odds.h"

#include <math.h>

enum { R, S, PR, MIXED, QS };

void common_odds_add(double sums[ODDS_SUMS], const struct odds_table *table)
{
    double a = (double)table->a, b = (double)(table->m - table->a), c = (double)table->b, d = (double)(table->n - table->b);
    double all = a + b + c + d, r = a * d / all, s = b * c / all, p = (a + d) / all, q = (b + c) / all;
    sums[R] += r;
    sums[S] += s;
    sums[PR] += p * r;
    sums[MIXED] += p * s + q * r;
    sums[QS] += q * s;
}

/* Woolf's variance, of one table. */
static void pooled(const struct odds_table *all, double *ret_log_odds, double *ret_error)
{
    double a = (double)all->a + 0.5, b = (double)(all->m - all->a) + 0.5, c = (double)all->b + 0.5, d = (double)(all->n - all->b) + 0.5;
    *ret_log_odds = log(a) + log(d) - log(b) - log(c);
    *ret_error = sqrt(1 / a + 1 / b + 1 / c + 1 / d);
}

bool common_odds(const double sums[ODDS_SUMS], const struct odds_table *all, double *ret_log_odds, double *ret_error)
{
    if (all->a + all->b == 0) return false;
    double r = sums[R], s = sums[S];
    if (!(r > 0 && s > 0)) {
        pooled(all, ret_log_odds, ret_error);
        return true;
    }
    *ret_log_odds = log(r) - log(s);
    *ret_error = sqrt(sums[PR] / (2 * r * r) + sums[MIXED] / (2 * r * s) + sums[QS] / (2 * s * s));
    return true;
}
