/* mixture.c: the weights are logarithms, since their product over a long canary would not fit a double. */
#include "steps/kpi/mixture.h"

#include <math.h>

void mixture_init(struct mixture *mixture, unsigned count)
{
    *mixture = (struct mixture){.count = count};
    for (unsigned i = 0; i < count; i++)
        mixture->log_weights[i] = -log(count);
}

void mixture_add(struct mixture *mixture, const double *log_factors)
{
    for (unsigned i = 0; i < mixture->count; i++)
        mixture->log_weights[i] += log_factors[i];
}

double mixture_log(const struct mixture *mixture)
{
    const double *weights = mixture->log_weights;
    unsigned top = 0;
    double others = 0;
    for (unsigned i = 1; i < mixture->count; i++)
        if (weights[i] > weights[top]) top = i;
    for (unsigned i = 0; i < mixture->count; i++)
        if (i != top) others += exp(weights[i] - weights[top]);
    return weights[top] + log1p(others);
}

double log_mean(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b))) - log(2);
}
