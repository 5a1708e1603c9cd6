/* instant.c: RFC 3339 without the C library's calendar, which knows no fractions and too many zones. */
#include "orchestrator/telemetry/instant.h"

#include "base/text.h"

#include <string.h>

static const int64_t second_us = 1000000, last_us = 253402300799999999; /* of the year 9999: nothing overflows on the way */

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

/* Exactly `digits` digits, and the character behind them ('\0': any). */
static bool take_number(const char **text, int digits, char behind, int64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9') return false;
        *ret = *ret * 10 + (**text - '0');
    }
    if (!behind) return true;
    return *(*text)++ == behind;
}

static bool take_date(const char **text, int64_t *ret_days)
{
    int64_t year, month, day;
    if (!take_number(text, 4, '-', &year) || !take_number(text, 2, '-', &month) || !take_number(text, 2, '\0', &day)) return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return false;
    *ret_days = days_of(year, month, day);
    return strchr("Tt ", **text) && *(*text)++;
}

static bool take_time(const char **text, int64_t *ret_us)
{
    int64_t hour, minute, second;
    if (!take_number(text, 2, ':', &hour) || !take_number(text, 2, ':', &minute) || !take_number(text, 2, '\0', &second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *ret_us = (hour * 3600 + minute * 60 + second) * second_us;
    if (**text != '.') return true;
    (*text)++;
    if (**text < '0' || **text > '9') return false;
    for (int64_t unit = second_us / 10; **text >= '0' && **text <= '9'; unit /= 10)
        *ret_us += unit * (*(*text)++ - '0');
    return true;
}

static bool take_zone(const char **text, int64_t *ret_us)
{
    char sign = *(*text)++;
    int64_t hour, minute;
    *ret_us = 0;
    if (sign == 'Z' || sign == 'z') return true;
    if (sign != '+' && sign != '-' && sign != ' ') return false;
    if (!take_number(text, 2, ':', &hour) || !take_number(text, 2, '\0', &minute) || hour > 23 || minute > 59) return false;
    *ret_us = (sign == '-' ? -1 : 1) * (hour * 3600 + minute * 60) * second_us;
    return true;
}

bool instant_parse(const char *text, int64_t *ret_us)
{
    int64_t days, time_us, zone_us;
    if (text_to_integer(text, ret_us)) return *ret_us >= 0 && *ret_us <= last_us;
    if (!take_date(&text, &days) || !take_time(&text, &time_us) || !*text || !take_zone(&text, &zone_us) || *text) return false;
    *ret_us = days * 86400 * second_us + time_us - zone_us;
    return true;
}
