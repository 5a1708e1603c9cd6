/* log.h: the server's own log: one line an event on standard error, with a level that systemd understands. */
#ifndef CRESCENDO_BASE_LOG_H
#define CRESCENDO_BASE_LOG_H

#include "crescendo/error.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 }; /* the numbers of syslog */

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line for an error with its hint; the top of a program prints an error once, here or for a person. */
void log_error(const struct error *err, const char *context);

#endif
