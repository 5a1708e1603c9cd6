/* words.h: what people read of a canary: a line a tick with small charts, and the verdict in a sentence. Everything in them follows from
   the numbers. Pure. */
#ifndef CRESCENDO_STEPS_KPI_WORDS_H
#define CRESCENDO_STEPS_KPI_WORDS_H

#include "steps/kpi/canary.h"

enum { LINE_COLUMNS = 110 };

/* "tick 4    5 %  canary 13, baseline 190    harm   ▂█ latency 1119 of 200  clear latency  0.2, errors  1.1 of 20", at most LINE_COLUMNS
   wide, without a newline: E itself with its bar, of the KPI that is nearest to harm and of each that must be cleared. Where requests
   failed, that is counted, and the small chart gives way. New. */
char *tick_words(const struct canary *canary, const struct canary_reading *reading, const struct canary_tick *tick);

/* A tick that counts is told; of those that do not, the first for each reason and every tenth. before: why the tick before did not count.
 */
bool tick_is_told(const struct canary *canary, enum ramp_because before);

/* "1.1.0 is 48 % slower at equal load (45 to 52 %); the chance that this is luck is below 1 in 200". New. */
char *verdict_words(const struct canary *canary, const struct ramp_decision *decision);

#endif
