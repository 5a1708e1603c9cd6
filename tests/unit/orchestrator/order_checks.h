/* order_checks.h: a world for each test, and what an order becomes in it: taken, or refused with words. */
#ifndef CRESCENDO_TESTS_ORDER_CHECKS_H
#define CRESCENDO_TESTS_ORDER_CHECKS_H

#include "order_world.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static inline int begin(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    *world = world_new();
    *state = world;
    return 0;
}

static inline int end(void **state)
{
    world_release(*state);
    free(*state);
    return 0;
}

static inline void assert_refused(const struct world *world, const char *order, enum error_code code, const char *part)
{
    struct error err = {0};
    json_t *checked = NULL;
    assert_int_equal(world_check(world, order, &checked, &err), -(int)code);
    assert_null(checked);
    if (!strstr(err.message, part)) fail_msg("\"%s\" is not in: %s", part, err.message);
}

static inline json_t *accepted(const struct world *world, const char *order)
{
    struct error err = {0};
    json_t *checked = NULL;
    if (world_check(world, order, &checked, &err)) fail_msg("%s; %s", err.message, err.hint);
    return checked;
}

static inline const json_t *item_of(const json_t *checked, size_t index)
{
    return json_array_get(json_object_get(checked, "items"), index);
}

#endif
