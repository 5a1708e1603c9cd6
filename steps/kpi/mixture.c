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
    double largest = mixture->log_weights[0], sum = 0;
    for (unsigned i = 1; i < mixture->count; i++)
        largest = fmax(largest, mixture->log_weights[i]);
    for (unsigned i = 0; i < mixture->count; i++)
        sum += exp(mixture->log_weights[i] - largest);
    return largest + log(sum);
}

double log_mean(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b))) - log(2);
}
