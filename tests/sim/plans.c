/* plans.c: random plans, as the text that tests/support/make_plan.h reads, so that a failing one can be printed and kept. */
#include "tests/sim/scenario.h"

static void add_needs(struct chance *chance, struct text *text, uint32_t stage)
{
    if (chance_percent(chance, 40)) return; /* follows the one above */
    text_add(text, " needs=");
    bool some = false;
    for (uint32_t i = 0; i < stage; i++)
        if (chance_percent(chance, 30)) {
            text_add_format(text, "%ss%u", some ? "," : "", i);
            some = true;
        }
    if (!some) text_add_char(text, '-');
}

static void add_scope(struct chance *chance, struct text *text)
{
    static const char *const scopes[] = {"a", "a/b", "c"};
    if (chance_percent(chance, 50)) text_add_format(text, " scope=%s", scopes[chance_below(chance, COUNT_OF(scopes))]);
}

static void add_groups(struct chance *chance, struct text *text)
{
    static const char *const groups[] = {"lab", "edge", "lab,edge", "core:supersede", "core:reject", "edge:supersede"};
    if (chance_percent(chance, 20)) text_add_format(text, " groups=%s", groups[chance_below(chance, COUNT_OF(groups))]);
}

static void add_condition(struct chance *chance, struct text *text)
{
    static const char *const conditions[] = {
        "always()", "failed()", "cancelled()", "false", "succeeded()", "!cancelled()", "failed()||cancelled()"};
    if (chance_percent(chance, 18)) text_add_format(text, " if=%s", conditions[chance_below(chance, COUNT_OF(conditions))]);
}

static void add_run_step(struct chance *chance, struct text *text, uint32_t step)
{
    text_add_format(text, "step t%u run", step);
    if (chance_percent(chance, 12))
        text_add(text, " effects");
    else if (chance_percent(chance, 25))
        text_add(text, " undo=order");
    else if (chance_percent(chance, 3))
        text_add(text, " pivot=order");
    if (chance_percent(chance, 20))
        text_add_format(text, " retry=%u:%u:failed,worker_lost%s", 1 + chance_below(chance, 3), chance_below(chance, 50),
            chance_percent(chance, 50) ? ",timeout" : "");
    if (chance_percent(chance, 10)) text_add(text, " allow-failure");
    if (chance_percent(chance, 10)) text_add(text, " outputs=o");
    if (chance_percent(chance, 15)) text_add(text, " unknown");
    add_condition(chance, text);
    text_add_char(text, '\n');
}

static void add_approval(struct chance *chance, struct text *text)
{
    text_add(text, "step approve approve by=p0,p1,p2 quorum=");
    text_add_format(text, "%u", 1 + chance_below(chance, 2));
    if (chance_percent(chance, 30)) text_add(text, " not-author");
    if (chance_percent(chance, 30)) text_add_format(text, " expires=%u", 10 + chance_below(chance, 500));
    text_add_char(text, '\n');
}

void random_plan(struct chance *chance, struct text *text)
{
    uint32_t stages = 1 + chance_below(chance, 7);
    bool with_groups = chance_percent(chance, 40);
    if (chance_percent(chance, 15)) text_add_format(text, "timeout %u\n", 20 + chance_below(chance, 400));
    if (chance_percent(chance, 15)) text_add(text, "rollback run\n");
    for (uint32_t i = 0; i < stages; i++) {
        text_add_format(text, "stage s%u", i);
        add_scope(chance, text);
        if (with_groups) add_groups(chance, text);
        if (i) add_needs(chance, text, i);
        if (chance_percent(chance, 10)) text_add_format(text, " timeout=%u", 10 + chance_below(chance, 300));
        if (chance_percent(chance, 10)) text_add(text, " allow-failure");
        add_condition(chance, text);
        text_add_char(text, '\n');
        if (chance_percent(chance, 12)) {
            add_approval(chance, text);
            continue;
        }
        uint32_t steps = 1 + chance_below(chance, chance_percent(chance, 10) ? 90 : 5);
        for (uint32_t j = 0; j < steps; j++)
            add_run_step(chance, text, j);
        if (chance_percent(chance, 15)) text_add(text, "step judge kpi retry=2:20:failed,worker_lost\n");
    }
}
