/* test_documents.c: documents by id and by key, in the order of their first writing, seen before they are on disk. */
#include "fixture.h"

static struct document document_of(const char *id, const char *key, const char *body)
{
    return (struct document){.collection = "service", .id = id, .key = key, .body = body, .size = body ? strlen(body) : 0};
}

static void put(struct fixture *fixture, const char *id, const char *key, const char *body)
{
    struct document document = document_of(id, key, body);
    append_documents(fixture, &document, 1);
}

static void expect_body(struct fixture *fixture, const char *id, const char *expected)
{
    AUTO(free_text) char *body = NULL;
    struct error err = {0};
    size_t size = 0;
    int failed = journal_get_document(fixture->journal, "service", id, &body, &size, &err);
    assert_int_equal(failed, expected ? 0 : -ERROR_NOT_FOUND);
    if (!expected) return;
    assert_string_equal(body, expected);
    assert_int_equal(size, strlen(expected));
}

static void expect_id(struct fixture *fixture, const char *key, const char *expected)
{
    AUTO(free_text) char *id = NULL;
    struct error err = {0};
    int failed = journal_find_document(fixture->journal, "service", key, &id, &err);
    assert_int_equal(failed, expected ? 0 : -ERROR_NOT_FOUND);
    if (expected) assert_string_equal(id, expected);
}

static int add_id(void *context, const struct document *row)
{
    text_add_format(context, "%s=%.*s ", row->id, (int)row->size, row->body);
    return 0;
}

static void expect_list(struct fixture *fixture, struct document_query query, const char *expected)
{
    AUTO(text_release) struct text list = {0};
    query.collection = "service";
    assert_int_equal(journal_list_documents(fixture->journal, &query, add_id, &list, NULL), 0);
    assert_string_equal(text_view(&list), expected);
}

static void the_last_version_is_seen_queued_and_written(void **state)
{
    struct fixture *fixture = *state;
    expect_body(fixture, "1", NULL);
    put(fixture, "1", NULL, "one");
    expect_body(fixture, "1", "one");
    put(fixture, "1", NULL, "two");
    expect_body(fixture, "1", "two");
    fixture_settle(fixture);
    assert_int_equal(fixture->answered, 2);
    expect_body(fixture, "1", "two");
    put(fixture, "1", NULL, "three");
    fixture_reopen(fixture);
    expect_body(fixture, "1", "three");
    put(fixture, "1", NULL, NULL);
    expect_body(fixture, "1", NULL);
    fixture_reopen(fixture);
    expect_body(fixture, "1", NULL);
}

static char *read_it(struct fixture *fixture, const char *id)
{
    char *body = NULL;
    struct error err;
    return journal_read_document(fixture->journal, "service", id, &body, NULL, &err) ? mem_copy_text("") : body;
}

/* An order that reads completed and a list in which its service is not there yet would contradict each other. The writer may commit between
   two questions: what was the same before and after the list must be in it. */
static void what_is_on_disk_agrees_with_a_list(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "1", NULL, "one");
    fixture_settle(fixture);
    put(fixture, "1", NULL, "two");
    AUTO(free_text) char *before = read_it(fixture, "1");
    AUTO(text_release) struct text list = {0};
    struct document_query query = {.collection = "service"};
    assert_int_equal(journal_list_documents(fixture->journal, &query, add_id, &list, NULL), 0);
    AUTO(free_text) char *after = read_it(fixture, "1");
    AUTO(free_text) char *wanted = mem_format("1=%s ", before);
    if (text_equal(before, after)) assert_string_equal(text_view(&list), wanted);
    fixture_settle(fixture);
    AUTO(free_text) char *settled = read_it(fixture, "1");
    assert_string_equal(settled, "two");
}

static void a_missing_one_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    AUTO(free_text) char *body = NULL;
    assert_int_equal(journal_get_document(fixture->journal, "service", "9", &body, NULL, &err), -ERROR_NOT_FOUND);
    assert_string_equal(err.message, "there is no service 9");
    assert_null(body);
}

static void a_key_finds_its_document_queued_and_written(void **state)
{
    struct fixture *fixture = *state;
    expect_id(fixture, "k", NULL);
    put(fixture, "1", "k", "one");
    expect_id(fixture, "k", "1");
    fixture_settle(fixture);
    expect_id(fixture, "k", "1");
    put(fixture, "1", NULL, "two"); /* its key stays */
    fixture_settle(fixture);
    expect_id(fixture, "k", "1");
    put(fixture, "1", NULL, NULL);
    expect_id(fixture, "k", NULL);
    put(fixture, "2", "k", "other");
    expect_id(fixture, "k", "2");
    fixture_reopen(fixture);
    expect_id(fixture, "k", "2");
}

/* One transaction with all of it: only last versions are written, and a removal in between is not forgotten. */
static void versions_of_one_transaction_are_one(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "0", NULL, "zero");
    fixture_settle(fixture);
    struct document documents[] = {
        document_of("1", "a", "one"),
        document_of("1", NULL, "two"), /* the key is the first one's */
        document_of("2", "b", "one"),
        document_of("2", NULL, NULL),
        document_of("3", "b", "three"), /* the key is free again */
        document_of("2", "c", "two"),   /* and this one has another */
        document_of("0", NULL, NULL),
        document_of("0", NULL, "again"),
    };
    append_documents(fixture, documents, COUNT_OF(documents));
    for (int round = 0; round < 2; round++) {
        expect_body(fixture, "1", "two");
        expect_id(fixture, "a", "1");
        expect_id(fixture, "b", "3");
        expect_id(fixture, "c", "2");
        fixture_reopen(fixture);
    }
    assert_int_equal(journal_count(fixture->journal).commits, 0);
    expect_list(fixture, (struct document_query){0}, "1=two 2=two 3=three 0=again ");
}

static void lists_are_in_the_order_of_first_writing(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "b", NULL, "{\"n\":1}");
    put(fixture, "a", NULL, "{\"n\":2}");
    put(fixture, "c", NULL, "{\"n\":12}");
    struct document other = {.collection = "serviceOrder", .id = "a", .body = "{}", .size = 2};
    append_documents(fixture, &other, 1);
    fixture_settle(fixture);
    put(fixture, "b", NULL, "{\"n\":3}");
    fixture_settle(fixture);
    expect_list(fixture, (struct document_query){0}, "b={\"n\":3} a={\"n\":2} c={\"n\":12} ");
    expect_list(fixture, (struct document_query){.newest_first = true}, "c={\"n\":12} a={\"n\":2} b={\"n\":3} ");
    expect_list(fixture, (struct document_query){.skip = 1, .limit = 1}, "a={\"n\":2} ");
    expect_list(fixture, (struct document_query){.holds = ":12"}, "c={\"n\":12} ");
    expect_list(fixture, (struct document_query){.holds = "2}", .newest_first = true, .limit = 1}, "c={\"n\":12} ");
    expect_list(fixture, (struct document_query){.holds = "%"}, "");
    uint64_t count = 0;
    assert_int_equal(journal_count_documents(fixture->journal, "service", &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_int_equal(journal_count_documents(fixture->journal, "nothing", &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void many_queued_ones_are_all_seen(void **state)
{
    struct fixture *fixture = *state;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3000; i++) {
            AUTO(free_text) char *id = mem_format("%u", i);
            AUTO(free_text) char *key = mem_format("key %u", i);
            AUTO(free_text) char *body = mem_format("%d %u", round, i);
            put(fixture, id, key, body);
            expect_body(fixture, id, body);
            expect_id(fixture, key, id);
        }
    }
    fixture_settle(fixture);
    expect_body(fixture, "2999", "1 2999");
    expect_id(fixture, "key 17", "17");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(the_last_version_is_seen_queued_and_written),
        TEST(what_is_on_disk_agrees_with_a_list),
        TEST(a_missing_one_is_named),
        TEST(a_key_finds_its_document_queued_and_written),
        TEST(versions_of_one_transaction_are_one),
        TEST(lists_are_in_the_order_of_first_writing),
        TEST(many_queued_ones_are_all_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
