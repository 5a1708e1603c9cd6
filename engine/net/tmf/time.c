/* time.c: the times of TM Forum's APIs: RFC 3339 with no fraction, or one of up to nine digits. */
#include "net/tmf/dialect.h"

#include <stddef.h>
#include <stdint.h>

/* Exactly `digits` decimal digits; moves on. */
static bool read_digits(const char **at, int digits, int *ret)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return true;
}

static bool read_char(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}

/* Days since 1970 in the Gregorian calendar; https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A fraction of up to nine digits as whole milliseconds. */
static bool read_fraction(const char **at, int *ret_ms)
{
    int digits = 0, ms = 0;
    *ret_ms = 0;
    if (!read_char(at, '.')) return true;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
        if (digits < 3) ms = ms * 10 + (**at - '0');
    for (int i = digits; i < 3; i++)
        ms *= 10;
    *ret_ms = ms;
    return digits >= 1 && digits <= 9;
}

static bool read_offset(const char **at, int *ret_minutes)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;
    *ret_minutes = 0;
    if (read_char(at, 'Z')) return true;
    if (!read_char(at, '+') && !read_char(at, '-')) return false;
    if (!read_digits(at, 2, &hours)) return false;
    (void)read_char(at, ':'); /* ISO 8601 knows it without */
    if (!read_digits(at, 2, &minutes) || hours > 23 || minutes > 59) return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

static bool read_date(const char **at, int64_t *ret_days)
{
    int year, month, day;
    if (!read_digits(at, 4, &year) || !read_char(at, '-') || !read_digits(at, 2, &month) || !read_char(at, '-')) return false;
    if (!read_digits(at, 2, &day) || year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    *ret_days = days_since_1970(year, month, day);
    return true;
}

bool tmf_time_read(const char *text, int64_t *ret_ms)
{
    int64_t days;
    int hour, minute, second, fraction, offset;
    if (!text || !read_date(&text, &days) || !read_char(&text, 'T')) return false;
    if (!read_digits(&text, 2, &hour) || !read_char(&text, ':') || !read_digits(&text, 2, &minute)) return false;
    if (!read_char(&text, ':') || !read_digits(&text, 2, &second) || hour > 23 || minute > 59 || second > 60) return false;
    if (!read_fraction(&text, &fraction) || !read_offset(&text, &offset) || *text) return false;
    *ret_ms = ((days * 24 + hour) * 60 + minute - offset) * 60000 + second * 1000LL + fraction;
    return true;
}
