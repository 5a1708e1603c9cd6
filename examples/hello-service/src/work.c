/* work.c: stands for the database that a real service would ask. */
#include "work.h"

#include <stdlib.h>
#include <time.h>

static __thread unsigned seed;

void work(void)
{
    struct timespec now, pause;
    if (!seed) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        seed = (unsigned)now.tv_nsec | 1;
    }
    long average = WORK_MS * 1000000L, third = average / 3;
    pause.tv_nsec = average;
    if (third > 0) pause.tv_nsec += (long)((double)rand_r(&seed) / RAND_MAX * (double)(2 * third)) - third;
    pause.tv_sec = pause.tv_nsec / 1000000000L;
    pause.tv_nsec %= 1000000000L;
    nanosleep(&pause, NULL);
}
