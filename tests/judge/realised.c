/* realised.c: correlation, drift and ties of the values as they came, so that a scenario is known to be what its name says. */
#include "tests/judge/judge.h"

#include <math.h>

static void add_pair(struct realised *realised, double x, double y)
{
    realised->pairs++;
    realised->x += x;
    realised->y += y;
    realised->xx += x * x;
    realised->yy += y * y;
    realised->xy += x * y;
}

static void add_tick(struct realised *realised, const double *values, size_t count)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double value = log1p(values[i]);
        sum += value;
        squares += value * value;
        if (i) add_pair(realised, log1p(values[i - 1]), value);
    }
    if (count < 2) return;
    double mean = sum / (double)count, variance = (squares - sum * mean) / (double)(count - 1);
    realised->ticks++;
    realised->means += mean;
    realised->squares += mean * mean;
    realised->noise += variance / (double)count;
}

void realised_add(struct realised *realised, const struct stream *stream)
{
    const struct kpi_sample *sample = &stream->sample;
    add_tick(realised, sample->baseline, sample->baseline_count);
    for (size_t i = 0; i < sample->canary_count; i++)
        for (size_t j = 0; j < sample->baseline_count; j++)
            realised->ties += !(sample->canary[i] < sample->baseline[j] || sample->canary[i] > sample->baseline[j]);
    realised->compared += (double)(sample->canary_count * sample->baseline_count);
}

void realised_merge(struct realised *realised, const struct realised *other)
{
    double *to = (double *)realised;
    const double *from = (const double *)other;
    for (size_t i = 0; i < sizeof *realised / sizeof *to; i++)
        to[i] += from[i];
}

double realised_correlation(const struct realised *r)
{
    double x = r->xx - r->x * r->x / r->pairs, y = r->yy - r->y * r->y / r->pairs, xy = r->xy - r->x * r->y / r->pairs;
    return x > 0 && y > 0 ? xy / sqrt(x * y) : 0;
}

double realised_drift(const struct realised *r)
{
    double mean = r->means / r->ticks, variance = r->squares / r->ticks - mean * mean - r->noise / r->ticks;
    return sqrt(2 * fmax(0, variance));
}

double realised_ties(const struct realised *r)
{
    return r->ties / r->compared;
}
