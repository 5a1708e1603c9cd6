/* streams.c: the values of one canary, minute by minute, from a seed. */
#include "tests/judge/judge.h"

#include <math.h>

static double fraction(struct chance *chance)
{
    return ((double)(chance_next(chance) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller 1958. */
static double normal(struct chance *chance)
{
    double radius = sqrt(-2 * log(fraction(chance)));
    return radius * cos(6.283185307179586 * fraction(chance));
}

static double poisson(struct chance *chance, double mean)
{
    double left = exp(-mean), product = fraction(chance), count = 0;
    for (; product > left; count++)
        product *= fraction(chance);
    return count;
}

/* A normal that goes on from the arm's last one. */
static double next_normal(struct stream *stream, int arm)
{
    double correlation = stream->truth->correlation;
    double next = correlation * stream->last[arm] + sqrt(1 - correlation * correlation) * normal(&stream->chance);
    return stream->last[arm] = next;
}

static double draw(struct stream *stream, int arm)
{
    struct chance *chance = &stream->chance;
    switch (stream->truth->shape) {
    case LOG_NORMAL: return exp((stream->truth->sigma > 0 ? stream->truth->sigma : 0.6) * next_normal(stream, arm));
    case PARETO: return pow(fraction(chance), -1 / 1.5);
    case BIMODAL: return (chance_percent(chance, 20) ? 8 : 1) * exp(0.3 * normal(chance));
    case ZERO_INFLATED: return chance_percent(chance, 40) ? 0 : exp(0.6 * normal(chance));
    case COARSE: return ceil(2 * exp(0.6 * normal(chance))) / 2;
    case COUNTS: return poisson(chance, 5);
    case FAILURES: return fraction(chance);
    }
    return 0;
}

static double factor(const struct stream *stream, int arm, unsigned i, unsigned count)
{
    double hours = (stream->tick + (double)i / count) / TICKS, wave = sin(6.283185307179586 * (hours + stream->phase));
    return (arm ? stream->truth->baseline : stream->truth->canary) * (1 + stream->truth->drift * wave);
}

static size_t fill(struct stream *stream, int arm, unsigned count)
{
    if (chance_percent(&stream->chance, stream->truth->missing_percent)) return 0;
    for (unsigned i = 0; i < count; i++) {
        double value = draw(stream, arm), by = factor(stream, arm, i, count);
        stream->values[arm][i] = stream->truth->shape == FAILURES ? value < by : value * by;
    }
    return count;
}

static size_t failures(const double *values, size_t count)
{
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += values[i] > 0;
    return failed;
}

void stream_begin(struct stream *stream, const struct truth *truth, uint64_t seed)
{
    *stream = (struct stream){.truth = truth, .chance = {seed}};
    stream->phase = fraction(&stream->chance);
    for (int arm = 0; arm < 2; arm++)
        stream->last[arm] = normal(&stream->chance);
}

void stream_next(struct stream *stream)
{
    size_t canary = fill(stream, 0, stream->truth->values), baseline = fill(stream, 1, stream->truth->against);
    stream->sample = (struct kpi_sample){stream->values[0], stream->values[1], canary, baseline, 0, 0};
    if (stream->truth->shape == FAILURES) {
        stream->sample.canary_errors = failures(stream->values[0], canary);
        stream->sample.baseline_errors = failures(stream->values[1], baseline);
    }
    stream->tick++;
}
