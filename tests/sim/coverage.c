/* coverage.c: the table of how often each fault met an effect in each state, so that a proof can say what it tried. */
#include "tests/sim/scenario.h"

#include <stdio.h>

static void print_reasons(void)
{
    const char *told[16];
    size_t count = 0;
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        for (int status = 0; status < EFFECT_STATUS_COUNT; status++) {
            const char *why = fault_cannot_meet((enum fault)fault, (enum effect_status)status);
            bool is_new = why && count < COUNT_OF(told);
            for (size_t i = 0; i < count && is_new; i++)
                is_new = told[i] != why;
            if (!is_new) continue;
            told[count++] = why;
            printf("sim: cannot be (-): %s %s: %s\n", fault_name((enum fault)fault), effect_status_name((enum effect_status)status), why);
        }
}

bool coverage_print(const struct coverage *coverage, uint64_t least)
{
    bool is_enough = true;
    printf("sim: %-16s", "fault met");
    for (int status = 0; status < EFFECT_STATUS_COUNT; status++)
        printf(" %12s", effect_status_name((enum effect_status)status));
    printf("\n");
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        printf("sim: %-16s", fault_name((enum fault)fault));
        for (int status = 0; status < EFFECT_STATUS_COUNT; status++) {
            uint64_t met = coverage->met[fault][status];
            bool may_be_empty = fault_cannot_meet((enum fault)fault, (enum effect_status)status) != NULL;
            if (met < least && !may_be_empty) is_enough = false;
            printf(" %11llu%c", (unsigned long long)met, may_be_empty ? '-' : met < least ? '!' : ' ');
        }
        printf("\n");
    }
    print_reasons();
    return is_enough;
}
