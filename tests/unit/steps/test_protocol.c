/* test_protocol.c: a step's end of the protocol against an engine that says what the script holds. */
#include "support.h"

#include "base/clock.h"
#include "crescendo/limits.h"

#include <signal.h>

/* The world outside, as one effect sees it. */
struct world {
    int sent, found;
    const char *key;            /* the last one sent */
    enum error_code send_fails; /* ERROR_NONE: it goes well */
    int fails;                  /* so many times, 0 = always; then it ends as then_fails says */
    enum error_code then_fails;
    enum effect_seen seen;
    int late;   /* so many times find sees nothing first */
    bool knows; /* ... a second order from the first */
};
static struct world *the_world; /* find has no context of its own */

static int send_it(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    struct world *world = context;
    (void)step;
    assert_string_equal(json_text(body, "order", ""), "one");
    assert_string_equal(key, "k1");
    world->sent++;
    enum error_code fails = world->fails && world->sent > world->fails ? world->then_fails : world->send_fails;
    if (fails) error_set(err, fails, NOWHERE, "the peer says %d", (int)fails);
    err->retryable = fails == ERROR_UNAVAILABLE;
    if (fails) return -(int)fails;
    *ret_outcome = json_pack("{s:i}", "id", 7);
    return 0;
}

static int find_it(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    (void)step, (void)err;
    assert_string_equal(json_text(intent, "key", ""), "k1");
    assert_string_equal(json_text(intent, "target", ""), "the-domain");
    assert_string_equal(json_text(json_object_get(intent, "body"), "order", ""), "one");
    the_world->found++;
    *ret_seen = the_world->found <= the_world->late ? EFFECT_SEEN_NOTHING : the_world->seen;
    if (*ret_seen == EFFECT_SEEN_DONE) *ret_outcome = json_pack("{s:i}", "id", 9);
    return 0;
}

static int describe_it(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    (void)planned, (void)err, (void)ret_effects;
    return 0;
}

/* A peer where requests are late, but only for a moment. */
static void deliver_late(const struct step *step, struct delivery *ret)
{
    (void)step;
    *ret = (struct delivery){30, the_world->knows};
}

static const struct step_type type_late = {.name = "test", .describe = describe_it, .find = find_it, .delivery = deliver_late};

/* ... or for so long that it is worth another process. */
static void deliver_very_late(const struct step *step, struct delivery *ret)
{
    (void)step;
    *ret = (struct delivery){60 * 1000, the_world->knows};
}

static const struct step_type type_very_late = {.name = "test", .describe = describe_it, .find = find_it, .delivery = deliver_very_late};
static const struct step_type type = {.name = "test", .describe = describe_it, .find = find_it};
static const struct step_type type_without_find = {.name = "test", .describe = describe_it};
static const struct step_type type_without_effects = {.name = "test"};

static volatile sig_atomic_t ended;

static void note_end(int number)
{
    (void)number;
    ended++;
}

static int send_and_be_ended(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    raise(SIGTERM);
    assert_int_equal(ended, 0);
    return send_it(step, key, body, context, ret_outcome, err);
}

/* NOW in the answers is the present time. */
static char *with_time(const char *answers)
{
    const char *at = strstr(answers, "NOW");
    if (!at) return mem_copy_text(answers);
    return mem_format("%.*s%lld%s", (int)(at - answers), answers, (long long)clock_now_ms(), at + 3);
}

/* One effect against these answers; returns what step_effect did, and what was said in *ret_types (caller frees). */
static int run_effect(
    const struct step_type *of, struct world *world, const char *answers, char **ret_types, int *ret_id, struct error *err)
{
    AUTO(free_json) json_t *body = parse("{\"order\": \"one\"}"), *outcome = NULL;
    AUTO(free_text) char *dated = with_time(answers);
    struct peer peer = peer_begin(of, parse("{\"with\": {}, \"facts\": {}}"), dated);
    the_world = world;
    int failed = step_effect(peer.step, "order", "the-domain", body, send_it, world, &outcome, err);
    *ret_id = (int)json_whole(outcome, "id", 0);
    peer_end(&peer);
    struct text types = {0};
    size_t index;
    json_t *line;
    json_array_foreach(peer.heard, index, line) text_add_format(&types, "%s%s%s%s%s", index ? " " : "", json_text(line, "type", "?"),
        json_text(line, "seen", NULL) ? ":" : "", json_text(line, "seen", ""), json_flag(line, "again", false) ? ":again" : "");
    *ret_types = text_take(&types);
    peer_release(&peer);
    return failed;
}

#define GO "{\"type\":\"go\",\"name\":\"order\",\"key\":\"k1\"}\n"
#define FIND "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\"}\n"
#define FIND_OF(sends) "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"sends\":" #sends "}\n"
#define LOST "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"sends\":6}\n"
#define LONG_AGO "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"sent\":1000,\"sends\":1}\n"
#define JUST_NOW "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"sent\":NOW,\"sends\":1}\n"
#define KEPT "{\"type\":\"kept\",\"name\":\"order\"}\n"
#define KEPT_UNSURE "{\"type\":\"kept\",\"name\":\"order\",\"seen\":\"unsure\"}\n" /* said again by an engine that was restarted */
#define ADOPT "{\"type\":\"find\",\"name\":\"order\",\"key\":\"k1\",\"adopt\":\"17\"}\n"

struct effect_case {
    const char *name, *answers, *said;
    const struct step_type *type;
    struct world world; /* how it behaves */
    int result, sent, found, id;
};

static const struct effect_case effect_cases[] = {
    {"first time", GO KEPT, "intend outcome:done", &type, {0}, 0, 1, 0, 7},
    {"outcome on record", "{\"type\":\"known\",\"name\":\"order\",\"outcome\":{\"id\":5}}\n", "intend", &type, {0}, 0, 0, 0, 5},
    {"refusal on record", "{\"type\":\"known\",\"name\":\"order\",\"seen\":\"failed\",\"outcome\":{}}\n", "intend", &type, {0},
        -ERROR_CONFLICT, 0, 0, 0},
    {"found after a crash", FIND KEPT, "intend outcome:done", &type, {.seen = EFFECT_SEEN_DONE}, 0, 0, 1, 9},
    {"absent after a crash", FIND KEPT GO KEPT, "intend outcome:absent intend outcome:done", &type, {.seen = EFFECT_SEEN_ABSENT}, 0, 1, 1,
        7},
    {"unsure after a crash", FIND KEPT, "intend outcome:unsure", &type, {.seen = EFFECT_SEEN_UNSURE}, -ERROR_CONFLICT, 0, 1, 0},
    {"unsure, and it was before", FIND KEPT_UNSURE, "intend outcome:unsure", &type, {.seen = EFFECT_SEEN_UNSURE}, -ERROR_CONFLICT, 0, 1, 0},
    {"found, where it was unsure", FIND KEPT_UNSURE KEPT, "intend outcome:done", &type, {.seen = EFFECT_SEEN_DONE}, 0, 0, 1, 9},
    {"found, and that is not on record", FIND KEPT_UNSURE, "intend outcome:done", &type, {.seen = EFFECT_SEEN_DONE}, -ERROR_UNAVAILABLE, 0,
        1, 0},
    {"nobody to ask", FIND KEPT, "intend outcome:unsure", &type_without_find, {0}, -ERROR_CONFLICT, 0, 0, 0},
    {"unsure, and a person looked", ADOPT KEPT, "intend outcome:done", &type, {.seen = EFFECT_SEEN_UNSURE}, 0, 0, 1, 0},
    {"nobody to ask, and a person looked", ADOPT KEPT, "intend outcome:done", &type_without_find, {0}, 0, 0, 0, 0},
    {"a person looked, and it is not so", ADOPT KEPT GO KEPT, "intend outcome:absent intend outcome:done", &type,
        {.seen = EFFECT_SEEN_ABSENT}, 0, 1, 1, 7},
    /* By engines that were killed one after another, before they had said go. */
    {"found absent twice", FIND_OF(1) KEPT FIND_OF(2) KEPT GO KEPT, "intend outcome:absent intend outcome:absent intend outcome:done",
        &type, {.seen = EFFECT_SEEN_ABSENT}, 0, 1, 2, 7},
    {"found absent as often as it may be sent",
        FIND_OF(1) KEPT FIND_OF(2) KEPT FIND_OF(3) KEPT FIND_OF(4) KEPT FIND_OF(5) KEPT FIND_OF(6) KEPT,
        "intend outcome:absent intend outcome:absent intend outcome:absent intend outcome:absent intend outcome:absent intend "
        "outcome:absent",
        &type, {.seen = EFFECT_SEEN_ABSENT}, -ERROR_UNAVAILABLE, 0, 6, 0},
    {"an engine that does not count", FIND KEPT FIND KEPT FIND KEPT FIND KEPT FIND KEPT FIND KEPT,
        "intend outcome:absent intend outcome:absent intend outcome:absent intend outcome:absent intend outcome:absent intend "
        "outcome:absent",
        &type, {.seen = EFFECT_SEEN_ABSENT}, -ERROR_PROTOCOL, 0, 6, 0},
    {"the peer refuses", GO KEPT, "intend outcome:failed", &type, {.send_fails = ERROR_DENIED}, -ERROR_DENIED, 1, 0, 0},
    {"no answer, but done", GO KEPT, "intend outcome:done", &type, {.send_fails = ERROR_TIMEOUT, .seen = EFFECT_SEEN_DONE}, 0, 1, 1, 9},
    {"no answer, not done", GO KEPT, "intend outcome:absent", &type, {.send_fails = ERROR_TIMEOUT, .seen = EFFECT_SEEN_ABSENT},
        -ERROR_TIMEOUT, 1, 1, 0},
    {"refused in passing, not done", GO KEPT GO KEPT, "intend outcome:absent intend outcome:done", &type,
        {.send_fails = ERROR_UNAVAILABLE, .fails = 1, .seen = EFFECT_SEEN_ABSENT}, 0, 2, 1, 7},
    {"lost twice, not done", GO KEPT GO KEPT GO KEPT, "intend outcome:absent intend outcome:absent intend outcome:done", &type,
        {.send_fails = ERROR_UNAVAILABLE, .fails = 2, .seen = EFFECT_SEEN_ABSENT}, 0, 3, 2, 7},
    {"away in passing, then refused", GO KEPT GO KEPT, "intend outcome:absent intend outcome:failed", &type,
        {.send_fails = ERROR_UNAVAILABLE, .fails = 1, .then_fails = ERROR_DENIED, .seen = EFFECT_SEEN_ABSENT}, -ERROR_DENIED, 2, 1, 0},
    {"no answer, unsure", GO KEPT, "intend outcome:unsure", &type, {.send_fails = ERROR_TIMEOUT, .seen = EFFECT_SEEN_UNSURE},
        -ERROR_CONFLICT, 1, 1, 0},
    /* Late, at a peer that does not know a repetition: nothing is sent or said before it cannot arrive any more. */
    {"nothing there after a crash, and it stays so", FIND KEPT GO KEPT, "intend progress outcome:absent intend outcome:done", &type_late,
        {.seen = EFFECT_SEEN_NOTHING}, 0, 1, 2, 7},
    {"it arrives after the crash", FIND KEPT, "intend progress outcome:done", &type_late, {.seen = EFFECT_SEEN_DONE, .late = 1}, 0, 0, 2,
        9},
    {"no answer, and it arrives", GO KEPT, "intend progress outcome:done", &type_late,
        {.send_fails = ERROR_UNAVAILABLE, .seen = EFFECT_SEEN_DONE, .late = 1}, 0, 1, 2, 9},
    {"no answer, and it never arrives", GO KEPT GO KEPT, "intend progress outcome:absent intend outcome:done", &type_late,
        {.send_fails = ERROR_UNAVAILABLE, .fails = 1, .seen = EFFECT_SEEN_NOTHING}, 0, 2, 2, 7},
    /* At one that knows it: it is sent again at once, and stays open meanwhile. */
    {"sent again at once after a crash", FIND GO KEPT, "intend intend:again outcome:done", &type_late,
        {.seen = EFFECT_SEEN_NOTHING, .knows = true}, 0, 1, 1, 7},
    {"asked once more by an engine that was started anew", FIND FIND GO KEPT, "intend intend:again intend:again outcome:done", &type_late,
        {.seen = EFFECT_SEEN_NOTHING, .knows = true}, 0, 1, 2, 7},
    {"sent again at once after a failure", GO GO KEPT, "intend intend:again outcome:done", &type_late,
        {.send_fails = ERROR_UNAVAILABLE, .fails = 1, .seen = EFFECT_SEEN_NOTHING, .knows = true}, 0, 2, 1, 7},
    {"it will not be sent again", GO KEPT, "intend progress outcome:absent", &type_late,
        {.send_fails = ERROR_TIMEOUT, .seen = EFFECT_SEEN_NOTHING, .knows = true}, -ERROR_TIMEOUT, 1, 2, 0},
    {"it was sent often enough", LOST KEPT, "intend progress outcome:absent", &type_late, {.seen = EFFECT_SEEN_NOTHING, .knows = true},
        -ERROR_UNAVAILABLE, 0, 2, 0},
    /* For long: another process asks again. */
    {"it was sent just now", JUST_NOW, "intend progress park", &type_very_late, {.seen = EFFECT_SEEN_NOTHING}, -ERROR_PARKED, 0, 1, 0},
    {"it was sent long ago", LONG_AGO KEPT GO KEPT, "intend outcome:absent intend outcome:done", &type_very_late,
        {.seen = EFFECT_SEEN_NOTHING}, 0, 1, 1, 7},
    {"no effects in the type", GO KEPT, "", &type_without_effects, {0}, -ERROR_UNSUPPORTED, 0, 0, 0},
    {"the engine leaves", "", "intend", &type, {0}, -ERROR_UNAVAILABLE, 0, 0, 0},
    {"outcome not kept", GO, "intend outcome:done", &type, {0}, -ERROR_UNAVAILABLE, 1, 0, 0},
    {"another effect's answer", "{\"type\":\"go\",\"name\":\"other\",\"key\":\"k1\"}\n", "intend", &type, {0}, -ERROR_UNAVAILABLE, 0, 0, 0},
    {"said again after a restart", KEPT GO FIND KEPT, "intend outcome:done", &type, {0}, 0, 1, 0, 7},
    {"a new kind of line", "{\"type\":\"later\"}\n" GO "{\"type\":\"later\"}\n" KEPT, "intend outcome:done", &type, {0}, 0, 1, 0, 7},
    {"go without a key", "{\"type\":\"go\",\"name\":\"order\"}\n", "intend", &type, {0}, -ERROR_PROTOCOL, 0, 0, 0},
    {"not JSON", "go\n", "intend", &type, {0}, -ERROR_INVALID, 0, 0, 0},
    {"not an answer", "[]\n", "intend", &type, {0}, -ERROR_PROTOCOL, 0, 0, 0},
};

static void effects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(effect_cases); i++) {
        const struct effect_case *one = &effect_cases[i];
        struct world world = one->world;
        struct error err = {0};
        AUTO(free_text) char *said = NULL;
        int id = 0, result = run_effect(one->type, &world, one->answers, &said, &id, &err);
        if (result != one->result || world.sent != one->sent || world.found != one->found || id != one->id || strcmp(said, one->said) != 0)
            fail_msg("%s: result %d (%s), sent %d, found %d, id %d, said \"%s\"", one->name, result, err.message, world.sent, world.found,
                id, said);
        if (result) assert_true(err.message[0] != '\0');
    }
}

static void intent_carries_digest(void **state)
{
    AUTO(free_json) json_t *body = parse("{\"order\": \"one\"}"), *outcome = NULL;
    struct world world = {0};
    char digest[65];
    (void)state;
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}}"), GO KEPT);
    assert_int_equal(step_effect(peer.step, "order", "the-domain", body, send_it, &world, &outcome, NULL), 0);
    peer_end(&peer);
    const json_t *intent = json_array_get(peer.heard, 0);
    json_digest(body, digest);
    assert_string_equal(json_text(intent, "digest", ""), digest);
    assert_string_equal(json_text(intent, "target", ""), "the-domain");
    assert_true(json_equal(json_object_get(intent, "body"), body));
    assert_int_equal(json_whole(json_object_get(json_array_get(peer.heard, 1), "outcome"), "id", 0), 7);
    peer_release(&peer);
}

/* --- undoing --- */

static int undo_it(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(free_json) json_t *body = parse("{\"order\": \"one\"}"), *ignored = NULL;
    assert_int_equal(json_whole(outcome, "id", 0), json_whole(json_object_get(intent, "outcome"), "id", -1));
    AUTO(free_text) char *name = mem_format("undo %s", json_text(intent, "name", ""));
    return step_effect(step, name, json_text(intent, "target", ""), body, send_it, the_world, &ignored, err);
}

static const struct step_type type_with_undo = {.name = "test", .describe = describe_it, .find = find_it, .compensate = undo_it};

static int undo_found(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    (void)step, (void)err;
    assert_string_equal(json_text(intent, "key", ""), "k1");
    const char *adopt = json_text(intent, "adopt", NULL);
    if (adopt)
        assert_string_equal(json_text(outcome, "order", ""), adopt); /* what a person said */
    else
        assert_int_equal(json_whole(outcome, "id", 0), 9); /* what was found, not what is on record */
    return 0;
}

static const struct step_type type_with_find = {.name = "test", .describe = describe_it, .find = find_it, .compensate = undo_found};

static int run_undo_of(
    const struct step_type *of, const char *input, struct world *world, const char *answers, char **ret_said, struct error *err);

static int run_undo(const struct step_type *of, struct world *world, const char *answers, char **ret_said, struct error *err)
{
    static const char input[] =
        "{\"with\": {}, \"facts\": {}, \"compensate\": ["
        "{\"name\": \"b\", \"target\": \"t\", \"key\": \"kb\", \"digest\": \"d\", \"body\": 1, \"outcome\": {\"id\": 2}}, "
        "{\"name\": \"a\", \"target\": \"t\", \"key\": \"ka\", \"digest\": \"d\", \"body\": 1, \"outcome\": {\"id\": 1}}]}";
    return run_undo_of(of, input, world, answers, ret_said, err);
}

static int run_undo_of(
    const struct step_type *of, const char *input, struct world *world, const char *answers, char **ret_said, struct error *err)
{
    struct peer peer = peer_begin(of, parse(input), answers);
    the_world = world;
    int failed = step_compensate(of, peer.step, err);
    peer_end(&peer);
    struct text said = {0};
    size_t index;
    json_t *line;
    json_array_foreach(peer.heard, index, line)
        text_add_format(&said, "%s%s %s", index ? ", " : "", json_text(line, "type", "?"), json_text(line, "name", "?"));
    *ret_said = text_take(&said);
    peer_release(&peer);
    return failed;
}

#define UNDO_GO(name) "{\"type\":\"go\",\"name\":\"undo " name "\",\"key\":\"k1\"}\n"
#define KEPT_NAME(name) "{\"type\":\"kept\",\"name\":\"" name "\"}\n"

static void undoing_goes_one_by_one(void **state)
{
    (void)state;
    struct world world = {0};
    struct error err = {0};
    AUTO(free_text) char *said = NULL;
    int failed = run_undo(&type_with_undo, &world,
        UNDO_GO("b") KEPT_NAME("undo b") KEPT_NAME("b") UNDO_GO("a") KEPT_NAME("undo a") KEPT_NAME("a"), &said, &err);
    assert_int_equal(failed, 0);
    assert_int_equal(world.sent, 2);
    assert_string_equal(said, "intend undo b, outcome undo b, compensated b, intend undo a, outcome undo a, compensated a");
}

static void what_is_in_doubt_is_asked_for_before_it_is_undone(void **state)
{
    (void)state;
    static const char form[] =
        "{\"with\": {}, \"facts\": {}, \"compensate\": [{\"name\": \"b\", \"target\": \"the-domain\", \"key\": \"k1\", "
        "\"digest\": \"d\", \"body\": {\"order\": \"one\"}, \"outcome\": null, \"find\": true%s}]}";
    static const struct {
        enum effect_seen seen;
        const char *more, *said;
    } cases[] = {
        {EFFECT_SEEN_DONE, "", "outcome b, compensated b"},
        {EFFECT_SEEN_DONE, ", \"keep\": true", "outcome b"},
        {EFFECT_SEEN_ABSENT, "", "outcome b"},
        {EFFECT_SEEN_UNSURE, "", "outcome b"},
        {EFFECT_SEEN_UNSURE, ", \"adopt\": \"17\"", "outcome b, compensated b"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world world = {.seen = cases[i].seen};
        struct error err = {0};
        AUTO(free_text) char *input = mem_format(form, cases[i].more);
        AUTO(free_text) char *said = NULL;
        assert_int_equal(run_undo_of(&type_with_find, input, &world, KEPT_NAME("b") KEPT_NAME("b"), &said, &err), 0);
        assert_string_equal(said, cases[i].said);
    }
}

static void undoing_ends_where_it_fails(void **state)
{
    (void)state;
    struct world world = {.send_fails = ERROR_DENIED};
    struct error err = {0};
    AUTO(free_text) char *said = NULL;
    assert_int_equal(run_undo(&type_with_undo, &world, UNDO_GO("b") KEPT_NAME("undo b"), &said, &err), -ERROR_DENIED);
    assert_string_equal(said, "intend undo b, outcome undo b");
}

static void a_type_that_cannot_undo_says_so(void **state)
{
    (void)state;
    struct world world = {0};
    struct error err = {0};
    AUTO(free_text) char *said = NULL;
    assert_int_equal(run_undo(&type, &world, "", &said, &err), -ERROR_UNSUPPORTED);
    assert_string_equal(err.message, "step type test cannot undo b");
    assert_string_equal(said, "");
}

static void checkpoint_is_kept(void **state)
{
    (void)state;
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}, \"checkpoint\": {\"tick\": 3}}"), "{\"type\":\"kept\"}\n");
    assert_int_equal(json_whole(step_checkpoint_read(peer.step), "tick", 0), 3);
    assert_int_equal(step_checkpoint(peer.step, parse("{\"tick\": 4}"), NULL), 0);
    assert_int_equal(json_whole(step_checkpoint_read(peer.step), "tick", 0), 4);
    assert_int_equal(step_checkpoint(peer.step, parse("{\"tick\": 5}"), NULL), -ERROR_UNAVAILABLE);
    assert_int_equal(json_whole(step_checkpoint_read(peer.step), "tick", 0), 4);
    peer_end(&peer);
    assert_int_equal(json_whole(json_object_get(json_array_get(peer.heard, 0), "checkpoint"), "tick", 0), 4);
    peer_release(&peer);
}

static void park(void **state)
{
    (void)state;
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}, \"checkpoint\": null}"), "");
    assert_null(step_checkpoint_read(peer.step));
    assert_false(step_is_parked(peer.step));
    assert_int_equal(step_park(peer.step, 1234, parse("{\"tick\": 1}"), NULL), -ERROR_PARKED);
    assert_true(step_is_parked(peer.step));
    peer_end(&peer);
    const json_t *line = json_array_get(peer.heard, 0);
    assert_int_equal(json_whole(line, "until", 0), 1234);
    assert_int_equal(json_whole(json_object_get(line, "checkpoint"), "tick", 0), 1);
    peer_release(&peer);
}

static void messages(void **state)
{
    (void)state;
    AUTO(free_text) char *large = mem_alloc(LIMIT_STEP_LINE_BYTES + 1);
    memset(large, 'x', LIMIT_STEP_LINE_BYTES);
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}}"), "");
    assert_int_equal(step_progress(peer.step, 0.5, "half of %d", 10), 0);
    assert_int_equal(step_annotate(peer.step, "warning", "a.c", 3, "not UTF-8: \xff"), 0);
    assert_int_equal(step_annotate(peer.step, "notice", NULL, 0, large), 0);
    assert_int_equal(step_output(peer.step, "small", json_integer(1)), 0);
    assert_int_equal(step_output(peer.step, "large", json_string(large)), -ERROR_LIMIT);
    peer_end(&peer);
    AUTO(free_text) char *types = peer_types(&peer);
    assert_string_equal(types, "progress annotate annotate output");
    assert_string_equal(json_text(json_array_get(peer.heard, 0), "message", ""), "half of 10");
    assert_string_equal(json_text(json_array_get(peer.heard, 1), "message", ""), "not UTF-8: ?");
    assert_int_equal(strlen(json_text(json_array_get(peer.heard, 2), "message", "")), 4096);
    assert_int_equal(json_integer_value(peer_output(&peer, "small")), 1);
    peer_release(&peer);
}

static void wrong_input(void **state)
{
    (void)state;
    struct step *step = NULL;
    AUTO(free_json)
    json_t *old = parse("{\"protocol\": 2, \"with\": {}, \"facts\": {}}"), *bare = parse("{\"protocol\": 1}"), *list = parse("[]");
    struct error err = {0};
    assert_int_equal(step_open(&type, old, -1, &step, &err), -ERROR_UNSUPPORTED);
    assert_true(err.hint[0] != '\0');
    assert_int_equal(step_open(&type, bare, -1, &step, NULL), -ERROR_INVALID);
    assert_int_equal(step_open(&type, list, -1, &step, NULL), -ERROR_INVALID);
    assert_null(step);
}

/* Answers may come in any pieces, and a line without an end is not read for ever. */
static void endless_line(void **state)
{
    (void)state;
    AUTO(free_text) char *large = mem_alloc(LIMIT_STEP_LINE_BYTES + 100);
    memset(large, ' ', LIMIT_STEP_LINE_BYTES + 99);
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}}"), large);
    assert_int_equal(step_checkpoint(peer.step, json_integer(1), NULL), -ERROR_PROTOCOL);
    peer_end(&peer);
    peer_release(&peer);
}

/* A table's promise is kept: a value of another type is not said, and why is told. */
static void output_of_wrong_type(void **state)
{
    (void)state;
    static const struct field outputs[] = {{.name = "path", .type = FIELD_TEXT}, {.name = "size", .type = FIELD_INTEGER}, FIELD_END};
    static const struct step_type typed = {.name = "test", .outputs = outputs};
    struct peer peer = peer_begin(&typed, parse("{\"with\": {}, \"facts\": {}}"), "");
    assert_int_equal(step_output(peer.step, "path", json_integer(3)), -ERROR_INTERNAL);
    assert_int_equal(step_output(peer.step, "size", json_string("3")), -ERROR_INTERNAL);
    assert_int_equal(step_output(peer.step, "path", json_string("a")), 0);
    peer_end(&peer);
    AUTO(free_text) char *types = peer_types(&peer);
    assert_string_equal(types, "annotate annotate output");
    peer_release(&peer);
}

/* A cancelled step is ended behind its effect's outcome, not in the middle. */
static void an_end_waits_for_the_outcome(void **state)
{
    struct world world = {0};
    AUTO(free_json) json_t *body = parse("{\"order\": \"one\"}"), *outcome = NULL;
    struct peer peer = peer_begin(&type, parse("{\"with\": {}, \"facts\": {}}"), GO KEPT);
    (void)state;
    signal(SIGTERM, note_end);
    assert_int_equal(step_effect(peer.step, "order", "the-domain", body, send_and_be_ended, &world, &outcome, NULL), 0);
    assert_int_equal(ended, 1);
    signal(SIGTERM, SIG_DFL);
    peer_end(&peer);
    assert_string_equal(json_text(json_array_get(peer.heard, json_array_size(peer.heard) - 1), "seen", ""), "done");
    peer_release(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_end_waits_for_the_outcome), cmocka_unit_test(effects),
        cmocka_unit_test(intent_carries_digest), cmocka_unit_test(undoing_goes_one_by_one), cmocka_unit_test(undoing_ends_where_it_fails),
        cmocka_unit_test(what_is_in_doubt_is_asked_for_before_it_is_undone), cmocka_unit_test(a_type_that_cannot_undo_says_so),
        cmocka_unit_test(checkpoint_is_kept), cmocka_unit_test(park), cmocka_unit_test(messages), cmocka_unit_test(output_of_wrong_type),
        cmocka_unit_test(wrong_input), cmocka_unit_test(endless_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
