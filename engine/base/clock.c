/* clock.c: what time it is. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

char *clock_format(int64_t ms, char buffer[CLOCK_TEXT_SIZE])
{
    int64_t rest = (ms % 1000 + 1000) % 1000; /* before 1970 too */
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(buffer, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(buffer + used, CLOCK_TEXT_SIZE - used, ".%03dZ", (int)rest);
    return buffer;
}
