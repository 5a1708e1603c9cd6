/* scenarios.c: what is simulated, and the bar of each: 60 values a minute an arm, log-normal with sigma 0.6, nothing tolerated, unless the
 * row says otherwise. */
#include "tests/judge/judge.h"

#include "base/mem.h"

#define TIMES(ratio) .canary = (ratio), .baseline = 1, .values = 60, .against = 60
#define USUAL TIMES(1)
#define LATENCY_RULES .rules = {KPI_LATENCY, 1, 1.2, 0, true, 0.01, 0.05}
#define TOLERANT_RULES .rules = {KPI_LATENCY, 1.05, 1.2, 0, true, 0.01, 0.05}
#define ERRORS_RULES .rules = {KPI_ERRORS, 1, 2.5, 0.01, true, 0.01, 0.05}
#define TOLERANT_ERRORS .rules = {KPI_ERRORS, 1.25, 2.5, 0.01, true, 0.01, 0.05}
#define NEVER_HARM .bar_count = 1, .bars = {{HARM_AT_MOST, 0.01}}
#define FAILING(canary_rate, baseline_rate) \
    { \
        FAILURES, .canary = canary_rate, .baseline = baseline_rate, .values = 60, .against = 60 \
    }

const struct scenario scenarios[] = {
    {"no change, log-normal", {LOG_NORMAL, USUAL}, LATENCY_RULES, .has_control = true, .is_short = true, .bar_count = 2,
        .bars = {{HARM_AT_MOST, 0.01}, {CONTROL_ABOVE, 0.04}}},
    {"no change, Pareto", {PARETO, USUAL}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, bimodal", {BIMODAL, USUAL}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, zero-inflated", {ZERO_INFLATED, USUAL}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, ties", {COARSE, USUAL}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, counts", {COUNTS, USUAL}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, drift of both arms", {LOG_NORMAL, USUAL, .drift = 0.3}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, arms 1:20", {LOG_NORMAL, .canary = 1, .baseline = 1, .values = 6, .against = 120}, LATENCY_RULES, .has_control = true,
        NEVER_HARM},
    {"no change, missing ticks", {LOG_NORMAL, USUAL, .missing_percent = 20}, LATENCY_RULES, .has_control = true, NEVER_HARM},
    {"no change, errors 1 %", FAILING(0.01, 0.01), ERRORS_RULES, .is_short = true, NEVER_HARM},
    {"no change, errors 10 %", FAILING(0.1, 0.1), ERRORS_RULES, NEVER_HARM},
    {"T = 5 %: true +5 %", {LOG_NORMAL, TIMES(1.05)}, TOLERANT_RULES, NEVER_HARM},
    {"+25 % latency", {LOG_NORMAL, TIMES(1.25)}, LATENCY_RULES, .is_short = true, .bar_count = 2,
        .bars = {{HARM_MEDIAN, 5}, {HARM_P90, 8}}},
    {"+50 % latency", {LOG_NORMAL, TIMES(1.5)}, LATENCY_RULES, .is_short = true, .bar_count = 1, .bars = {{HARM_MEDIAN, 2}}},
    {"+10 % latency, drift of both arms", {LOG_NORMAL, TIMES(1.1), .drift = 0.3}, LATENCY_RULES, .bar_count = 2,
        .bars = {{HARM_AT_LEAST, 0.99}, {HARM_MEDIAN, 18}}},
    {"errors 1 % to 5 %", FAILING(0.05, 0.01), ERRORS_RULES, .is_short = true, .bar_count = 1, .bars = {{HARM_MEDIAN, 6}}},
    {"T = 5 %, D = 20 %: no change", {LOG_NORMAL, USUAL}, TOLERANT_RULES, .clears = true, .is_short = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_LEAST, 0.99}}},
    {"T = 5 %, D = 20 %: true +30 %", {LOG_NORMAL, TIMES(1.3)}, TOLERANT_RULES, .clears = true, .is_short = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_MOST, 0.05}}},
    {"T = 5 %, D = 20 %: true +20 %", {LOG_NORMAL, TIMES(1.2)}, TOLERANT_RULES, .clears = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_MOST, 0.05}}},
    {"T = 5 %, D = 20 %: true +10 %", {LOG_NORMAL, TIMES(1.1)}, TOLERANT_RULES, .clears = true},
    {"odds 1.25 and 2.5: no error at all", FAILING(0, 0), TOLERANT_ERRORS, .clears = true, .is_short = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_LEAST, 0.99}}},
    {"odds 1.25 and 2.5: errors 5 %, no change", FAILING(0.05, 0.05), TOLERANT_ERRORS, .clears = true},
    {"odds 1.25 and 2.5: errors 2 % to 5 %", FAILING(0.05, 0.02), TOLERANT_ERRORS, .clears = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_MOST, 0.05}}},
    {"odds 1.25 and 2.5: errors 0.4 % to 1 %", FAILING(0.01, 0.00396), TOLERANT_ERRORS, .clears = true, .bar_count = 1,
        .bars = {{PROMOTED_AT_MOST, 0.05}}},
    {"control: no change, lag-1 correlation 0.9", {LOG_NORMAL, USUAL, .correlation = 0.9, .drift = 0.3}, LATENCY_RULES, .bar_count = 1,
        .bars = {{HARM_ABOVE, 0.3}}},
};
const unsigned scenario_count = COUNT_OF(scenarios);
