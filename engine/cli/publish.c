/* publish.c: `crescendo catalogue publish FILE.tar.gz`: a package and its descriptor become an offering. Each part is made only where it is
   not there, so that the command may be given again after anything. */
#include "cli/publish.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cli/complaint.h"
#include "cli/documents.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/shell_words.h"
#include "net/tmf/publish_body.h"
#include "spec/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 4 * 1024 * 1024, DESCRIPTOR_LIMIT_BYTES = 1024 * 1024, HTTP_ACCEPTED = 202 };

struct package {
    const char *path; /* borrowed */
    int fd;
    int64_t size_bytes;
    char digest[SHA256_HEX];
};

static void package_release(struct package *package)
{
    close_fd(&package->fd);
}

/* --- the descriptor ------------------------------------------------------------------------------------------------------------- */

/* --service, else service.yaml in the package's folder. Caller frees. */
static char *descriptor_path(const struct cli *cli, const char *package)
{
    const char *said = options_value(&cli->options, "service"), *slash = strrchr(package, '/');
    if (said) return mem_copy_text(said);
    AUTO(free_text) char *folder = slash ? mem_copy_bytes(package, (size_t)(slash + 1 - package)) : mem_copy_text("");
    return mem_format("%sservice.yaml", folder);
}

static int read_descriptor(struct cli *cli, const char *package, json_t **ret, struct error *err)
{
    AUTO(free_text) char *path = descriptor_path(cli, package);
    AUTO(free_text) char *bytes = NULL;
    AUTO(diagnostics_release) struct diagnostics list = {0};
    struct error why = {0};
    size_t size = 0;
    int failed = file_read(path, DESCRIPTOR_LIMIT_BYTES, &bytes, &size, &why);
    if (failed == -ERROR_NOT_FOUND) {
        error_set(err, ERROR_INVALID, NOWHERE, "there is no descriptor %s", path);
        return error_hint(err, "the one inside the package is not read here; name its file: --service service.yaml");
    }
    if (failed) return error_set(err, ERROR_INVALID, NOWHERE, "%s", why.message);
    const struct source source = {path, bytes, size};
    return service_load(&source, &list, ret) ? complaint_keep(cli, &list, &(struct source_set){&source, 1}, err) : 0;
}

/* --- the package ---------------------------------------------------------------------------------------------------------------- */

/* As much as there is of a piece. */
static int read_piece(const struct package *package, int64_t offset, char *buffer, size_t *ret_size, struct error *err)
{
    size_t size = 0;
    while (size < PIECE_BYTES) {
        ssize_t got = pread(package->fd, buffer + size, PIECE_BYTES - size, offset + (int64_t)size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "reading %s", package->path);
        if (got == 0) break;
        size += (size_t)got;
    }
    *ret_size = size;
    return 0;
}

static int digest_package(struct package *package, char *buffer, struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    sha256_init(&hash);
    for (size_t size = PIECE_BYTES; size == PIECE_BYTES; package->size_bytes += (int64_t)size) {
        int failed = read_piece(package, package->size_bytes, buffer, &size, err);
        if (failed) return failed;
        sha256_add(&hash, buffer, size);
    }
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, package->digest);
    return 0;
}

static int open_package(const char *path, char *buffer, struct package *ret, struct error *err)
{
    static const unsigned char gzip[] = {0x1f, 0x8b};
    struct stat status;
    *ret = (struct package){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (ret->fd < 0) return error_set(err, ERROR_INVALID, NOWHERE, "cannot read %s: %s", path, strerror(errno));
    if (fstat(ret->fd, &status) < 0 || !S_ISREG(status.st_mode)) return error_set(err, ERROR_INVALID, NOWHERE, "%s is no file", path);
    if (pread(ret->fd, buffer, sizeof gzip, 0) != sizeof gzip || memcmp(buffer, gzip, sizeof gzip) != 0) {
        error_set(err, ERROR_INVALID, NOWHERE, "%s is no .tar.gz", path);
        return error_hint(err, "make one: tar czf NAME-VERSION.tar.gz FOLDER..., or with the step `package`");
    }
    return digest_package(ret, buffer, err);
}

static int upload(struct cli *cli, const struct package *package, char *buffer, struct error *err)
{
    int status = HTTP_ACCEPTED;
    for (int64_t offset = 0; status == HTTP_ACCEPTED && offset < package->size_bytes;) {
        size_t size = 0;
        int failed = read_piece(package, offset, buffer, &size, err);
        if (failed) return failed;
        if (!size) return error_set(err, ERROR_IO, NOWHERE, "%s became shorter while it was read", package->path);
        AUTO(free_text)
        char *path =
            mem_format("/artifacts/v1/sha256:%s?offset=%lld&size=%lld", package->digest, (long long)offset, (long long)package->size_bytes);
        failed = client_put_bytes(&cli->client, path, buffer, size, &status, err);
        if (failed) return failed;
        offset += (int64_t)size;
    }
    return 0;
}

/* --- the documents -------------------------------------------------------------------------------------------------------------- */

static json_t *facts_of(const struct package *package, const json_t *descriptor)
{
    const char *slash = strrchr(package->path, '/');
    json_t *facts = json_object(), *one = json_object(), *packages = json_array();
    AUTO(free_text) char *digest = mem_format("sha256:%s", package->digest);
    json_put_text(one, "name", slash ? slash + 1 : package->path);
    json_put_text(one, "digest", digest);
    json_put_whole(one, "size", package->size_bytes);
    json_array_append_new(packages, one);
    json_put_text(facts, "name", json_text(descriptor, "service", NULL));
    json_put_text(facts, "version", json_text(descriptor, "version", NULL));
    json_put(facts, "packages", packages);
    json_put(facts, "descriptor", json_deep_copy(descriptor));
    return facts;
}

/* The parts in the order of enum publish_part; `refers`: where a part names the one before it. */
static const struct {
    const char *path, *refers;
    enum publish_part to;
} parts[PUBLISH_PART_COUNT] = {
    [PUBLISH_SPECIFICATION] = {CORE_SPECIFICATIONS, NULL, 0}, /* the core itself says that it is there, and refuses another content */
    [PUBLISH_CANDIDATE] = {CORE_CANDIDATES, "serviceSpecification", PUBLISH_SPECIFICATION},
    [PUBLISH_PRODUCT] = {CORE_PRODUCTS, "serviceSpecification", PUBLISH_SPECIFICATION},
    [PUBLISH_OFFERING] = {CORE_OFFERINGS, "serviceCandidate", PUBLISH_CANDIDATE},
};

static bool refers_to(const json_t *document, const char *key, const json_t *id)
{
    const json_t *reference = json_object_get(document, key);
    if (json_is_array(reference)) reference = json_array_get(reference, 0);
    return text_equal(json_text(reference, "id", NULL), json_string_value(id));
}

/* *ret NULL: it was not made before. */
static int find_part(struct cli *cli, enum publish_part part, const json_t *facts, json_t *const *ids, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *all = NULL;
    AUTO(text_release) struct text query = {0};
    size_t i;
    json_t *one;
    if (!parts[part].refers) return 0;
    text_add(&query, "name=");
    percent_encode(json_text(facts, "name", ""), &query);
    text_add(&query, "&version=");
    percent_encode(json_text(facts, "version", ""), &query);
    int failed = core_list(&cli->client, parts[part].path, text_view(&query), 0, &all, err);
    if (failed) return failed;
    json_array_foreach(all, i, one)
    {
        if (!refers_to(one, parts[part].refers, ids[parts[part].to])) continue;
        *ret = json_incref(one);
        break;
    }
    return 0;
}

static int make_part(struct cli *cli, enum publish_part part, const json_t *facts, json_t **ids, json_t **ret, struct error *err)
{
    int failed = find_part(cli, part, facts, ids, ret, err);
    if (failed || *ret) return failed;
    const struct publication publication = {.name = json_object_get(facts, "name"),
        .version = json_object_get(facts, "version"),
        .packages = json_object_get(facts, "packages"),
        .descriptor = json_object_get(facts, "descriptor")};
    AUTO(free_json) json_t *body = publish_body(part, &publication, (const json_t *const *)ids);
    failed = client_call(&cli->client, "POST", parts[part].path, body, ret, err);
    if (failed || json_text(*ret, "id", NULL)) return failed;
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s answered POST %s without an id", cli->client.server, parts[part].path);
}

static void free_parts(json_t *(*documents)[PUBLISH_PART_COUNT])
{
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT; part++)
        json_decref((*documents)[part]);
}

static int offer_again(struct cli *cli, json_t **offering, struct error *err)
{
    if (text_equal(json_text(*offering, "lifecycleStatus", "Active"), "Active")) return 0;
    AUTO(free_json) json_t *change = json_object(), *answer = NULL;
    json_put_text(change, "lifecycleStatus", "Active");
    int failed = core_patch(&cli->client, CORE_OFFERINGS, json_text(*offering, "id", ""), change, &answer, err);
    if (failed) return failed;
    json_decref(*offering);
    *offering = take(&answer);
    return 0;
}

static int make_offering(struct cli *cli, const json_t *facts, json_t **ret, struct error *err)
{
    AUTO(free_parts) json_t *documents[PUBLISH_PART_COUNT] = {0};
    json_t *ids[PUBLISH_PART_COUNT] = {0}; /* borrowed */
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT; part++) {
        int failed = make_part(cli, part, facts, ids, &documents[part], err);
        if (failed) return failed;
        ids[part] = json_object_get(documents[part], "id");
    }
    int failed = offer_again(cli, &documents[PUBLISH_PART_COUNT - 1], err);
    if (!failed) *ret = take(&documents[PUBLISH_PART_COUNT - 1]);
    return failed;
}

static int publish(struct cli *cli, const char *path, char *buffer, struct error *err)
{
    AUTO(free_json) json_t *descriptor = NULL, *facts = NULL, *offering = NULL;
    AUTO(package_release) struct package package = {.fd = -1};
    int failed = read_descriptor(cli, path, &descriptor, err);
    if (!failed) failed = open_package(path, buffer, &package, err);
    if (!failed) failed = upload(cli, &package, buffer, err);
    if (failed) return failed;
    facts = facts_of(&package, descriptor);
    failed = make_offering(cli, facts, &offering, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(offering);
    AUTO(free_text) char *server = report_server_words(&cli->client);
    const char *name = json_text(facts, "name", ""), *version = json_text(facts, "version", ""); /* words that service_load has checked */
    printf("%s %s is published as offering ", name, version);
    print_clean(json_text(offering, "id", "?"));
    printf("\norder it: crescendo order%s add %s@%s\n", server, name, version);
    return 0;
}

int catalogue_publish(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *buffer = mem_alloc(PIECE_BYTES);
    return publish(cli, form_argument(cli, 0), buffer, err);
}
