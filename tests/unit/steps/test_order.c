/* test_order.c: `order` against a peer that refuses, fails, breaks off and lies: one order each time, and the truth in the error. */
#include "core.h"

#define ADD "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o1\", \"replicas\": 2}"
#define ADD_NEXT "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o2\"}"

static void adds_a_modular_service(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "k1"), &peer, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "service")), "1.2");
    assert_string_equal(json_string_value(peer_output(&peer, "order")), "1");
    assert_string_equal(json_string_value(peer_output(&peer, "version")), "1.0.0");
    assert_string_equal(json_string_value(peer_output(&peer, "address")), "http://127.0.0.1:18080");
    assert_true(json_is_null(peer_output(&peer, "previous")));
    assert_service(core, "1.2", "active 100 2");
    AUTO(free_json) json_t *has = core_state(core);
    const json_t *order = json_object_get(json_object_get(has, "serviceOrder"), "1");
    const json_t *asked = json_object_get(order, "asked"), *items = json_object_get(asked, "serviceOrderItem");
    assert_string_equal(json_text(asked, "externalId", ""), "k1");
    const json_t *parties = json_object_get(asked, "relatedParty");
    assert_string_equal(json_text(json_array_get(parties, 0), "role", ""), "requester");
    assert_string_equal(json_text(json_array_get(parties, 0), "id", ""), "crescendo");
    assert_string_equal(json_text(json_array_get(parties, 1), "id", ""), "ada");
    assert_int_equal(json_array_size(items), 3);
    const json_t *compute = json_array_get(items, 1), *needs = json_object_get(compute, "serviceOrderItemRelationship");
    assert_int_equal(json_array_size(needs), 2);
    assert_string_equal(json_text(json_object_get(json_array_get(needs, 1), "orderItem"), "itemId", ""), "3");
    const json_t *place = json_array_get(json_object_get(json_object_get(compute, "service"), "place"), 0);
    assert_string_equal(json_text(place, "name", ""), "lab");
    peer_release(&peer);
}

static void a_second_version_stands_beside(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    assert_int_equal(run_step(core, &order_step_type, ADD_NEXT, NULL, ONE_EFFECT("order", "k2"), &peer, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "service")), "2.1");
    assert_string_equal(json_string_value(peer_output(&peer, "previous")), "1.2");
    assert_service(core, "2.1", "active 0 1");
    assert_service(core, "1.2", "active 100 2");
    peer_release(&peer);
}

/* The pipeline of a release that ended behind this domain is run again. */
static void a_version_that_is_in_service_is_not_ordered_again(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, KEPT, &peer, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "service")), "1.2");
    assert_string_equal(json_string_value(peer_output(&peer, "address")), "http://127.0.0.1:18080");
    assert_true(json_is_null(peer_output(&peer, "previous")));
    assert_int_equal(core_count(core, "serviceOrder"), 1);
    peer_release(&peer);
}

static void one_that_is_left_over_is_named(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
    assert_int_equal(run_step(core, &order_step_type, ADD_NEXT, NULL, KEPT, &peer, &err), -ERROR_CONFLICT);
    assert_string_equal(err.message, "hello 2.0.0 is on lab already and gets 0 % of the requests: service 2.1");
    assert_string_equal(err.hint, "it is left over: end it, and run this again: crescendo order delete 2.1");
    assert_int_equal(core_count(core, "serviceOrder"), 2);
    peer_release(&peer);
}

/* Where every version is judged, no step takes from the one in service what another would get. */
static void what_is_in_service_stays_where_versions_are_judged(void **state)
{
    NEEDS_CORE(state);
    static const char *const takes[] = {"{\"domain\": \"lab\", \"action\": \"delete\", \"service\": \"1.2\"}",
        "{\"domain\": \"lab\", \"action\": \"modify\", \"service\": \"1.2\", \"share\": 0}"};
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
    for (size_t i = 0; i < COUNT_OF(takes); i++) {
        struct error err = {0};
        json_t *input = input_for(core, takes[i], NULL);
        json_put_text(json_object_get(json_object_get(json_object_get(input, "facts"), "domain"), "policy"), "promotion", "judged");
        struct peer peer = peer_begin(&order_step_type, input, KEPT);
        assert_int_equal(order_perform(peer.step, &err), -ERROR_DENIED);
        peer_end(&peer);
        assert_non_null(strstr(err.message, "service 1.2 is in service, and service 2.1 would get its requests unjudged"));
        peer_release(&peer);
    }
    assert_int_equal(core_count(core, "serviceOrder"), 2);
    must_run(core, &order_step_type, "{\"domain\": \"lab\", \"action\": \"delete\", \"service\": \"2.1\"}", ONE_EFFECT("order", "k3"));
}

struct fault_case {
    const char *name;
    const char *fault, *fate; /* what is wrong with the POST; what becomes of orders */
    const char *lines, *said;
    int result;
    size_t orders, active; /* at the peer, in the end */
    const char *words;     /* in the error */
};

static const struct fault_case fault_cases[] = {
    {"refused", "refuse", NULL, ONE_EFFECT("order", "k1"), "failed", -ERROR_INVALID, 0, 0, "bad order: the item wants a flavour"},
    {"error after the work", "error-after", NULL, ONE_EFFECT("order", "k1"), "done", 0, 1, 3, NULL},
    {"broken off after the work", "close-after", NULL, ONE_EFFECT("order", "k1"), "done", 0, 1, 3, NULL},
    {"broken off before the work", "close-before", NULL, KEPT GO("order", "k1") GO("order", "k1") KEPT_OF("order"), "done", 0, 1, 3, NULL},
    {"crashed, nothing was sent", NULL, NULL, KEPT FIND("order", "k1") GO("order", "k1") KEPT_OF("order"), "done", 0, 1, 3, NULL},
    {"the order fails", NULL, "fail", ONE_EFFECT("order", "k1"), "done", -ERROR_CONFLICT, 1, 0,
        "order 1 failed: the service did not become"},
    {"the order never ends", NULL, "stick", ONE_EFFECT("order", "k1"), "done", -ERROR_TIMEOUT, 1, 0, "order 1 is still inProgress after"},
    {"completed, but the service is gone", NULL, "terminated", ONE_EFFECT("order", "k1"), "done", -ERROR_CONFLICT, 1, 0,
        "its service 1.1 is terminated"},
    {"taken without items", NULL, "no-items", ONE_EFFECT("order", "k1"), "failed", -ERROR_UNSUPPORTED, 1, 0, "without its items"},
};

/* The services that are active at the peer. */
static size_t count_active(const struct core *core)
{
    AUTO(free_json) json_t *has = core_state(core);
    size_t count = 0;
    const char *id;
    json_t *service;
    json_object_foreach(json_object_get(has, "service"), id, service) count += text_equal(json_text(service, "state", ""), "active");
    return count;
}

static char *seen_in(const struct peer *peer)
{
    struct text seen = {0};
    for (size_t i = 0; heard(peer, "outcome", i); i++)
        text_add_format(&seen, "%s%s", i ? " " : "", json_text(heard(peer, "outcome", i), "seen", ""));
    return text_take(&seen);
}

static void check_fault(const struct core *core, const struct fault_case *one)
{
    struct peer peer;
    struct error err = {0};
    if (one->fault) set_fault(core, "POST", "/serviceOrder", one->fault);
    if (one->fate) put_file(core->folder, "orders", one->fate, 0644);
    int result = run_step(core, &order_step_type, ADD, NULL, one->lines, &peer, &err);
    AUTO(free_text) char *seen = seen_in(&peer);
    size_t orders = core_count(core, "serviceOrder"), active = count_active(core);
    if (result != one->result || orders != one->orders || active != one->active || strcmp(seen, one->said) != 0 ||
        (one->words && !strstr(err.message, one->words)))
        fail_msg("%s: result %d (%s), %zu orders, %zu active, said \"%s\"", one->name, result, err.message, orders, active, seen);
    peer_release(&peer);
}

static void each_fault_orders_once(void **state)
{
    NEEDS_CORE(state);
    for (size_t i = 0; i < COUNT_OF(fault_cases); i++) {
        void *again = NULL;
        assert_int_equal(start_core(&again), 0);
        check_fault(again, &fault_cases[i]);
        assert_int_equal(stop_core(&again), 0);
    }
    (void)core;
}

/* A process that died between sending and hearing: the next one finds the order by its key. */
static void a_crash_finds_the_order(void **state)
{
    NEEDS_CORE(state);
    struct peer first, second;
    run_step(core, &order_step_type, ADD, NULL, KEPT GO("order", "k1"), &first, NULL); /* nobody kept the outcome */
    json_t *checkpoint = json_incref(json_object_get(heard(&first, "checkpoint", 0), "checkpoint"));
    assert_int_equal(run_step(core, &order_step_type, ADD, checkpoint, FIND("order", "k1") KEPT_OF("order"), &second, NULL), 0);
    assert_int_equal(core_count(core, "serviceOrder"), 1);
    assert_string_equal(json_text(heard(&second, "outcome", 0), "seen", ""), "done");
    assert_string_equal(json_string_value(peer_output(&second, "service")), "1.2");
    assert_true(json_equal(json_object_get(heard(&first, "intend", 0), "body"), json_object_get(heard(&second, "intend", 0), "body")));
    peer_release(&first);
    peer_release(&second);
}

/* --- orders too many ------------------------------------------------------------------------------------------------------------------
 */

#define FIND_AND_END FIND("order", "k1") GO("end extra 2", "x2") KEPT_OF("end extra 2") KEPT_OF("order")

/* The order is sent, and there twice; the process dies. The next one finds both. */
static int find_two(const struct core *core, const char *fate, const char *fault, struct peer *ret_peer)
{
    struct peer first;
    struct error err = {0};
    put_file(core->folder, "orders", fate, 0644);
    run_step(core, &order_step_type, ADD, NULL, KEPT GO("order", "k1"), &first, NULL);
    put_file(core->folder, "orders", "complete", 0644);
    if (fault) set_fault(core, "POST", "/cancelServiceOrder", fault);
    json_t *checkpoint = json_incref(json_object_get(heard(&first, "checkpoint", 0), "checkpoint"));
    int result = run_step(core, &order_step_type, ADD, checkpoint, FIND_AND_END, ret_peer, &err);
    if (result) print_message("%s\n", err.message);
    peer_release(&first);
    return result;
}

static const char *order_state(const json_t *has, const char *id)
{
    return json_text(json_object_get(json_object_get(has, "serviceOrder"), id), "state", "none");
}

static void one_too_many_is_cancelled(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    assert_int_equal(find_two(core, "double", NULL, &peer), 0);
    AUTO(free_json) json_t *has = core_state(core);
    assert_string_equal(order_state(has, "1"), "completed");
    assert_string_equal(order_state(has, "2"), "cancelled");
    assert_int_equal(count_active(core), 3);
    assert_string_equal(
        json_text(heard(&peer, "outcome", 0), "name", ""), "end extra 2"); /* before the effect itself: it is not forgotten */
    assert_string_equal(json_text(json_object_get(heard(&peer, "outcome", 1), "outcome"), "order", ""), "1");
    assert_string_equal(json_text(heard(&peer, "annotate", 0), "level", ""), "warning");
    assert_string_equal(json_text(heard(&peer, "annotate", 0), "message", ""), "lab had order 2, too, for what order 1 did: it was ended");
    peer_release(&peer);
}

static void one_too_many_that_is_done_is_ended_by_an_order(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    assert_int_equal(find_two(core, "double-done", NULL, &peer), 0);
    assert_string_equal(json_text(json_object_get(heard(&peer, "outcome", 0), "outcome"), "order", ""), "3");
    assert_int_equal(count_active(core), 3);
    assert_service(core, "1.2", "active 100 2");
    AUTO(free_text) char *extra = core_service(core, "2.2");
    assert_true(text_starts(extra, "terminated"));
    AUTO(free_json) json_t *has = core_state(core);
    const json_t *end = json_object_get(json_object_get(json_object_get(has, "serviceOrder"), "3"), "asked");
    assert_string_equal(json_text(end, "externalId", ""), "x2");
    assert_true(text_starts(json_text(end, "description", ""), "undo release/step"));
    peer_release(&peer);
}

static void one_that_the_peer_keeps_is_told(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    assert_int_equal(find_two(core, "double", "refuse", &peer), 0);
    assert_string_equal(json_text(heard(&peer, "outcome", 0), "seen", ""), "failed");
    assert_string_equal(json_text(heard(&peer, "annotate", 0), "level", ""), "error");
    assert_non_null(strstr(json_text(heard(&peer, "annotate", 0), "message", ""), "end it there by hand"));
    assert_string_equal(json_string_value(peer_output(&peer, "order")), "1");
    peer_release(&peer);
}

/* --- what a person says ----------------------------------------------------------------------------------------------------------------
 */

#define ADOPT(id) "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"adopt\":\"" id "\"}\n"

static void the_order_that_a_person_names_is_adopted(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    put_file(core->folder, "orders", "complete", 0644);
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "by hand"), &peer, NULL), 0); /* no key of ours */
    AUTO(free_json) json_t *kept = json_deep_copy(json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"));
    peer_release(&peer);
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
    assert_int_equal(run_step(core, &order_step_type, ADD, json_incref(kept), ADOPT("9") KEPT_OF("order"), &peer, &err), -ERROR_NOT_FOUND);
    peer_release(&peer);
    assert_int_equal(run_step(core, &order_step_type, ADD, json_incref(kept), ADOPT("2") KEPT_OF("order"), &peer, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "was placed for something else"));
    peer_release(&peer);
    assert_int_equal(run_step(core, &order_step_type, ADD, json_incref(kept), ADOPT("1") KEPT_OF("order"), &peer, &err), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "service")), "1.2");
    assert_int_equal(core_count(core, "serviceOrder"), 2);
    peer_release(&peer);
}

static void the_core_is_away_for_a_while(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    core_end(core);
    pid_t later = fork();
    if (later == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
        execlp("python3", "python3", "-S", "tests/unit/steps/fake_core.py", core->folder, (char *)NULL);
        _exit(99);
    }
    core->pid = later;
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "k1"), &peer, NULL), 0);
    assert_int_equal(core_count(core, "serviceOrder"), 1);
    peer_release(&peer);
}

static void changes_and_goes_back(void **state)
{
    NEEDS_CORE(state);
    static const char modify[] = "{\"domain\": \"lab\", \"action\": \"modify\", \"service\": \"1.2\", \"replicas\": 5}";
    struct peer peer, back;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    assert_int_equal(run_step(core, &order_step_type, modify, NULL, ONE_EFFECT("order", "k2"), &peer, NULL), 0);
    assert_service(core, "1.2", "active 100 5");
    assert_int_equal(undo(core, &order_step_type, modify, &peer, 0, GO("undo order", "u2") KEPT_OF("undo order"), &back, NULL), 0);
    assert_service(core, "1.2", "active 100 2");
    assert_true(undo_is_said(&back));
    peer_release(&peer);
    peer_release(&back);
}

static void ends_what_it_added(void **state)
{
    NEEDS_CORE(state);
    struct peer peer, back;
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "k1"), &peer, NULL), 0);
    assert_int_equal(undo(core, &order_step_type, ADD, &peer, 0, GO("undo order", "u1") KEPT_OF("undo order"), &back, NULL), 0);
    const json_t *body = json_object_get(heard(&back, "intend", 0), "body");
    assert_string_equal(json_text(json_object_get(heard(&peer, "intend", 0), "body"), "description", ""), "release/step of run 7, hello");
    assert_true(undo_is_said(&back));
    assert_int_equal(json_array_size(json_object_get(body, "serviceOrderItem")), 1); /* what the compute relies on ends with it */
    assert_int_equal(count_active(core), 0);
    peer_release(&back);
    /* again, after a crash in between: the order is found, or the outcome is known */
    assert_int_equal(undo(core, &order_step_type, ADD, &peer, 0, FIND("undo order", "u1") KEPT_OF("undo order"), &back, NULL), 0);
    assert_string_equal(json_text(heard(&back, "outcome", 0), "seen", ""), "done");
    assert_int_equal(core_count(core, "serviceOrder"), 2);
    peer_release(&back);
    peer_release(&peer);
}

static void what_is_gone_needs_no_end(void **state)
{
    NEEDS_CORE(state);
    static const char end[] = "{\"domain\": \"lab\", \"action\": \"delete\", \"service\": \"1.2\"}";
    struct peer peer, back;
    assert_int_equal(run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "k1"), &peer, NULL), 0);
    must_run(core, &order_step_type, end, ONE_EFFECT("order", "k2"));
    assert_int_equal(undo(core, &order_step_type, ADD, &peer, 0, GO("undo order", "u1") KEPT_OF("undo order"), &back, NULL), 0);
    assert_int_equal(core_count(core, "serviceOrder"), 2);
    peer_release(&back);
    peer_release(&peer);
}

static void cancels_what_goes_on(void **state)
{
    NEEDS_CORE(state);
    struct peer peer, back;
    put_file(core->folder, "orders", "stick", 0644);
    struct error err = {0};
    int result = run_step(core, &order_step_type, ADD, NULL, ONE_EFFECT("order", "k1"), &peer, &err);
    if (result != -ERROR_TIMEOUT) fail_msg("%d: %s", result, err.message);
    assert_int_equal(undo(core, &order_step_type, ADD, &peer, 0, "", &back, NULL), 0);
    AUTO(free_json) json_t *has = core_state(core);
    assert_string_equal(json_text(json_object_get(json_object_get(has, "serviceOrder"), "1"), "state", ""), "cancelled");
    assert_int_equal(core_count(core, "serviceOrder"), 1);
    peer_release(&back);
    peer_release(&peer);
}

static void refusals(void **state)
{
    NEEDS_CORE(state);
    static const struct {
        const char *with;
        int result;
        const char *words;
    } cases[] = {
        {"{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o9\"}", -ERROR_NOT_FOUND, "productOffering/o9 answered 404"},
        {"{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"old\"}", -ERROR_CONFLICT, "is Retired"},
        {"{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o1\", \"share\": 5.0}", -ERROR_INVALID, "0% or 100%"},
        {"{\"domain\": \"lab\", \"action\": \"delete\", \"service\": \"9.9\"}", -ERROR_NOT_FOUND, "there is no service 9.9"},
        {"{\"domain\": \"lab\", \"action\": \"modify\", \"replicas\": 2}", -ERROR_INVALID, "names no service"},
        {"{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"../../x\"}", -ERROR_NOT_FOUND, "..%2F..%2Fx"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peer peer;
        struct error err = {0};
        int result = run_step(core, &order_step_type, cases[i].with, NULL, ONE_EFFECT("order", "k1"), &peer, &err);
        if (result != cases[i].result || !strstr(err.message, cases[i].words)) fail_msg("%s: %d %s", cases[i].with, result, err.message);
        assert_null(heard(&peer, "intend", 0));
        peer_release(&peer);
    }
    assert_int_equal(core_count(core, "serviceOrder"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_core, stop_core)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(adds_a_modular_service), TEST(a_second_version_stands_beside),
        TEST(a_version_that_is_in_service_is_not_ordered_again), TEST(one_that_is_left_over_is_named),
        TEST(what_is_in_service_stays_where_versions_are_judged), TEST(each_fault_orders_once), TEST(a_crash_finds_the_order),
        TEST(one_too_many_is_cancelled), TEST(one_too_many_that_is_done_is_ended_by_an_order), TEST(one_that_the_peer_keeps_is_told),
        TEST(the_order_that_a_person_names_is_adopted), TEST(the_core_is_away_for_a_while), TEST(changes_and_goes_back),
        TEST(ends_what_it_added), TEST(what_is_gone_needs_no_end), TEST(cancels_what_goes_on), TEST(refusals)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
