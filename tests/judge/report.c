/* report.c: a scenario's figures and whether its bars were cleared, as lines `ok`, `not ok` that tests/run counts. */
#include "tests/judge/judge.h"

#include <math.h>
#include <stdio.h>

static unsigned total(const unsigned *by_tick)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < TICKS; i++)
        sum += by_tick[i];
    return sum;
}

unsigned quantile(const unsigned *by_tick, unsigned runs, double part)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < TICKS; i++) {
        sum += by_tick[i];
        if (sum >= part * runs) return i + 1;
    }
    return TICKS;
}

/* P(at most count of runs) when the true share is p. */
static double at_most(unsigned count, unsigned runs, double p)
{
    double sum = 0;
    for (unsigned k = 0; k <= count; k++)
        sum += exp(lgamma(runs + 1.0) - lgamma(k + 1.0) - lgamma(runs - k + 1.0) + k * log(p) + (runs - k) * log1p(-p));
    return sum;
}

double upper_limit(unsigned count, unsigned runs)
{
    double low = (double)count / runs, high = 1;
    for (int i = 0; count < runs && i < 40; i++) {
        double middle = (low + high) / 2;
        if (at_most(count, runs, middle) > 0.01)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct finding {
    const char *words;
    double value;
    bool is_share, is_good;
};

static struct finding judge_bar(const struct bar *bar, const struct tally *tally)
{
    double runs = tally->runs, harm = total(tally->harm), promoted = total(tally->promoted);
    double value;
    switch (bar->kind) {
    case HARM_AT_MOST:
        value = upper_limit((unsigned)harm, tally->runs);
        return (struct finding){"rolled back (upper 99 % limit) at most", value, true, value <= bar->limit};
    case HARM_AT_LEAST: value = harm / runs; return (struct finding){"rolled back at least", value, true, value >= bar->limit};
    case HARM_ABOVE:
        value = harm / runs;
        return (struct finding){"without blocks it must fail: rolled back above", value, true, value > bar->limit};
    case HARM_MEDIAN:
        value = quantile(tally->harm, tally->runs, 0.5);
        return (struct finding){"median minutes to stop at most", value, false, value <= bar->limit};
    case HARM_P90:
        value = quantile(tally->harm, tally->runs, 0.9);
        return (struct finding){"90 % stopped within", value, false, value <= bar->limit};
    case PROMOTED_AT_LEAST: value = promoted / runs; return (struct finding){"promoted at least", value, true, value >= bar->limit};
    case PROMOTED_AT_MOST:
        value = upper_limit((unsigned)promoted, tally->runs);
        return (struct finding){"promoted (upper 99 % limit) at most", value, true, value <= bar->limit};
    case CONTROL_ABOVE:
        value = (double)tally->control_rejected / tally->control_runs;
        return (struct finding){"plain Mann-Whitney must fail: above", value, true, value > bar->limit};
    }
    return (struct finding){"", 0, false, false};
}

static void print_bar(const struct scenario *scenario, const struct bar *bar, const struct finding *finding)
{
    const char *word = finding->is_good ? "ok" : "not ok";
    if (finding->is_share)
        printf("%s judge/%s: %s %.4g %%: %.3f %%\n", word, scenario->name, finding->words, bar->limit * 100, finding->value * 100);
    else
        printf("%s judge/%s: %s %.4g: %.4g\n", word, scenario->name, finding->words, bar->limit, finding->value);
}

static void print_figures(const struct scenario *scenario, const struct tally *tally)
{
    double runs = tally->runs;
    printf("  %s: %u runs: rolled back %.3f %% (minute %u, 90 %% by %u)", scenario->name, tally->runs, total(tally->harm) / runs * 100,
        quantile(tally->harm, tally->runs, 0.5), quantile(tally->harm, tally->runs, 0.9));
    if (scenario->clears)
        printf(", promoted %.3f %% (minute %u)", total(tally->promoted) / runs * 100, quantile(tally->promoted, tally->runs, 0.5));
    if (tally->control_runs) printf(", plain Mann-Whitney each tick %.1f %%", 100.0 * tally->control_rejected / tally->control_runs);
    printf("; lag-1 correlation %.2f, drift %.2f, ties %.1f %%\n", realised_correlation(&tally->realised), realised_drift(&tally->realised),
        realised_ties(&tally->realised) * 100);
}

void report(const struct scenario *scenario, const struct tally *tally, unsigned *passed, unsigned *failed)
{
    print_figures(scenario, tally);
    for (unsigned i = 0; i < scenario->bar_count; i++) {
        struct finding finding = judge_bar(&scenario->bars[i], tally);
        print_bar(scenario, &scenario->bars[i], &finding);
        ++*(finding.is_good ? passed : failed);
    }
    fflush(stdout);
}
