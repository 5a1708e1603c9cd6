/* control.c: what everybody else does: a test that is right once, repeated at each tick. */
#include "tests/judge/judge.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double Z = 2.3263478740408408; /* 1 % of a normal distribution lie above */

void control_init(struct control *control)
{
    *control = (struct control){.counts = {0, 0}};
    for (int arm = 0; arm < 2; arm++)
        control->values[arm] = mem_alloc_array((size_t)TICKS * ARM_MOST, sizeof(double));
    control->room = mem_alloc_array((size_t)TICKS * ARM_MOST, sizeof(double));
}

void control_begin(struct control *control)
{
    control->counts[0] = control->counts[1] = 0;
}

void control_release(struct control *control)
{
    free(control->values[0]);
    free(control->values[1]);
    free(control->room);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Merges a tick's values into what is sorted already. */
static void merge(struct control *control, int arm, const double *more, size_t count)
{
    double added[ARM_MOST], *old = control->values[arm];
    size_t before = control->counts[arm], i = 0, j = 0;
    if (!count) return;
    memcpy(added, more, count * sizeof *more);
    qsort(added, count, sizeof *added, compare);
    for (size_t k = 0; k < before + count; k++)
        control->room[k] = j == count || (i < before && old[i] <= added[j]) ? old[i++] : added[j++];
    control->values[arm] = control->room;
    control->room = old;
    control->counts[arm] = before + count;
}

/* U with a tie as a half, and the sum over groups of equal values of t^3 - t. */
static void compare_arms(const struct control *control, double *ret_u, double *ret_ties)
{
    const double *x = control->values[0], *y = control->values[1];
    size_t m = control->counts[0], n = control->counts[1], i = 0, j = 0;
    *ret_u = *ret_ties = 0;
    while (i < m || j < n) {
        double value = j == n || (i < m && x[i] < y[j]) ? x[i] : y[j], a = 0, b = 0, below = (double)j;
        for (; i < m && x[i] <= value; i++)
            a++;
        for (; j < n && y[j] <= value; j++)
            b++;
        *ret_u += a * (below + b / 2);
        *ret_ties += (a + b) * (a + b) * (a + b) - (a + b);
    }
}

bool control_rejects(struct control *control, const struct kpi_sample *sample)
{
    double u, ties;
    merge(control, 0, sample->canary, sample->canary_count);
    merge(control, 1, sample->baseline, sample->baseline_count);
    double m = (double)control->counts[0], n = (double)control->counts[1], all = m + n;
    if (m < 2 || n < 2) return false;
    compare_arms(control, &u, &ties);
    double variance = m * n / 12 * (all + 1 - ties / (all * (all - 1)));
    return variance > 0 && (u - m * n / 2) / sqrt(variance) > Z;
}
