/* test_publish.c: a package becomes an offering, once, and another content of the same version does not. */
#include "core.h"

#include "../../../steps/package.h"

#define CHECKPOINT KEPT
#define EFFECT(name) GO(name, "k-" name) KEPT_OF(name)
#define ALL CHECKPOINT EFFECT("package") EFFECT("specification") EFFECT("candidate") EFFECT("product") EFFECT("offering")

/* A package of hello-web with this content; its file is hello.tar.gz in the folder. */
static void make_package(const char *folder, const char *file, const char *version, const char *content)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, file), *work = mem_format("%s/ws", folder);
    AUTO(free_text)
    char *manifest =
        mem_format("{\"format\": \"crescendo-package\", \"format_version\": 1, \"name\": \"hello-web\", \"version\": \"%s\"}", version);
    struct package_files files = {0};
    put_file(folder, "ws/bin/web", content, 0755);
    assert_int_equal(contents_add(&files, work, "bin/web", "bin/web", NULL), 0);
    assert_int_equal(contents_digest(work, &files, NULL), 0);
    assert_int_equal(archive_write_package(path, work, manifest, &files, 315532800, NULL), 0);
    contents_release(&files);
}

/* Opens publish with the service hello-web of the given version. */
static struct peer open_publish(const struct core *core, const char *version, const char *more, json_t *checkpoint, const char *lines)
{
    AUTO(free_text) char *with = mem_format("{\"packages\": [\"%s/hello.tar.gz\"]%s}", core->folder, more);
    json_t *input = input_for(core, with, checkpoint);
    json_t *service =
        parse("{\"service\": \"hello-web\", \"kind\": \"microservice\", \"components\": [{\"compute\": {\"name\": \"web\"}}]}");
    json_put_text(service, "version", version);
    json_put(json_object_get(input, "facts"), "service", service);
    json_put_text(json_object_get(input, "facts"), "commit", "0123abcd");
    json_put_text(json_object_get(input, "facts"), "repository", "/srv/hello.git");
    return peer_begin(&publish_step_type, input, lines);
}

static int publish(
    const struct core *core, const char *more, json_t *checkpoint, const char *lines, struct peer *ret_peer, struct error *err)
{
    *ret_peer = open_publish(core, "1.0.0", more, checkpoint, lines);
    int failed = publish_perform(ret_peer->step, err);
    peer_end(ret_peer);
    return failed;
}

static void a_package_is_offered(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    if (publish(core, ", \"category\": \"video\"", NULL, ALL, &peer, &err) < 0) fail_msg("%s", err.message);
    AUTO(free_json) json_t *has = core_state(core);
    const char *offering = json_string_value(peer_output(&peer, "offering")), *id = json_string_value(peer_output(&peer, "specification"));
    const json_t *specification = json_object_get(json_object_get(has, "serviceSpecification"), id);
    const json_t *attachment = json_array_get(json_object_get(specification, "attachment"), 0);
    const char *digest = json_text(attachment, "digest", "");
    AUTO(free_text) char *url = mem_format("/artifacts/v1/%s", digest);
    assert_string_equal(json_text(attachment, "url", ""), url);
    assert_string_equal(json_text(specification, "description", ""), "first published from commit 0123abcd of hello.git");
    assert_string_equal(json_text(attachment, "name", ""), "hello.tar.gz");
    assert_true(json_whole(json_object_get(has, "artifacts"), digest, 0) > 0);
    const json_t *descriptor = json_array_get(json_object_get(specification, "specCharacteristic"), 0);
    descriptor = json_object_get(json_array_get(json_object_get(descriptor, "characteristicValueSpecification"), 0), "value");
    assert_string_equal(json_text(descriptor, "service", ""), "hello-web");
    const json_t *document = json_object_get(json_object_get(has, "productOffering"), offering);
    assert_string_equal(json_text(document, "lifecycleStatus", ""), "Active");
    assert_string_equal(json_text(json_array_get(json_object_get(document, "category"), 0), "name", ""), "video");
    assert_string_equal(json_string_value(peer_output(&peer, "version")), "1.0.0");
    AUTO(free_text) char *order = mem_format("{\"domain\": \"lab\", \"action\": \"add\", \"offering\": \"%s\"}", offering);
    peer_release(&peer);
    /* what was published can be ordered */
    must_run(core, &order_step_type, order, ONE_EFFECT("order", "k1"));
    assert_service(core, "1.1", "active 100 1");
}

static void large_ones_go_in_pieces(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    enum { SIZE = 9 * 1024 * 1024 };
    AUTO(free_text) char *bytes = mem_alloc(SIZE + 1);
    uint32_t seed = 1;
    for (size_t i = 0; i < SIZE; i++) /* what does not compress */
        bytes[i] = (char)('!' + (seed = seed * 1664525 + 1013904223) / 50000000);
    make_package(core->folder, "hello.tar.gz", "1.0.0", bytes);
    assert_int_equal(publish(core, "", NULL, ALL, &peer, NULL), 0);
    AUTO(free_text) char *requests = get_file(core->folder, "requests");
    size_t puts = 0;
    for (const char *at = requests; (at = strstr(at, "PUT /artifacts")); at++)
        puts++;
    assert_in_range(puts, 2, 3);
    AUTO(free_json) json_t *has = core_state(core);
    assert_int_equal(json_object_size(json_object_get(has, "artifacts")), 1);
    peer_release(&peer);
}

static void again_makes_nothing(void **state)
{
    NEEDS_CORE(state);
    struct peer first, second;
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    assert_int_equal(publish(core, "", NULL, ALL, &first, NULL), 0);
    size_t offerings = core_count(core, "productOffering");
    assert_int_equal(publish(core, "", NULL, CHECKPOINT, &second, NULL), 0); /* nothing is intended */
    assert_string_equal(json_string_value(peer_output(&second, "offering")), json_string_value(peer_output(&first, "offering")));
    assert_int_equal(core_count(core, "productOffering"), offerings);
    peer_release(&first);
    peer_release(&second);
}

static void another_content_needs_another_version(void **state)
{
    NEEDS_CORE(state);
    struct peer peer;
    struct error err = {0};
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    assert_int_equal(publish(core, "", NULL, ALL, &peer, NULL), 0);
    peer_release(&peer);
    make_package(core->folder, "hello.tar.gz", "1.0.0", "two");
    assert_int_equal(publish(core, "", NULL, CHECKPOINT, &peer, &err), -ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "hello-web 1.0.0 is there already, with another content"));
    assert_non_null(strstr(err.hint, "raise the version"));
    peer_release(&peer);
}

/* Each document's answer is lost after the work: it is found by its name and version, and made once. */
static void lost_answers_make_nothing_twice(void **state)
{
    NEEDS_CORE(state);
    static const char *const parts[] = {"serviceSpecification", "serviceCandidate", "productSpecification", "productOffering"};
    size_t before[COUNT_OF(parts)];
    struct peer peer;
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        before[i] = core_count(core, parts[i]);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        AUTO(free_text) char *path = mem_format("/%s", parts[i]);
        set_fault(core, "POST", path, i % 2 ? "close-after" : "error-after");
        struct error err = {0};
        AUTO(free_text) char *version = mem_format("1.0.%zu", i);
        make_package(core->folder, "hello.tar.gz", version, "one");
        peer = open_publish(core, version, "", NULL, ALL);
        if (publish_perform(peer.step, &err) < 0) fail_msg("%s: %s", parts[i], err.message);
        peer_end(&peer);
        peer_release(&peer);
    }
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_int_equal(core_count(core, parts[i]), before[i] + COUNT_OF(parts));
}

static enum effect_seen look(const struct core *core, const char *intent, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *asked = parse(intent);
    struct peer peer = peer_begin(&publish_step_type, input_for(core, "{}", parse("{\"name\": \"hello\", \"version\": \"1.0.0\"}")), "");
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    int failed = publish_find(peer.step, asked, &seen, ret_outcome, err);
    peer_end(&peer);
    peer_release(&peer);
    return failed ? EFFECT_SEEN_UNSURE : seen;
}

/* A person says which document it became; what is another's is not taken for it. */
static void a_word_is_looked_up(void **state)
{
    NEEDS_CORE(state);
    AUTO(free_json) json_t *outcome = NULL, *other = NULL;
    struct error err = {0};
    assert_int_equal(
        look(core, "{\"name\": \"specification\", \"key\": \"k\", \"adopt\": \"s1\", \"body\": {}}", &outcome, &err), EFFECT_SEEN_DONE);
    assert_string_equal(json_text(outcome, "id", ""), "s1");
    assert_true(json_flag(outcome, "made", false));
    look(core, "{\"name\": \"specification\", \"key\": \"k\", \"adopt\": \"s2\", \"body\": {}}", &other, &err);
    assert_non_null(strstr(err.message, "s2 is hello 2.0.0, not hello 1.0.0"));
    err = (struct error){0};
    look(core, "{\"name\": \"specification\", \"key\": \"k\", \"adopt\": \"s9\", \"body\": {}}", &other, &err);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_null(other);
}

/* A document that is not there may still be under way; a second one would be another. */
static void what_is_not_there_may_be_late(void **state)
{
    NEEDS_CORE(state);
    AUTO(free_json) json_t *outcome = NULL;
    struct error err = {0};
    static const char asked[] = "{\"name\": \"candidate\", \"key\": \"k\", \"body\": {\"serviceSpecification\": {\"id\": \"s7\"}}}";
    assert_int_equal(look(core, asked, &outcome, &err), EFFECT_SEEN_NOTHING);
    struct peer peer = peer_begin(&publish_step_type, input_for(core, "{}", NULL), "");
    struct delivery delivery = {0};
    publish_step_type.delivery(peer.step, &delivery);
    assert_int_equal(delivery.life_ms, 3000);
    assert_false(delivery.repeat_is_safe);
    peer_end(&peer);
    peer_release(&peer);
}

static void goes_back_by_retiring(void **state)
{
    NEEDS_CORE(state);
    struct peer peer, back;
    struct error err = {0};
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    assert_int_equal(publish(core, "", NULL, ALL, &peer, NULL), 0);
    AUTO(free_text) char *offering = mem_copy_text(json_string_value(peer_output(&peer, "offering")));
    assert_int_equal(undo(core, &publish_step_type, "{}", &peer, 1, "", &back, &err), 0); /* the specification stays */
    assert_null(heard(&back, "intend", 0));
    peer_release(&back);
    assert_int_equal(undo(core, &publish_step_type, "{}", &peer, 4, GO("undo offering", "u1") KEPT_OF("undo offering"), &back, &err), 0);
    AUTO(free_json) json_t *has = core_state(core);
    assert_string_equal(json_text(json_object_get(json_object_get(has, "productOffering"), offering), "lifecycleStatus", ""), "Retired");
    peer_release(&back);
    assert_int_equal(undo(core, &publish_step_type, "{}", &peer, 4, FIND("undo offering", "u1") KEPT_OF("undo offering"), &back, &err), 0);
    assert_string_equal(json_text(heard(&back, "outcome", 0), "seen", ""), "done");
    peer_release(&back);
    peer_release(&peer);
    /* published again, it is offered again */
    assert_int_equal(publish(core, "", NULL, CHECKPOINT EFFECT("offering"), &peer, &err), 0);
    assert_string_not_equal(json_string_value(peer_output(&peer, "offering")), offering);
    peer_release(&peer);
}

static void refusals(void **state)
{
    NEEDS_CORE(state);
    static const struct {
        const char *version, *more;
        int result;
        const char *words;
    } cases[] = {
        {"1.0.0", ", \"version\": \"1.0.1\"", -ERROR_CONFLICT, "the package has the version \"1.0.0\", but the step says \"1.0.1\""},
        {"1.0.0", ", \"name\": \"hello\"", -ERROR_CONFLICT, "the step says \"hello\""},
        {"2.0.0", "", -ERROR_CONFLICT, "the descriptor says \"2.0.0\""},
        {"1.0.0", ", \"catalogue\": \"marketplace\"", -ERROR_INVALID, "no domain \"marketplace\""},
        {"1.0.0", ", \"packages\": []", -ERROR_INVALID, "packages is empty"},
        {"1.0.0", ", \"packages\": [\"/etc/hostname\"]", -ERROR_INVALID, "is no package"},
        {"1.0.0", ", \"packages\": \"/nowhere.tar.gz\"", -ERROR_NOT_FOUND, "/nowhere.tar.gz"},
    };
    make_package(core->folder, "hello.tar.gz", "1.0.0", "one");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        bool own = strstr(cases[i].more, "packages") != NULL;
        AUTO(free_text) char *with = mem_format("{%s}", own ? cases[i].more + 2 : "");
        struct peer peer = open_publish(core, cases[i].version, own ? "" : cases[i].more, NULL, ALL);
        if (own) json_object_update_new(json_object_get(peer.input, "with"), parse(with));
        int result = publish_perform(peer.step, &err);
        if (result != cases[i].result || !strstr(err.message, cases[i].words)) fail_msg("%s: %d %s", cases[i].more, result, err.message);
        peer_end(&peer);
        assert_null(heard(&peer, "intend", 0));
        peer_release(&peer);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_core, stop_core)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_package_is_offered), TEST(large_ones_go_in_pieces), TEST(again_makes_nothing),
        TEST(another_content_needs_another_version), TEST(lost_answers_make_nothing_twice), TEST(goes_back_by_retiring), TEST(refusals),
        TEST(a_word_is_looked_up), TEST(what_is_not_there_may_be_late)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
