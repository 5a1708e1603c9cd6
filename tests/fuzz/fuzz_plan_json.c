/* fuzz_plan_json.c: any JSON as a plan: refused with a message, or read, written and printed as the same plan. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(free_json) json_t *json = NULL, *again = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(text_release) struct text text = {0};
    struct error err = {0};
    if (json_parse((const char *)bytes, size, "input", &json, &err)) return 0;
    if (plan_from_json(json, &plan, &err)) {
        if (!err.message[0]) abort();
        return 0;
    }
    again = plan_to_json(plan);
    if (!json_equal(json, again)) abort();
    plan_print_text(plan, (struct plan_look){true, true}, &text);
    plan_print_dot(plan, &text);
    for (uint32_t i = 0; i < plan->step_count; i++)
        if (plan_find_step(plan, plan->steps[i].path) != &plan->steps[i]) abort();
    return 0;
}
