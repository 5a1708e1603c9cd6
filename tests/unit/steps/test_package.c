/* test_package.c: packages are reproducible, say what they hold, and keep keys out. */
#include "support.h"

#include "../../../steps/package.h"
#include "../../../steps/perform.h"
#include "../../../steps/registry.h"

#include <archive.h>
#include <archive_entry.h>
#include <utime.h>

static const char key_text[] = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx1QsMn3jSoo0RrN1kVZ7BXkd9vEo\n";

/* Packages folder/ws into folder/state. Release the peer. */
static int package_at(const char *commit, const char *folder, const char *with, struct peer *ret_peer, struct error *err)
{
    AUTO(free_text) char *workspace = mem_format("%s/ws", folder), *state = mem_format("%s/state", folder);
    json_t *input = json_pack("{s:o, s:{s:s, s:s, s:s, s:s}}", "with", parse(with), "facts", "repository", "/srv/hello.git", "commit",
        commit, "workspace", workspace, "state", state);
    *ret_peer = peer_begin(&package_step_type, input, "");
    int failed = package_perform(ret_peer->step, err);
    peer_end(ret_peer);
    return failed;
}

static int package(const char *folder, const char *with, struct peer *ret_peer, struct error *err)
{
    return package_at("0123456789abcdef0123456789abcdef01234567", folder, with, ret_peer, err);
}

/* As package; only the result and the error count. */
static int package_result(const char *folder, const char *with, struct error *err)
{
    struct peer peer;
    int failed = package(folder, with, &peer, err);
    if (failed) assert_null(peer_output(&peer, "file"));
    peer_release(&peer);
    return failed;
}

static void fill(const char *folder)
{
    put_file(folder, "ws/build/hello", "#!/bin/sh\necho hello\n", 0750);
    put_file(folder, "ws/share/doc/b.txt", "b\n", 0600);
    put_file(folder, "ws/share/a.txt", "a\n", 0666);
    put_file(folder, "ws/service.yaml",
        "service: hello-service\nversion: 1.10\nkind: microservice\ncomponents:\n  - compute: { "
        "version: 7 }\n",
        0644);
}

static const char with_all[] = "{\"contents\": {\"bin/hello\": \"build/hello\", \"share\": \"share/\"}}";

struct listing {
    struct text names, modes;
    json_t *manifest;
};

static void read_archive(const char *file, struct listing *ret)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    char bytes[8192];
    *ret = (struct listing){0};
    archive_read_support_format_tar(archive);
    archive_read_support_filter_gzip(archive);
    assert_int_equal(archive_read_open_filename(archive, file, 10240), ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        text_add_format(&ret->names, "%s ", archive_entry_pathname(entry));
        text_add_format(&ret->modes, "%o ", (unsigned)archive_entry_perm(entry));
        assert_int_equal(archive_entry_uid(entry), 0);
        assert_int_equal(archive_entry_mtime(entry), 315532800);
        if (ret->manifest) continue;
        la_ssize_t got = archive_read_data(archive, bytes, sizeof bytes);
        assert_int_equal(json_parse(bytes, (size_t)got, "manifest", &ret->manifest, NULL), 0);
    }
    archive_read_free(archive);
}

static void listing_release(struct listing *listing)
{
    text_release(&listing->names);
    text_release(&listing->modes);
    json_decref(listing->manifest);
}

static void manifest_tells_all(void **state)
{
    const char *folder = *state;
    struct peer peer;
    struct listing listing;
    fill(folder);
    assert_int_equal(package(folder, with_all, &peer, NULL), 0);
    const char *file = json_string_value(peer_output(&peer, "file"));
    assert_string_equal(json_string_value(peer_output(&peer, "name")), "hello-service");
    assert_string_equal(json_string_value(peer_output(&peer, "version")), "1.10");
    assert_true(text_ends(file, "/hello-service-1.10.tar.gz"));
    read_archive(file, &listing);
    assert_string_equal(text_view(&listing.names), "manifest.json bin/hello service.yaml share/a.txt share/doc/b.txt ");
    assert_string_equal(text_view(&listing.modes), "644 755 644 644 644 ");
    json_t *first = json_array_get(json_object_get(listing.manifest, "files"), 0);
    char hex[65];
    sha256_hex("#!/bin/sh\necho hello\n", 21, hex);
    assert_string_equal(json_text(first, "sha256", ""), hex);
    assert_int_equal(json_whole(first, "size", 0), 21);
    assert_string_equal(json_text(first, "mode", ""), "0755");
    assert_string_equal(json_text(listing.manifest, "format", ""), "crescendo-package");
    assert_null(json_object_get(listing.manifest, "commit"));
    assert_string_equal(json_text(json_object_get(listing.manifest, "descriptor"), "kind", ""), "microservice");
    listing_release(&listing);
    peer_release(&peer);
}

static void outputs_are_true(void **state)
{
    struct peer peer;
    fill(*state);
    assert_int_equal(package(*state, with_all, &peer, NULL), 0);
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    char hex[65];
    assert_int_equal(file_read(json_string_value(peer_output(&peer, "file")), 1 << 20, &bytes, &size, NULL), 0);
    sha256_hex(bytes, size, hex);
    assert_int_equal(json_integer_value(peer_output(&peer, "size")), size);
    assert_string_equal(json_string_value(peer_output(&peer, "digest")) + strlen("sha256:"), hex);
    peer_release(&peer);
}

/* Other times, other modes within the same class, other order on disk, another umask and locale: the same bytes. */
static void reproducible(void **state)
{
    struct peer one, two;
    AUTO(free_text) char *again = mem_format("%s/again", (char *)*state), *share = mem_format("%s/ws/share/a.txt", again);
    struct utimbuf past = {.actime = 1000, .modtime = 1000};
    fill(*state);
    assert_int_equal(package(*state, with_all, &one, NULL), 0);
    mode_t mask = umask(077);
    put_file(again, "ws/share/a.txt", "a\n", 0640);
    put_file(again, "ws/unrelated", "x", 0644);
    put_file(again, "ws/share/doc/b.txt", "b\n", 0444);
    fill(again);
    utime(share, &past);
    assert_int_equal(package(again, "{\"contents\": {\"share\": \"share\", \"bin/hello\": \"build/hello\"}}", &two, NULL), 0);
    umask(mask);
    assert_string_equal(json_string_value(peer_output(&one, "digest")), json_string_value(peer_output(&two, "digest")));
    peer_release(&one);
    peer_release(&two);
    put_file(again, "ws/share/a.txt", "c\n", 0644);
    assert_int_equal(package(again, with_all, &two, NULL), 0);
    peer_release(&two);
}

/* An empty commit, or one that changes only the pipeline, makes no other package of a version. */
static void another_commit_is_the_same(void **state)
{
    struct peer one, two;
    fill(*state);
    assert_int_equal(package(*state, with_all, &one, NULL), 0);
    assert_int_equal(package_at("89abcdef0123456789abcdef0123456789abcdef", *state, with_all, &two, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&one, "digest")), json_string_value(peer_output(&two, "digest")));
    peer_release(&one);
    peer_release(&two);
}

static void one_byte_more_is_another(void **state)
{
    struct peer one, two;
    fill(*state);
    assert_int_equal(package(*state, with_all, &one, NULL), 0);
    put_file(*state, "ws/share/a.txt", "a\n\n", 0644);
    assert_int_equal(package(*state, with_all, &two, NULL), 0);
    assert_string_not_equal(json_string_value(peer_output(&one, "digest")), json_string_value(peer_output(&two, "digest")));
    assert_true(file_exists(json_string_value(peer_output(&one, "file")))); /* the older one stays where it was said to be */
    peer_release(&one);
    peer_release(&two);
}

static void long_and_foreign_names(void **state)
{
    struct peer peer;
    struct listing listing;
    AUTO(free_text)
    char *name = mem_format("ws/tree/%0120d/%0120d/gr\xc3\xbc\xc3\x9f"
                            "e",
        1, 2);
    put_file(*state, name, "x", 0644);
    assert_int_equal(package(*state, "{\"name\": \"a\", \"contents\": {\"t\": \"tree\"}}", &peer, NULL), 0);
    read_archive(json_string_value(peer_output(&peer, "file")), &listing);
    json_t *entry = json_array_get(json_object_get(listing.manifest, "files"), 0);
    assert_true(text_ends(json_text(entry, "path", ""), "gr\xc3\xbc\xc3\x9f"
                                                        "e"));
    assert_string_equal(json_string_value(peer_output(&peer, "version")), "0.0.0+g0123456789ab");
    listing_release(&listing);
    peer_release(&peer);
}

static void name_falls_back_to_repository(void **state)
{
    struct peer peer;
    put_file(*state, "ws/a", "a", 0644);
    assert_int_equal(package(*state, "{\"contents\": {\"a\": \"a\"}}", &peer, NULL), 0);
    assert_string_equal(json_string_value(peer_output(&peer, "name")), "hello");
    peer_release(&peer);
}

static void keys_are_refused(void **state)
{
    struct error err = {0};
    fill(*state);
    put_file(*state, "ws/share/doc/id", key_text, 0644);
    assert_int_equal(package_result(*state, with_all, &err), -ERROR_DENIED);
    assert_non_null(strstr(err.message, "share/doc/id"));
    assert_true(err.hint[0] != '\0');
}

/* A key is found wherever it lies, also where two reads of the file meet. */
static void keys_across_reads(void **state)
{
    for (size_t shift = 0; shift < sizeof key_text; shift += 7) {
        AUTO(free_text) char *bytes = mem_alloc(200 * 1024);
        struct error err = {0};
        memset(bytes, 'x', 64 * 1024 * 2 + 100);
        memcpy(bytes + 64 * 1024 - shift, key_text, sizeof key_text - 1);
        put_file(*state, "ws/blob", bytes, 0644);
        assert_int_equal(package_result(*state, "{\"contents\": {\"blob\": \"blob\"}}", &err), -ERROR_DENIED);
    }
}

static void what_is_a_key(void **state)
{
    static const char *const keys[] = {key_text,
        "{\"key\": \"-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIOAbcdefghijklmnopqrstuvwx\\n\"}",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "x-----BEGIN PGP PRIVATE KEY BLOCK-----\r\nVersion: 1\r\n",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIxkXbW9Zk3m8f0T0kqv4Y0u5y8oXvQy\n"};
    static const char *const others[] = {"", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n...\n",
        "-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEAx1QsMn3jSoo0RrN1kVZ7BXkd9vEo\n",
        "-----BEGIN PUBLIC KEY-----\nMIIEowIBAAKCAQEAx1QsMn3jSoo0RrN1k\n"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_true(text_holds_key(keys[i], strlen(keys[i])));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(text_holds_key(others[i], strlen(others[i])));
}

static void missing_file_is_suggested(void **state)
{
    struct error err = {0};
    fill(*state);
    assert_int_equal(package_result(*state, "{\"contents\": {\"a\": \"build/helo\"}}", &err), -ERROR_NOT_FOUND);
    assert_string_equal(err.hint, "did you mean \"build/hello\"?");
    assert_int_equal(package_result(*state, "{\"contents\": {\"a\": \"biuld/hello\"}}", &err), -ERROR_NOT_FOUND);
    assert_string_equal(err.hint, "did you mean \"build\"?");
    assert_int_equal(package_result(*state, "{\"contents\": {\"a\": \"zzzzzzzzzz\"}}", &err), -ERROR_NOT_FOUND);
}

static void refusals(void **state)
{
    static const struct {
        const char *with;
        int result;
    } cases[] = {
        {"{\"contents\": {\"a\": \"../../etc/passwd\"}}", -ERROR_INVALID},
        {"{\"contents\": {\"../a\": \"share/a.txt\"}}", -ERROR_INVALID},
        {"{\"contents\": {\"manifest.json\": \"share/a.txt\"}}", -ERROR_INVALID},
        {"{\"contents\": {}}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": 3}}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"empty\"}}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"share/a.txt\", \"a/b\": \"share/a.txt\"}}", -ERROR_CONFLICT},
        {"{\"contents\": {\"s\": \"share\", \"s/a.txt\": \"build/hello\"}}", -ERROR_CONFLICT},
        {"{\"contents\": {\"a\": \"out\"}}", -ERROR_DENIED},
        {"{\"contents\": {\"a\": \"round\"}}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"nowhere\"}}", -ERROR_NOT_FOUND},
        {"{\"contents\": {\"a\": \"share\"}, \"format\": \"oci\"}", -ERROR_UNSUPPORTED},
        {"{\"contents\": {\"a\": \"share\"}, \"name\": \"a/b\"}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"share\"}, \"version\": \"../1\"}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"share\"}, \"service\": \"none.yaml\"}", -ERROR_NOT_FOUND},
        {"{\"contents\": {\"a\": \"share\"}, \"service\": \"broken.yaml\"}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"share\"}, \"service\": \"list.yaml\"}", -ERROR_INVALID},
        {"{\"contents\": {\"a\": \"share\"}, \"service\": \"twice.yaml\"}", -ERROR_INVALID},
    };
    fill(*state);
    put_file(*state, "ws/broken.yaml", "service: [\n", 0644);
    put_file(*state, "ws/list.yaml", "- service: a\n", 0644);
    put_file(*state, "ws/twice.yaml", "service: a\nservice: b\n", 0644);
    assert_true(shell(*state, "cd ws; mkdir empty; ln -s /etc/hostname out; ln -s . round; ln -s none nowhere"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        int result = package_result(*state, cases[i].with, &err);
        if (result != cases[i].result || !err.message[0]) fail_msg("%s: %d (%s)", cases[i].with, result, err.message);
    }
}

/* A link inside the workspace is packaged as the file at its end. */
static void link_is_its_file(void **state)
{
    struct peer peer;
    struct listing listing;
    fill(*state);
    assert_true(shell(*state, "ln -s ../build/hello ws/share/link"));
    assert_int_equal(package(*state, "{\"contents\": {\"l\": \"share/link\"}, \"name\": \"a\"}", &peer, NULL), 0);
    read_archive(json_string_value(peer_output(&peer, "file")), &listing);
    assert_string_equal(text_view(&listing.modes), "644 755 644 ");
    listing_release(&listing);
    peer_release(&peer);
}

/* The weak symbol of the table is the function, once that is linked. */
static void table_names_its_performer(void **state)
{
    (void)state;
    assert_ptr_equal(package_step_type.perform, package_perform);
}

int main(void)
{
    unsetenv("SOURCE_DATE_EPOCH");
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_names_its_performer), TEST(manifest_tells_all), TEST(outputs_are_true),
        TEST(reproducible), TEST(another_commit_is_the_same), TEST(one_byte_more_is_another), TEST(long_and_foreign_names),
        TEST(name_falls_back_to_repository), TEST(keys_are_refused), TEST(keys_across_reads), cmocka_unit_test(what_is_a_key),
        TEST(missing_file_is_suggested), TEST(refusals), TEST(link_is_its_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
