/* like.c: how long the judge should take for harm of one kind, simulated: the floor of what a real canary took (tests/bench/canary). */
#include "tests/judge/judge.h"

#include <stdio.h>

enum { PLACE = 1000 }; /* no scenario's */

int print_like(const char *words, unsigned runs)
{
    struct scenario scenario = {"like", {LOG_NORMAL, .baseline = 1}, .rules = {KPI_LATENCY, .critical = true, .beta = 0.05}};
    struct truth *truth = &scenario.truth;
    struct tally tally;
    char after;
    int read = sscanf(words, "%u,%u,%lf,%lf,%lf,%lf%c", &truth->values, &truth->against, &truth->canary, &truth->sigma,
        &scenario.rules.tolerate, &scenario.rules.alpha, &after);
    if (read != 6 || truth->values > ARM_MOST || truth->against > ARM_MOST || !(truth->canary > 0) || !(truth->sigma > 0) ||
        !(scenario.rules.tolerate >= 1) || !(scenario.rules.alpha > 0))
        return -1;
    scenario.rules.clear = 4 * scenario.rules.tolerate; /* not looked at */
    simulate(&scenario, PLACE, 0, 1, runs, &tally);
    unsigned stopped = 0;
    for (unsigned i = 0; i < TICKS; i++)
        stopped += tally.harm[i];
    printf("%u %u %.4f\n", quantile(tally.harm, runs, 0.5), quantile(tally.harm, runs, 0.9), (double)stopped / runs);
    return 0;
}
