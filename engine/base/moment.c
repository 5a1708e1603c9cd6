/* moment.c: RFC 3339 without the C library's reading, which knows no fractions and too many zones. */
#include "base/moment.h"

#include <stdio.h>
#include <time.h>

static const int64_t second_us = 1000000;

char *moment_format(int64_t ms, char buffer[MOMENT_TEXT_SIZE])
{
    int64_t rest = (ms % 1000 + 1000) % 1000; /* before 1970 too */
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(buffer, MOMENT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(buffer + used, MOMENT_TEXT_SIZE - used, ".%03dZ", (int)rest);
    return buffer;
}

/* Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 ? 28 + leap : 30 + (month == 4 || month == 6 || month == 9 || month == 11 ? 0 : 1);
}

static bool take_char(const char **text, char wanted)
{
    if (**text != wanted) return false;
    (*text)++;
    return true;
}

/* Exactly so many digits. */
static bool take_digits(const char **text, int count, int64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9') return false;
        *ret = *ret * 10 + (**text - '0');
    }
    return true;
}

static bool take_date(const char **text, int64_t *ret_days)
{
    int64_t year, month, day;
    if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) || !take_char(text, '-')) return false;
    if (!take_digits(text, 2, &day) || year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return false;
    *ret_days = days_of(year, month, day);
    return take_char(text, 'T') || take_char(text, 't');
}

/* ".25" as microseconds. */
static bool take_fraction(const char **text, int64_t *ret_us)
{
    int64_t unit = second_us / 10;
    int digits = 0;
    *ret_us = 0;
    if (!take_char(text, '.')) return true;
    for (; **text >= '0' && **text <= '9'; (*text)++, digits++, unit /= 10)
        *ret_us += unit * (**text - '0');
    return digits >= 1 && digits <= 9;
}

static bool take_time(const char **text, int64_t *ret_us)
{
    int64_t hour, minute, second, fraction;
    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute) || !take_char(text, ':')) return false;
    if (!take_digits(text, 2, &second) || hour > 23 || minute > 59 || second > 60 || !take_fraction(text, &fraction)) return false;
    *ret_us = (hour * 3600 + minute * 60 + second) * second_us + fraction;
    return true;
}

static bool take_offset(const char **text, int64_t *ret_us)
{
    int64_t hour, minute, sign = **text == '-' ? -1 : 1;
    *ret_us = 0;
    if (take_char(text, 'Z') || take_char(text, 'z')) return true;
    if ((!take_char(text, '+') && !take_char(text, '-')) || !take_digits(text, 2, &hour)) return false;
    (void)take_char(text, ':'); /* ISO 8601 knows it without */
    if (!take_digits(text, 2, &minute) || hour > 23 || minute > 59) return false;
    *ret_us = sign * (hour * 3600 + minute * 60) * second_us;
    return true;
}

bool moment_read(const char *text, int64_t *ret_us)
{
    int64_t days, time_us, offset_us;
    if (!text || !take_date(&text, &days) || !take_time(&text, &time_us) || !take_offset(&text, &offset_us) || *text) return false;
    *ret_us = days * 86400 * second_us + time_us - offset_us;
    return true;
}
