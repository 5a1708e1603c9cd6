/* when.c: times in words. */
#include "cli/when.h"

#include "base/mem.h"
#include "cli/board.h"

#include <time.h>

#define DAY_MS (24LL * 3600 * 1000)
#define MONTH_MS (30 * DAY_MS)

void when_add(struct text *out, int64_t ms, int64_t now_ms)
{
    int64_t age_ms = now_ms - ms;
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (!ms) return;
    if (age_ms >= 0 && age_ms < 1000)
        text_add(out, "now");
    else if (age_ms >= 0 && age_ms < 60 * 1000)
        text_add_format(out, "%d s ago", (int)(age_ms / 1000));
    else if (age_ms >= 0 && age_ms < 3600 * 1000)
        text_add_format(out, "%d m ago", (int)(age_ms / 60000));
    else if (age_ms >= 0 && age_ms < DAY_MS)
        text_add_format(out, "%d h ago", (int)(age_ms / 3600000));
    else if (age_ms >= 0 && age_ms < MONTH_MS)
        text_add_format(out, "%d d ago", (int)(age_ms / DAY_MS));
    else if (localtime_r(&seconds, &local))
        text_add_format(out, "%04d-%02d-%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

void when_add_took(struct text *out, int64_t begin_ms, int64_t end_ms, int64_t now_ms)
{
    if (!begin_ms) return;
    if (end_ms >= begin_ms && end_ms)
        text_add_duration(out, end_ms - begin_ms);
    else if (!end_ms)
        board_add_elapsed(out, now_ms - begin_ms);
}

void when_add_latency(struct text *out, int64_t us)
{
    enum { MS_FROM_US = 10 * 1000, S_FROM_US = 10 * 1000 * 1000 };
    if (us < MS_FROM_US)
        text_add_format(out, "%lld us", (long long)us);
    else if (us < S_FROM_US)
        text_add_format(out, "%.1f ms", (double)us / 1000);
    else
        text_add_duration(out, us / 1000);
}

void table_add_when(struct table *table, int64_t ms, int64_t now_ms)
{
    AUTO(text_release) struct text text = {0};
    when_add(&text, ms, now_ms);
    table_add(table, STYLE_PLAIN, text_view(&text));
}

void table_add_took(struct table *table, int64_t begin_ms, int64_t end_ms, int64_t now_ms)
{
    AUTO(text_release) struct text text = {0};
    when_add_took(&text, begin_ms, end_ms, now_ms);
    table_add(table, STYLE_PLAIN, text_view(&text));
}
