/* test_shares.c: shift, scale, promote and retire: what they order, what they put on record, and how they are undone. */
#include "core.h"

#define ADD "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o1\", \"replicas\": 2}"
#define ADD_NEXT "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o2\"}"
#define SHIFT(share) "{\"domain\": \"lab\", \"service\": \"2.1\", \"share\": " share "}"

/* 1.2 in service, 2.1 its canary. */
static void make_family(const struct core *core)
{
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
}

static const json_t *outcome_of(const struct peer *peer)
{
    return json_object_get(heard(peer, "outcome", 0), "outcome");
}

static void a_share_is_lent(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    make_family(core);
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), NULL, ONE_EFFECT("share", "k3"), &peer, NULL), 0);
    assert_service(core, "2.1", "active 25 1");
    assert_service(core, "1.2", "active 75 2");
    const json_t *outcome = outcome_of(&peer), *lease = json_object_get(outcome, "lease");
    assert_string_equal(json_text(outcome, "order", ""), "3");
    assert_string_equal(json_text(outcome, "service", ""), "2.1");
    assert_true(json_number_value(json_object_get(outcome, "previous")) == 0);
    assert_string_equal(json_text(lease, "service", ""), "2.1");
    assert_int_equal(json_whole(lease, "ttl_ms", 0), 30000); /* the domain's policy's */
    assert_true(text_starts(json_text(lease, "url", ""), "unix:"));
    assert_null(json_object_get(lease, "standby"));
    assert_true(json_number_value(peer_output(&peer, "previous")) == 0);
    AUTO(free_json) json_t *has = core_state(core);
    const json_t *asked = json_object_get(json_object_get(json_object_get(has, "serviceOrder"), "3"), "asked");
    const json_t *service = json_object_get(json_array_get(json_object_get(asked, "serviceOrderItem"), 0), "service");
    AUTO(free_text) char *said = json_canonical(json_object_get(service, "serviceCharacteristic"));
    assert_string_equal(said, "[{\"name\":\"traffic.share\",\"value\":25,\"valueType\":\"number\"},"
                              "{\"name\":\"traffic.lease\",\"value\":30000,\"valueType\":\"integer\"}]");
    peer_release(&peer);
}

static void where_the_domain_holds_no_lease_the_server_stands_by(void **state)
{
    NEEDS_CORE(state);
    make_family(core);
    json_t *input = input_for(core, SHIFT("25.0"), NULL), *domain = json_object_get(json_object_get(input, "facts"), "domain");
    json_put(domain, "capabilities", json_pack("[s, s]", "share", "find-by-key"));
    struct peer peer = peer_begin(&shift_step_type, input, ONE_EFFECT("share", "k3"));
    assert_int_equal(shift_step_type.perform(peer.step, NULL), 0);
    peer_end(&peer);
    assert_true(json_is_true(json_object_get(json_object_get(outcome_of(&peer), "lease"), "standby")));
    peer_release(&peer);
}

/* The first version of a family: the same pipeline releases it, and there is nobody to share with. */
static void alone_it_keeps_all_requests(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    const char *shift = "{\"domain\": \"lab\", \"service\": \"1.2\", \"share\": 25.0}";
    assert_int_equal(run_step(core, &shift_step_type, shift, NULL, "{\"type\":\"kept\"}\n", &peer, NULL), 0);
    assert_null(heard(&peer, "intend", 0));
    assert_true(json_number_value(peer_output(&peer, "share")) == 100);
    assert_service(core, "1.2", "active 100 2");
    peer_release(&peer);
}

static void a_share_goes_back_step_by_step(void **state)
{
    NEEDS_CORE(state);
    struct peer one, two, back;
    make_family(core);
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("5.0"), NULL, ONE_EFFECT("share", "k3"), &one, NULL), 0);
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("50.0"), NULL, ONE_EFFECT("share", "k4"), &two, NULL), 0);
    assert_int_equal(undo(core, &shift_step_type, SHIFT("50.0"), &two, 0, GO("undo share", "u4") KEPT_OF("undo share"), &back, NULL), 0);
    assert_service(core, "2.1", "active 5 1");
    assert_true(undo_is_said(&back));
    peer_release(&back);
    assert_int_equal(undo(core, &shift_step_type, SHIFT("5.0"), &one, 0, GO("undo share", "u3") KEPT_OF("undo share"), &back, NULL), 0);
    assert_service(core, "2.1", "active 0 1");
    assert_service(core, "1.2", "active 100 2");
    assert_true(json_is_null(json_object_get(outcome_of(&back), "lease"))); /* nobody renews it any more */
    peer_release(&back);
    peer_release(&one);
    peer_release(&two);
}

/* The answer is lost after the work, and a process dies: the share before the change is still known, and one order was made. */
static void what_was_before_survives(void **state)
{
    NEEDS_CORE(state);
    struct peer peer, next;
    make_family(core);
    set_fault(core, "POST", "/serviceOrder", "close-after");
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), NULL, KEPT GO("share", "k3"), &peer, NULL), -ERROR_UNAVAILABLE);
    json_t *checkpoint = json_incref(json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"));
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), checkpoint, FIND("share", "k3") KEPT_OF("share"), &next, NULL), 0);
    assert_string_equal(json_text(heard(&next, "outcome", 0), "seen", ""), "done");
    assert_true(json_number_value(json_object_get(outcome_of(&next), "previous")) == 0);
    assert_int_equal(core_count(core, "serviceOrder"), 3);
    peer_release(&peer);
    peer_release(&next);
}

/* An order that failed was undone by the domain: for a share that is as if it had never been. */
static void a_failed_change_is_absent(void **state)
{
    NEEDS_CORE(state);
    struct peer peer, next;
    struct error err = {0};
    make_family(core);
    put_file(core->folder, "orders", "fail", 0644);
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), NULL, ONE_EFFECT("share", "k3"), &peer, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "order 3 failed: the service did not become healthy"));
    assert_string_equal(json_text(heard(&peer, "outcome", 0), "seen", ""), "failed");
    json_t *checkpoint = json_incref(json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"));
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), checkpoint,
                         FIND("share", "k3") KEPT_OF("share") GO("share", "k3") KEPT_OF("share"), &next, &err),
        -ERROR_CONFLICT);
    assert_string_equal(json_text(heard(&next, "outcome", 0), "seen", ""), "absent");
    assert_int_equal(core_count(core, "serviceOrder"), 3);
    peer_release(&peer);
    peer_release(&next);
}

static void one_that_hangs_is_unsure(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    make_family(core);
    put_file(core->folder, "orders", "stick", 0644);
    int result = run_step(core, &shift_step_type, SHIFT("25.0"), NULL, ONE_EFFECT("share", "k3"), &peer, &err);
    if (result != -ERROR_CONFLICT) fail_msg("%d: %s", result, err.message);
    assert_string_equal(json_text(heard(&peer, "outcome", 0), "seen", ""), "unsure");
    peer_release(&peer);
}

static void scales_and_goes_back(void **state)
{
    NEEDS_CORE(state);
    static const char with[] = "{\"domain\": \"lab\", \"service\": \"1.2\", \"replicas\": 4}";
    struct peer peer, back;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    assert_int_equal(run_step(core, &scale_step_type, with, NULL, ONE_EFFECT("replicas", "k2"), &peer, NULL), 0);
    assert_service(core, "1.2", "active 100 4");
    assert_int_equal(json_integer_value(peer_output(&peer, "previous")), 2);
    assert_null(json_object_get(outcome_of(&peer), "lease")); /* it has nothing to do with one */
    assert_int_equal(undo(core, &scale_step_type, with, &peer, 0, GO("undo replicas", "u2") KEPT_OF("undo replicas"), &back, NULL), 0);
    assert_service(core, "1.2", "active 100 2");
    assert_true(undo_is_said(&back));
    peer_release(&peer);
    peer_release(&back);
}

/* The order was taken and then failed, or goes on: going back ends it, and changes nothing where the domain undid it itself. */
static void a_scale_that_fails_is_left_to_the_domain(void **state)
{
    NEEDS_CORE(state);
    static const char with[] = "{\"domain\": \"lab\", \"service\": \"1.2\", \"replicas\": 4}";
    struct peer peer, back;
    struct error err = {0};
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    put_file(core->folder, "orders", "fail", 0644);
    assert_int_equal(run_step(core, &scale_step_type, with, NULL, ONE_EFFECT("replicas", "k2"), &peer, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "order 2 failed: the service did not become healthy"));
    assert_string_equal(json_text(heard(&peer, "outcome", 0), "seen", ""), "done");
    assert_int_equal(undo(core, &scale_step_type, with, &peer, 0, "", &back, &err), 0);
    peer_release(&peer);
    peer_release(&back);
    put_file(core->folder, "orders", "stick", 0644);
    assert_int_equal(run_step(core, &scale_step_type, with, NULL, ONE_EFFECT("replicas", "k3"), &peer, &err), -ERROR_TIMEOUT);
    assert_int_equal(undo(core, &scale_step_type, with, &peer, 0, "", &back, &err), 0);
    assert_int_equal(core_count(core, "cancelServiceOrder"), 1);
    assert_service(core, "1.2", "active 100 2");
    peer_release(&peer);
    peer_release(&back);
}

static void promotes_and_retires(void **state)
{
    NEEDS_CORE(state);
    static const char promote[] = "{\"domain\": \"lab\", \"service\": \"2.1\", \"replicas\": 3}";
    static const char retire[] = "{\"domain\": \"lab\", \"service\": \"1.2\"}";
    struct peer peer;
    make_family(core);
    must_run(core, &shift_step_type, SHIFT("25.0"), ONE_EFFECT("share", "k3"));
    assert_int_equal(run_step(core, &promote_step_type, promote, NULL, ONE_EFFECT("promotion", "k4"), &peer, NULL), 0);
    assert_service(core, "2.1", "active 100 3");
    assert_string_equal(json_string_value(peer_output(&peer, "service")), "2.1");
    assert_string_equal(json_string_value(peer_output(&peer, "previous")), "1.2");
    assert_true(json_is_null(json_object_get(outcome_of(&peer), "lease")));
    peer_release(&peer);
    must_run(core, &retire_step_type, retire, ONE_EFFECT("retirement", "k5"));
    assert_service(core, "1.2", "terminated 0 2");
    assert_int_equal(run_step(core, &promote_step_type, promote, NULL, ONE_EFFECT("promotion", "k6"), &peer, NULL), 0);
    assert_true(json_is_null(peer_output(&peer, "previous"))); /* it is alone now */
    peer_release(&peer);
    must_run(core, &retire_step_type, retire, ONE_EFFECT("retirement", "k7")); /* ended by somebody else: nothing to do */
}

static void retire_parks_until_it_may(void **state)
{
    NEEDS_CORE(state);
    static const char with[] = "{\"domain\": \"lab\", \"service\": \"2.1\", \"after\": 1800000}";
    struct peer peer;
    make_family(core);
    assert_int_equal(run_step(core, &retire_step_type, with, NULL, "", &peer, NULL), -ERROR_PARKED);
    int64_t until = json_whole(heard(&peer, "park", 0), "until", 0);
    json_t *checkpoint = json_incref(json_object_get(heard(&peer, "park", 0), "checkpoint"));
    assert_int_equal(json_whole(checkpoint, "until", 0), until);
    peer_release(&peer);
    assert_int_equal(run_step(core, &retire_step_type, with, checkpoint, "", &peer, NULL), -ERROR_PARKED); /* started too early */
    assert_int_equal(json_whole(heard(&peer, "park", 0), "until", 0), until);
    peer_release(&peer);
    assert_service(core, "2.1", "active 0 1");
    assert_int_equal(run_step(core, &retire_step_type, with, parse("{\"until\": 1000}"), ONE_EFFECT("retirement", "k3"), &peer, NULL), 0);
    assert_service(core, "2.1", "terminated 0 1");
    peer_release(&peer);
}

static void nothing_to_retire(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    assert_int_equal(run_step(core, &retire_step_type, "{\"domain\": \"lab\", \"service\": null}", NULL, "", &peer, NULL), 0);
    assert_string_equal(json_text(heard(&peer, "progress", 0), "message", ""), "there is no service to retire");
    peer_release(&peer);
}

static void what_is_in_service_is_not_retired(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    make_family(core);
    assert_int_equal(
        run_step(core, &retire_step_type, "{\"domain\": \"lab\", \"service\": \"1.2\"}", NULL, "", &peer, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "still gets 100 %"));
    assert_service(core, "1.2", "active 100 2");
    peer_release(&peer);
}

static void unknown_domains_and_services(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    assert_int_equal(run_step(core, &shift_step_type, SHIFT("25.0"), NULL, "", &peer, &err), -ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "lab: GET /tmf-api/serviceInventory/v4/service/2.1 answered 404"));
    peer_release(&peer);
    peer = peer_begin(&shift_step_type, parse("{\"with\": {\"domain\": \"attic\"}, \"facts\": {}}"), "");
    assert_int_equal(shift_perform(peer.step, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "attic"));
    peer_end(&peer);
    peer_release(&peer);
    peer = peer_begin(&shift_step_type,
        parse(
            "{\"with\": {}, \"facts\": {\"domain\": {\"domain\": \"far\", \"url\": \"http://127.0.0.1:1\", \"dialect\": \"openslice\"}}}"),
        "");
    assert_int_equal(shift_perform(peer.step, &err), -ERROR_UNSUPPORTED);
    peer_end(&peer);
    peer_release(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_core, stop_core)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_share_is_lent), TEST(where_the_domain_holds_no_lease_the_server_stands_by),
        TEST(alone_it_keeps_all_requests), TEST(a_share_goes_back_step_by_step), TEST(what_was_before_survives),
        TEST(a_failed_change_is_absent), TEST(one_that_hangs_is_unsure), TEST(scales_and_goes_back),
        TEST(a_scale_that_fails_is_left_to_the_domain), TEST(promotes_and_retires), TEST(retire_parks_until_it_may),
        TEST(nothing_to_retire), TEST(what_is_in_service_is_not_retired), TEST(unknown_domains_and_services)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
