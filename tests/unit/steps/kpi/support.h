/* support.h: what the judge's tests share: cmocka, and seeded values. */
#ifndef CRESCENDO_TESTS_KPI_SUPPORT_H
#define CRESCENDO_TESTS_KPI_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define UNUSED __attribute__((unused))

/* Some value of (0, 1), the next of the seed's sequence. */
UNUSED static double next_fraction(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
    return ((double)(*seed >> 11) + 0.5) * 0x1p-53;
}

UNUSED static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

UNUSED static void assert_near(double got, double expected, double within)
{
    if (!(fabs(got - expected) <= within)) fail_msg("%.17g is not within %g of %.17g", got, within, expected);
}

#endif
