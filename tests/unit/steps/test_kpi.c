/* test_kpi.c: the step kpi: what each of its processes orders, keeps and says, from the first share to the verdict, and how it is undone.
 */
#include "core.h"

#include "base/clock.h"

#define ADD "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o1\", \"replicas\": 2}"
#define ADD_NEXT "{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"o2\"}"
#define WITH "{\"domain\": \"lab\", \"service\": \"2.1\", \"evidence\": \"\"}"
#define SHARE(number) GO("share " number, "share-" number) KEPT_OF("share " number)

static const char policy[] =
    "{\"lease\": 30000, \"keep-old\": 1800000, \"largest-share\": 100.0, \"share\": [25.0, 50.0], \"every\": 10000,"
    " \"budget\": {\"false-rollback\": 1.0, \"shortest\": 20000, \"longest\": 600000, \"warm-up\": 0}, \"baseline\": \"in-service\","
    " \"kpis\": [{\"kpi\": \"latency\", \"compare\": \"baseline\", \"tolerate\": 5.0, \"clear\": 20.0, \"critical\": true, \"weight\": 1.0,"
    " \"on-no-data\": {\"hold\": 300000, \"then\": \"rollback\"}},"
    " {\"kpi\": \"errors\", \"compare\": \"baseline\", \"tolerate-odds\": 1.25, \"clear-odds\": 2.5, \"negligible\": 1.0, \"critical\": "
    "true,"
    " \"weight\": 1.0, \"on-no-data\": {\"hold\": 300000, \"then\": \"rollback\"}}],"
    " \"concurrency\": \"queue\", \"on\": {\"harm\": \"rollback\", \"doubt\": \"rollback\"}}";

/* 1.2 in service, 2.1 its canary. */
static void make_family(const struct core *core)
{
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
}

static json_t *input(const struct core *core, const char *with, json_t *checkpoint)
{
    json_t *input = input_for(core, with, checkpoint);
    json_object_set_new(json_object_get(json_object_get(input, "facts"), "domain"), "policy", parse(policy));
    return input;
}

/* One process of the step, on an input of its own; as main does it. */
static int perform(json_t *stolen_input, const char *lines, struct peer *ret_peer, struct error *err)
{
    *ret_peer = peer_begin(&kpi_step_type, stolen_input, lines);
    struct error problem = {0};
    int failed = kpi_perform(ret_peer->step, &problem);
    if (failed && failed != -ERROR_PARKED) step_fault(ret_peer->step, &problem);
    if (err) *err = problem;
    peer_end(ret_peer);
    return failed;
}

static json_t *parked_with(const struct peer *peer)
{
    json_t *checkpoint = json_object_get(heard(peer, "park", 0), "checkpoint");
    if (!checkpoint) fail_msg("it did not park");
    return json_deep_copy(checkpoint);
}

/* The first process: the first share is ordered, and it parks. */
static json_t *begun(const struct core *core)
{
    struct peer peer;
    struct error err = {0};
    make_family(core);
    if (perform(input(core, WITH, NULL), KEPT SHARE("1"), &peer, &err) != -ERROR_PARKED) fail_msg("%s", err.message);
    json_t *checkpoint = parked_with(&peer);
    peer_release(&peer);
    return checkpoint;
}

/* As if so many seconds had passed since, and the tick of the change too. */
static json_t *later(json_t *checkpoint, int seconds)
{
    json_t *ramp = json_object_get(checkpoint, "ramp");
    json_put_whole(ramp, "read", clock_now_ms() - seconds * 1000);
    json_put_flag(ramp, "fresh", false);
    return checkpoint;
}

static void add_samples(struct text *samples, const char *service, int count, int duration_us, int status, const char *flags)
{
    for (int i = 0; i < count; i++)
        text_add_format(samples,
            "{\"time\": 1795770000000000, \"duration\": %d, \"status\": %d, \"service\": %s, \"version\": null, \"instance\": 1, "
            "\"bytes\": 5, \"flags\": [%s]}\n",
            duration_us + i % 7, status, service, flags);
}

static void put_samples(const struct core *core, struct text *samples, const char *next)
{
    text_add_format(samples, "{\"next\": \"%s\", \"more\": false}", next);
    put_file(core->folder, "samples", text_view(samples), 0644);
    text_release(samples);
}

static const json_t *tick_of(const json_t *checkpoint)
{
    assert_int_equal(json_array_size(json_object_get(checkpoint, "ticks")), 1);
    return json_array_get(json_object_get(checkpoint, "ticks"), 0);
}

/* --- the beginning --- */

static void a_first_version_has_nobody_to_compare_with(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    const char *with = "{\"domain\": \"lab\", \"service\": \"1.2\", \"evidence\": \"{\\\"kpis\\\": []}\"}";
    assert_int_equal(perform(input(core, with, NULL), KEPT, &peer, NULL), 0);
    assert_null(heard(&peer, "intend", 0));
    AUTO(free_json) json_t *checkpoint = json_deep_copy(json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"));
    const json_t *verdict = json_object_get(checkpoint, "verdict");
    assert_int_equal(json_whole(checkpoint, "evidence", 0), 1);
    assert_string_equal(json_text(checkpoint, "canary", ""), "1.2");
    assert_null(json_text(checkpoint, "baseline", NULL));
    assert_string_equal(json_text(verdict, "verdict", ""), "promote");
    assert_string_equal(json_text(verdict, "words", ""), "nothing to compare with: it is the only version in service");
    assert_true(json_is_array(json_object_get(checkpoint, "ticks")) && json_is_array(json_object_get(checkpoint, "kpis")));
    assert_string_equal(json_string_value(peer_output(&peer, "verdict")), "promote");
    assert_true(json_number_value(peer_output(&peer, "share")) == 100);
    assert_true(json_is_null(peer_output(&peer, "baseline")));
    assert_string_equal(json_string_value(peer_output(&peer, "words")), "nothing to compare with: it is the only version in service");
    assert_string_equal(json_string_value(peer_output(&peer, "evidence")), "{\"kpis\": []}"); /* handed on */
    peer_release(&peer);
    /* Killed behind its checkpoint, it ends in the same way, whoever came beside it since. */
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
    assert_int_equal(perform(input(core, with, take(&checkpoint)), "", &peer, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "words")), "nothing to compare with: it is the only version in service");
    assert_true(json_number_value(peer_output(&peer, "share")) == 100);
    peer_release(&peer);
}

/* The release that is run again finds it in service, with the version before kept beside it. */
static void one_that_is_in_service_already_is_not_judged(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    must_run(core, &order_step_type, ADD, ONE_EFFECT("order", "k1"));
    must_run(core, &order_step_type, ADD_NEXT, ONE_EFFECT("order", "k2"));
    const char *with = "{\"domain\": \"lab\", \"service\": \"1.2\"}";
    assert_int_equal(perform(input(core, with, NULL), KEPT, &peer, NULL), 0);
    assert_null(heard(&peer, "intend", 0));
    assert_service(core, "1.2", "active 100 2");
    assert_string_equal(json_string_value(peer_output(&peer, "verdict")), "promote");
    assert_string_equal(json_string_value(peer_output(&peer, "words")), "nothing to judge: it is in service already");
    peer_release(&peer);
}

static void the_first_share_is_lent_and_it_parks(void **state)
{
    NEEDS_CORE(state);
    put_file(core->folder, "samples", "{\"next\": \"3.17\", \"more\": false}", 0644);
    int64_t before_ms = clock_now_ms();
    AUTO(free_json) json_t *checkpoint = begun(core);
    assert_service(core, "2.1", "active 25 1");
    assert_string_equal(json_text(checkpoint, "cursor", ""), "3.17");
    assert_string_equal(json_text(checkpoint, "canary", ""), "2.1");
    assert_string_equal(json_text(checkpoint, "baseline", ""), "1.2");
    assert_true(json_number_value(json_object_get(checkpoint, "previous")) == 0);
    assert_int_equal(json_array_size(json_object_get(checkpoint, "ticks")), 0);
    assert_null(json_object_get(checkpoint, "shift"));
    assert_int_equal(json_whole(json_object_get(checkpoint, "ramp"), "index", 0), 1);
    assert_true(json_whole(json_object_get(checkpoint, "ramp"), "read", 0) >= before_ms);
    AUTO(free_text) char *asked = get_file(core->folder, "questions");
    assert_non_null(strstr(asked, "domain=lab&family=hello&from=253402300799999999")); /* nothing of before */
}

/* A process dies behind its order: the next one finds it, and no second one is made. */
static void a_change_of_share_survives(void **state)
{
    NEEDS_CORE(state);
    struct peer one, two;
    struct error err = {0};
    make_family(core);
    set_fault(core, "POST", "/serviceOrder", "close-after");
    assert_int_equal(perform(input(core, WITH, NULL), KEPT GO("share 1", "share-1"), &one, &err), -ERROR_UNAVAILABLE);
    json_t *checkpoint = json_deep_copy(json_object_get(heard(&one, "checkpoint", 0), "checkpoint"));
    assert_int_equal(json_whole(json_object_get(checkpoint, "shift"), "index", 0), 1);
    assert_int_equal(perform(input(core, WITH, checkpoint), FIND("share 1", "share-1") KEPT_OF("share 1"), &two, &err), -ERROR_PARKED);
    assert_int_equal(core_count(core, "serviceOrder"), 3);
    AUTO(free_json) json_t *next = parked_with(&two);
    assert_null(json_object_get(next, "shift"));
    peer_release(&one);
    peer_release(&two);
}

/* --- ticks --- */

static void a_tick_counts_what_each_version_served(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct text samples = {0};
    json_t *checkpoint = later(begun(core), 10);
    add_samples(&samples, "\"2.1\"", 25, 5000, 200, "");
    add_samples(&samples, "\"2.1\"", 3, 100, 503, "\"no_server\"");
    add_samples(&samples, "\"2.1\"", 2, 9000, 0, "\"aborted\"");
    add_samples(&samples, "\"1.2\"", 89, 5000, 200, "");
    add_samples(&samples, "\"1.2\"", 1, 5000, 500, "");
    add_samples(&samples, "\"9.9\"", 50, 5000, 200, ""); /* of an older version */
    put_samples(core, &samples, "3.99");
    assert_int_equal(perform(input(core, WITH, checkpoint), "", &peer, NULL), -ERROR_PARKED);
    AUTO(free_text) char *said = peer_types(&peer);
    assert_string_equal(said, "progress park"); /* in words; then one line, one event: the tick and the place behind it */
    AUTO(free_json) json_t *next = parked_with(&peer);
    const json_t *tick = tick_of(next), *errors = json_array_get(json_object_get(tick, "kpis"), 1);
    assert_string_equal(json_text(next, "cursor", ""), "3.99");
    assert_int_equal(json_whole(tick, "tick", 0), 1);
    assert_int_equal(json_whole(tick, "canary", 0), 30);
    assert_int_equal(json_whole(tick, "baseline", 0), 90);
    assert_true(json_flag(tick, "used", false));
    assert_true(json_whole(tick, "lasted", 0) >= 10000 && json_whole(tick, "lasted", 0) <= 20000);
    assert_int_equal(json_whole(errors, "a", 0), 5); /* also those whose client gave up */
    assert_int_equal(json_whole(errors, "m", 0), 30);
    assert_int_equal(json_whole(errors, "b", 0), 1);
    assert_int_equal(json_whole(json_array_get(json_object_get(tick, "kpis"), 0), "m", 0), 30); /* but has a latency */
    peer_release(&peer);
}

static void put_domain(const struct core *core, int open, int restarts)
{
    AUTO(free_text)
    char *text = mem_format(
        "{\"keeper_services\": [{\"service\": \"1.2\", \"open\": 1, \"replicas\": 1}, {\"service\": \"2.1\", \"open\": %d, \"replicas\": "
        "1}],"
        " \"instances\": [{\"service\": \"1.2\", \"number\": 1, \"restarts\": 9, \"message\": \"killed\"},"
        " {\"service\": \"2.1\", \"number\": 1, \"restarts\": %d, \"message\": \"exited with code 3; its last output: no\\ntable\"},"
        " {\"service\": \"2.1\", \"number\": 2, \"restarts\": %d, \"message\": \"it is not to be\"}]}",
        open, restarts, restarts + 9);
    put_file(core->folder, "domain", text, 0644);
}

/* One more tick of good answers, on what the domain tells. */
static json_t *tick_with(const struct core *core, json_t *checkpoint, int open, int restarts, const char *because)
{
    struct peer peer;
    struct text samples = {0};
    put_domain(core, open, restarts);
    add_samples(&samples, "\"2.1\"", 25, 5000, 200, "");
    add_samples(&samples, "\"1.2\"", 75, 5000, 200, "");
    put_samples(core, &samples, "3.99");
    assert_int_equal(perform(input(core, WITH, later(checkpoint, 10)), "", &peer, NULL), -ERROR_PARKED);
    json_t *next = parked_with(&peer);
    const json_t *tick = tick_of(next);
    assert_string_equal(json_text(tick, "because", "?"), because);
    assert_true(json_flag(tick, "used", false));
    assert_int_equal(json_whole(json_object_get(tick, "open"), "canary", -1), open);
    assert_int_equal(json_whole(json_object_get(tick, "open"), "baseline", -1), 1);
    peer_release(&peer);
    return next;
}

static void open_requests_hold_the_share(void **state)
{
    NEEDS_CORE(state);
    put_domain(core, 0, 4);
    json_t *checkpoint = tick_with(core, begun(core), 0, 4, "");
    AUTO(free_json) json_t *next = tick_with(core, checkpoint, 14, 4, "open");
    assert_int_equal(json_whole(tick_of(next), "restarts", -1), 0); /* those of before are not the canary's */
}

static void the_second_restart_is_harm(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct text samples = {0};
    put_domain(core, 0, 4);
    json_t *checkpoint = tick_with(core, begun(core), 0, 5, "restarts");
    assert_int_equal(json_whole(tick_of(checkpoint), "restarts", -1), 1);
    checkpoint = tick_with(core, checkpoint, 0, 0, "restarts"); /* its keeper was started again, and counts from 0 */
    put_domain(core, 0, 1);
    put_samples(core, &samples, "3.99");
    assert_int_equal(
        perform(input(core, WITH, later(checkpoint, 10)), KEPT GO("back", "back") KEPT_OF("back"), &peer, NULL), -ERROR_CONFLICT);
    const json_t *verdict = json_object_get(json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"), "verdict");
    assert_string_equal(json_text(verdict, "verdict", ""), "harm");
    assert_string_equal(json_text(verdict, "kpi", ""), "restarts");
    assert_string_equal(json_text(verdict, "words", ""), "2.0.0 stopped by itself 2 times: exited with code 3; its last output: no table");
    peer_release(&peer);
}

static void what_cannot_be_read_is_stale(void **state)
{
    NEEDS_CORE(state);
    static const char *const broken[] = {"nothing", "{\"duration\": 5}", "{\"error\": {\"message\": \"the disk\"}}", "{\"next\": \"x\"}",
        "", "{\"next\": \"1.0\", \"more\": false}\n{\"next\": \"1.0\"}", "{\"next\": \"0.9\", \"more\": false}"};
    AUTO(free_json) json_t *checkpoint = later(begun(core), 10);
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct peer peer;
        put_file(core->folder, "samples", broken[i], 0644);
        assert_int_equal(perform(input(core, WITH, json_deep_copy(checkpoint)), "", &peer, NULL), -ERROR_PARKED);
        AUTO(free_json) json_t *next = parked_with(&peer);
        if (!text_equal(json_text(tick_of(next), "because", ""), "stale")) fail_msg("%s is not stale", broken[i]);
        assert_string_equal(json_text(next, "cursor", ""), "1.0");
        peer_release(&peer);
    }
}

static void a_gap_is_told(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct text samples = {0};
    json_t *checkpoint = later(begun(core), 10);
    add_samples(&samples, "\"2.1\"", 25, 5000, 200, "");
    add_samples(&samples, "\"1.2\"", 75, 5000, 200, "");
    text_add(&samples, "{\"gap\": 12, \"time\": 1795770000400000}\n");
    put_samples(core, &samples, "3.99");
    assert_int_equal(perform(input(core, WITH, checkpoint), "", &peer, NULL), -ERROR_PARKED);
    AUTO(free_json) json_t *next = parked_with(&peer);
    assert_string_equal(json_text(tick_of(next), "because", ""), "gap");
    peer_release(&peer);
}

/* Two good ticks of 20 s: the share rises; the tick is on record before the order is sent. */
static void the_share_rises(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct text samples = {0};
    json_t *checkpoint = later(begun(core), 100);
    add_samples(&samples, "\"2.1\"", 250, 5000, 200, "");
    add_samples(&samples, "\"1.2\"", 750, 5000, 200, "");
    put_samples(core, &samples, "3.99");
    assert_int_equal(perform(input(core, WITH, checkpoint), KEPT SHARE("2"), &peer, NULL), -ERROR_PARKED);
    const json_t *kept = json_object_get(heard(&peer, "checkpoint", 0), "checkpoint");
    assert_int_equal(json_whole(tick_of(kept), "lasted", 0), 20000); /* two ticks at most */
    assert_int_equal(json_whole(json_object_get(kept, "shift"), "index", 0), 2);
    AUTO(free_json) json_t *next = parked_with(&peer);
    assert_int_equal(json_array_size(json_object_get(next, "ticks")), 0); /* it is on record already */
    assert_int_equal(json_whole(json_object_get(next, "ramp"), "index", 0), 2);
    assert_service(core, "2.1", "active 50 1");
    peer_release(&peer);
}

static void a_changed_domain_is_told_once(void **state)
{
    NEEDS_CORE(state);
    struct peer one, two;
    json_t *first = input(core, WITH, later(begun(core), 1));
    json_put_flag(json_object_get(json_object_get(first, "facts"), "domain"), "changed", true);
    assert_int_equal(perform(first, "", &one, NULL), -ERROR_PARKED);
    assert_non_null(strstr(json_text(heard(&one, "annotate", 0), "message", ""), "the policy that it was planned with"));
    json_t *second = input(core, WITH, parked_with(&one));
    json_put_flag(json_object_get(json_object_get(second, "facts"), "domain"), "changed", true);
    assert_int_equal(perform(second, "", &two, NULL), -ERROR_PARKED);
    assert_null(heard(&two, "annotate", 0));
    peer_release(&one);
    peer_release(&two);
}

/* --- verdicts --- */

static void harm_takes_every_request_back_first(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    struct text samples = {0};
    json_t *checkpoint = later(begun(core), 10);
    add_samples(&samples, "\"2.1\"", 250, 8000, 200, "");
    add_samples(&samples, "\"1.2\"", 750, 5000, 200, "");
    put_samples(core, &samples, "3.99");
    assert_int_equal(perform(input(core, WITH, checkpoint), KEPT GO("back", "k9") KEPT_OF("back"), &peer, &err), -ERROR_CONFLICT);
    const json_t *kept = json_object_get(heard(&peer, "checkpoint", 0), "checkpoint"), *verdict = json_object_get(kept, "verdict");
    assert_string_equal(json_text(verdict, "verdict", ""), "harm");
    assert_string_equal(json_text(verdict, "kpi", ""), "latency");
    assert_non_null(strstr(err.message, "2.0.0 is 60 % slower at equal load ("));
    assert_non_null(strstr(err.message, "the chance that this is luck is below 1 in "));
    assert_string_equal(json_text(heard(&peer, "fault", 0), "reason", ""), "kpi_harm");
    assert_string_equal(json_string_value(peer_output(&peer, "verdict")), "harm");
    assert_service(core, "2.1", "active 0 1");
    assert_service(core, "1.2", "active 100 2");
    json_t *again = json_deep_copy(kept); /* a process that died behind it goes on there, and judges nothing again */
    peer_release(&peer);
    assert_int_equal(
        perform(input(core, WITH, again), "{\"type\":\"known\",\"name\":\"back\",\"outcome\":{}}\n", &peer, &err), -ERROR_CONFLICT);
    assert_string_equal(json_text(heard(&peer, "fault", 0), "reason", ""), "kpi_harm");
    assert_null(heard(&peer, "checkpoint", 0));
    peer_release(&peer);
}

static void an_earlier_waves_evidence_counts(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    make_family(core);
    const char *with = "{\"domain\": \"lab\", \"service\": \"2.1\", \"evidence\": \"{\\\"evidence\\\": 1, \\\"kpis\\\": ["
                       "{\\\"kpi\\\": \\\"latency\\\", \\\"harm\\\": 4.0, \\\"tolerate\\\": 1.05, \\\"negligible\\\": 0.0},"
                       "{\\\"kpi\\\": \\\"errors\\\", \\\"harm\\\": 4.0, \\\"tolerate\\\": 1.2, \\\"negligible\\\": 0.01}]}\"}";
    assert_int_equal(perform(input(core, with, NULL), KEPT SHARE("1"), &peer, NULL), -ERROR_PARKED);
    AUTO(free_json) json_t *checkpoint = parked_with(&peer);
    const json_t *kpis = json_object_get(checkpoint, "kpis");
    assert_true(json_number_value(json_object_get(json_array_get(kpis, 0), "carried")) == 4);
    assert_true(json_number_value(json_object_get(json_array_get(kpis, 1), "carried")) == 0); /* against less than what is tolerated here */
    peer_release(&peer);
}

static void a_broken_checkpoint_is_an_error(void **state)
{
    NEEDS_CORE(state);
    AUTO(free_json) json_t *good = begun(core);
    static const char *const members[] = {"evidence", "ramp", "kpis"};
    for (size_t i = 0; i <= COUNT_OF(members); i++) {
        struct peer peer;
        json_t *bad = json_deep_copy(good);
        if (i < COUNT_OF(members))
            json_object_del(bad, members[i]);
        else
            json_put_whole(json_object_get(bad, "ramp"), "index", 0);
        assert_int_equal(perform(input(core, WITH, bad), "", &peer, NULL), -ERROR_INVALID);
        peer_release(&peer);
    }
}

/* --- undoing --- */

/* Undoes "share N" with this checkpoint. */
static void undo_share(const struct core *core, const char *number, json_t *checkpoint, const char *lines, struct peer *ret)
{
    struct error err = {0};
    AUTO(free_text) char *name = mem_format("share %s", number);
    AUTO(free_json) json_t *intent = json_pack("{s:s}", "name", name), *outcome = json_pack("{s:s}", "service", "2.1");
    *ret = peer_begin(&kpi_step_type, input(core, WITH, checkpoint), lines);
    if (kpi_compensate(ret->step, intent, outcome, &err) < 0) fail_msg("%s", err.message);
    peer_end(ret);
}

static void any_share_goes_back_to_the_one_before(void **state)
{
    NEEDS_CORE(state);
    struct peer two, one, late;
    AUTO(free_json) json_t *checkpoint = begun(core);
    undo_share(core, "2", json_deep_copy(checkpoint), KEPT GO("undo share 2", "u2") KEPT_OF("undo share 2"), &two);
    assert_service(core, "2.1", "active 0 1");
    json_t *kept = json_deep_copy(json_object_get(heard(&two, "checkpoint", 0), "checkpoint"));
    assert_int_equal(json_array_size(json_object_get(kept, "ticks")), 0);
    undo_share(core, "1", json_deep_copy(kept), "", &one); /* it is there already */
    assert_int_equal(core_count(core, "serviceOrder"), 4);
    undo_share(core, "2", kept, FIND("undo share 2", "u2") KEPT_OF("undo share 2"), &late); /* a process died behind the order */
    assert_string_equal(json_text(heard(&late, "outcome", 0), "seen", ""), "done");
    assert_int_equal(core_count(core, "serviceOrder"), 4);
    peer_release(&two);
    peer_release(&one);
    peer_release(&late);
}

static void what_does_harm_gets_nothing_back(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    json_t *checkpoint = begun(core);
    json_put(checkpoint, "previous", json_real(10));
    json_put(checkpoint, "verdict", json_pack("{s:s}", "verdict", "harm"));
    undo_share(core, "1", checkpoint, KEPT GO("undo share 1", "u1") KEPT_OF("undo share 1"), &peer);
    assert_service(core, "2.1", "active 0 1");
    peer_release(&peer);
}

static void a_service_that_is_gone_has_no_share(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    json_t *checkpoint = begun(core);
    must_run(core, &order_step_type, "{\"domain\": \"lab\", \"action\": \"delete\", \"service\": \"2.1\"}", ONE_EFFECT("order", "k7"));
    undo_share(core, "1", checkpoint, "", &peer);
    peer_release(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_core, stop_core)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_first_version_has_nobody_to_compare_with), TEST(one_that_is_in_service_already_is_not_judged),
        TEST(the_first_share_is_lent_and_it_parks), TEST(a_change_of_share_survives), TEST(a_tick_counts_what_each_version_served),
        TEST(open_requests_hold_the_share), TEST(the_second_restart_is_harm), TEST(what_cannot_be_read_is_stale), TEST(a_gap_is_told),
        TEST(the_share_rises), TEST(a_changed_domain_is_told_once), TEST(harm_takes_every_request_back_first),
        TEST(an_earlier_waves_evidence_counts), TEST(a_broken_checkpoint_is_an_error), TEST(any_share_goes_back_to_the_one_before),
        TEST(what_does_harm_gets_nothing_back), TEST(a_service_that_is_gone_has_no_share)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
