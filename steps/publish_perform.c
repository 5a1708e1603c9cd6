/* publish_perform.c: uploads a package and makes the documents that offer it, each an effect that is found again by name and version. What
   the catalogue has already is used as it is. */
#include "publish.h"
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct publishing {
    struct step *step;
    struct tmf_client client;
    const char *catalogue;                 /* its name, for people and as the effects' target; borrowed */
    json_t *descriptor;                    /* the service's, with its version */
    char *origin;                          /* where it is from, for people; NULL = nobody knows */
    const json_t *kept;                    /* the step's checkpoint: {name, version, packages, before: [id or null, ...]} */
    const json_t *ids[PUBLISH_PART_COUNT]; /* of what was made; borrowed from outcomes or kept */
    json_t *outcomes[PUBLISH_PART_COUNT];
    enum publish_part part; /* the one that is being sent */
    const json_t *package;  /* the one that is being uploaded */
};

static void publishing_release(struct publishing *publishing)
{
    tmf_client_release(&publishing->client);
    json_decref(publishing->descriptor);
    free(publishing->origin);
    for (int part = 0; part < PUBLISH_PART_COUNT; part++)
        json_decref(publishing->outcomes[part]);
}

/* Packages of the same files are the same, so the commit stands beside them. Caller frees; NULL: there is none. */
static char *describe_origin(const json_t *facts)
{
    const char *commit = json_text(facts, "commit", NULL), *repository = json_text(facts, "repository", NULL);
    const char *slash = repository ? strrchr(repository, '/') : NULL;
    if (!commit || json_flag(facts, "work_tree", false)) return NULL;
    if (slash) repository = slash + 1;
    return mem_format("first published from commit %.40s%s%.100s", commit, repository ? " of " : "", repository ? repository : "");
}

/* The catalogue of the domain that the step names, else the server's own core's. */
static int publishing_open(struct step *step, struct publishing *ret, struct error *err)
{
    const json_t *facts = step_facts(step), *domain = json_object_get(facts, "domain");
    const char *catalogue = json_text(step_with(step), "catalogue", NULL), *core = json_text(facts, "core", NULL);
    *ret = (struct publishing){.step = step, .catalogue = catalogue ? catalogue : "core", .kept = step_checkpoint_read(step)};
    ret->origin = describe_origin(facts);
    if (catalogue && !text_equal(json_text(domain, "domain", NULL), catalogue)) {
        error_set(err, ERROR_INVALID, NOWHERE, "the plan has no domain \"%.63s\", whose catalogue is meant", catalogue);
        return error_hint(err, "a domain is a file NAME.yaml in the server's domains folder");
    }
    if (!catalogue && !core) {
        error_set(err, ERROR_INVALID, NOWHERE, "the server has no core of its own, so there is no catalogue to publish in");
        return error_hint(err, "name a domain: `catalogue: NAME`");
    }
    const char *url = catalogue ? json_text(domain, "url", NULL) : core;
    return tmf_client_open(ret->catalogue, url, catalogue ? json_text(domain, "dialect", NULL) : NULL, &ret->client, err);
}

static struct publication publication_of(const struct publishing *publishing)
{
    return (struct publication){.name = json_object_get(publishing->kept, "name"),
        .version = json_object_get(publishing->kept, "version"),
        .packages = json_object_get(publishing->kept, "packages"),
        .descriptor = publishing->descriptor,
        .category = json_object_get(step_with(publishing->step), "category"),
        .description = publishing->origin};
}

/* --- what is published ------------------------------------------------------------------------------------------------------------------
 */

static int disagree(const char *what, const char *one, const char *says, const char *other, const char *wanted, struct error *err)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "publish: %s has the %s \"%.60s\", but %s \"%.60s\"", one, what, says, other, wanted);
    return error_hint(err, "package and publish from the same service.yaml");
}

/* The package against what the step and the descriptor say it is. NULL wanted: nothing is said. */
static int check_word(const json_t *manifest, const char *what, const json_t *with, const char *of_descriptor, struct error *err)
{
    const char *says = json_text(manifest, what, ""), *wanted = json_text(with, what, NULL);
    if (wanted && strcmp(says, wanted) != 0) return disagree(what, "the package", says, "the step says", wanted, err);
    if (of_descriptor && strcmp(says, of_descriptor) != 0)
        return disagree(what, "the package", says, "the descriptor says", of_descriptor, err);
    return 0;
}

static int check_package(const struct publishing *publishing, const json_t *package, const json_t *first, struct error *err)
{
    const json_t *with = step_with(publishing->step), *manifest = json_object_get(package, "manifest");
    const json_t *descriptor = json_object_get(step_facts(publishing->step), "service"), *other = json_object_get(first, "manifest");
    int failed = check_word(manifest, "name", with, json_text(descriptor, "service", NULL), err);
    if (!failed) failed = check_word(manifest, "version", with, json_text(descriptor, "version", NULL), err);
    if (failed) return failed;
    for (const char *const *what = (const char *const[]){"name", "version", NULL}; *what; what++)
        if (!text_equal(json_text(manifest, *what, ""), json_text(other, *what, "")))
            return disagree(*what, "one package", json_text(other, *what, ""), "another", json_text(manifest, *what, ""), err);
    return 0;
}

/* with.packages is a list, or one text. */
static int inspect_packages(const struct publishing *publishing, json_t **ret, struct error *err)
{
    const json_t *given = json_object_get(step_with(publishing->step), "packages");
    AUTO(free_json) json_t *list = json_array();
    size_t count = json_is_array(given) ? json_array_size(given) : 1;
    for (size_t i = 0; i < count; i++) {
        const char *file = json_string_value(json_is_array(given) ? json_array_get(given, i) : given);
        json_t *package = NULL;
        if (!file || !*file) return error_set(err, ERROR_INVALID, NOWHERE, "publish: packages names no file");
        int failed = package_inspect(file, &package, err);
        if (failed) return failed;
        json_array_append_new(list, package);
        failed = check_package(publishing, package, json_array_get(list, 0), err);
        if (failed) return failed;
    }
    if (!count) return error_set(err, ERROR_INVALID, NOWHERE, "publish: packages is empty");
    *ret = take(&list);
    return 0;
}

/* What the catalogue has before this run makes anything: an id, or null, for each part. */
static int look_before(struct publishing *publishing, json_t **ret, struct error *err)
{
    const struct publication publication = publication_of(publishing);
    AUTO(free_json) json_t *before = json_array();
    const json_t *ids[PUBLISH_PART_COUNT] = {0};
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT; part++) {
        AUTO(free_json) json_t *found = NULL;
        bool may_be_there = part == PUBLISH_SPECIFICATION || ids[PUBLISH_SPECIFICATION]; /* they all refer to it */
        if (part == PUBLISH_OFFERING && !ids[PUBLISH_PRODUCT]) may_be_there = false;
        int failed = may_be_there ? catalogue_find(&publishing->client, part, &publication, ids, &found, err) : 0;
        if (failed) return failed;
        bool counts = found && (part != PUBLISH_OFFERING || offering_is_active(found));
        json_array_append_new(before, counts ? json_string(json_text(found, "id", "")) : json_null());
        ids[part] = counts ? json_array_get(before, part) : NULL;
    }
    *ret = take(&before);
    return 0;
}

/* The checkpoint is what an earlier process found, so that what this run made is told from what was there. */
static int keep(struct publishing *publishing, struct error *err)
{
    AUTO(free_json) json_t *packages = NULL, *kept = NULL;
    json_t *before = NULL;
    if (publishing->kept) return 0;
    int failed = inspect_packages(publishing, &packages, err);
    if (failed) return failed;
    const json_t *manifest = json_object_get(json_array_get(packages, 0), "manifest");
    kept = json_pack("{s:s, s:s}", "name", json_text(manifest, "name", ""), "version", json_text(manifest, "version", ""));
    for (size_t i = 0; i < json_array_size(packages); i++)
        json_object_del(json_array_get(packages, i), "manifest"); /* may be large; a line of the protocol is not */
    json_put(kept, "packages", take(&packages));
    publishing->kept = kept;
    failed = look_before(publishing, &before, err);
    publishing->kept = NULL;
    if (failed) return failed;
    json_put(kept, "before", before);
    failed = step_checkpoint(publishing->step, take(&kept), err);
    publishing->kept = step_checkpoint_read(publishing->step);
    return failed;
}

/* The descriptor always has the version that is published. */
static int take_descriptor(struct publishing *publishing, struct error *err)
{
    const json_t *service = json_object_get(step_facts(publishing->step), "service");
    if (!service) {
        error_set(err, ERROR_INVALID, NOWHERE, "publish: the pipeline names no service, so nobody would know how to run it");
        return error_hint(err, "add `service: service.yaml` to the pipeline");
    }
    publishing->descriptor = json_deep_copy(service);
    json_put(publishing->descriptor, "version", json_deep_copy(json_object_get(publishing->kept, "version")));
    return 0;
}

/* --- making it ---------------------------------------------------------------------------------------------------------------------------
 */

static int send_package(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    struct publishing *publishing = context;
    const char *digest = json_text(publishing->package, "digest", "");
    (void)step, (void)key, (void)body;
    int failed = package_upload(
        &publishing->client, json_text(publishing->package, "file", ""), digest, json_whole(publishing->package, "size", 0), err);
    if (!failed) *ret_outcome = json_pack("{s:s}", "digest", digest);
    return failed;
}

static int upload(struct publishing *publishing, struct error *err)
{
    size_t index;
    json_t *package;
    json_array_foreach(json_object_get(publishing->kept, "packages"), index, package)
    {
        AUTO(free_json) json_t *outcome = NULL;
        AUTO(free_text) char *name = index ? mem_format("package-%zu", index + 1) : mem_copy_text("package");
        publishing->package = package;
        step_progress(publishing->step, 0, "uploads %s to %s", json_text(package, "name", ""), publishing->catalogue);
        int failed = step_effect(publishing->step, name, publishing->catalogue, package, send_package, publishing, &outcome, err);
        if (failed) return failed;
    }
    return 0;
}

static int send_part(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    struct publishing *publishing = context;
    AUTO(free_json) json_t *made = NULL;
    (void)step, (void)key;
    int failed = tmf_create(&publishing->client, publish_collection(publishing->part), body, &made, err);
    if (!failed) *ret_outcome = json_pack("{s:s, s:b}", "id", json_text(made, "id", ""), "made", 1);
    return failed;
}

static int make_part(struct publishing *publishing, enum publish_part part, struct error *err)
{
    const struct publication publication = publication_of(publishing);
    const json_t *before = json_array_get(json_object_get(publishing->kept, "before"), part);
    if (json_is_string(before)) {
        publishing->ids[part] = before;
        return 0;
    }
    AUTO(free_json) json_t *body = publish_body(part, &publication, publishing->ids);
    publishing->part = part;
    int failed = step_effect(
        publishing->step, publish_parts[part].effect, publishing->catalogue, body, send_part, publishing, &publishing->outcomes[part], err);
    publishing->ids[part] = json_object_get(publishing->outcomes[part], "id");
    return failed;
}

static int make_all(struct publishing *publishing, struct error *err)
{
    const json_t *before = json_object_get(publishing->kept, "before");
    bool has_bytes = json_is_string(json_array_get(before, PUBLISH_SPECIFICATION));
    int failed = has_bytes ? 0 : upload(publishing, err);
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT && !failed; part++)
        failed = make_part(publishing, part, err);
    return failed;
}

static int hand_over(const struct publishing *publishing)
{
    struct step *step = publishing->step;
    step_output(step, "specification", json_deep_copy(publishing->ids[PUBLISH_SPECIFICATION]));
    step_output(step, "name", json_deep_copy(json_object_get(publishing->kept, "name")));
    step_output(step, "version", json_deep_copy(json_object_get(publishing->kept, "version")));
    return step_output(step, "offering", json_deep_copy(publishing->ids[PUBLISH_OFFERING]));
}

int publish_perform(struct step *step, struct error *err)
{
    AUTO(publishing_release) struct publishing publishing = {0};
    int failed = publishing_open(step, &publishing, err);
    if (!failed) failed = keep(&publishing, err);
    if (!failed) failed = take_descriptor(&publishing, err);
    if (!failed) failed = make_all(&publishing, err);
    return failed ? failed : hand_over(&publishing);
}

/* --- finding and undoing
 * ------------------------------------------------------------------------------------------------------------------ */

/* Pure. The catalogue that the step publishes in, as publishing_open. */
void publish_delivery(const struct step *step, struct delivery *ret)
{
    const json_t *facts = step_facts(step), *domain = json_object_get(facts, "domain");
    bool is_own = !json_text(step_with(step), "catalogue", NULL);
    const struct tmf_dialect *dialect = NULL;
    if (tmf_dialect_find(is_own ? NULL : json_text(domain, "dialect", NULL), &dialect, NULL)) return;
    const char *url = is_own ? json_text(facts, "core", "") : json_text(domain, "url", "");
    int64_t life_ms = tmf_request_life(dialect, url);
    *ret = (struct delivery){
        .life_ms =
            is_own ? life_ms : json_whole(domain, "request-life", life_ms)}; /* a second document is another one, whatever its name */
}

/* A person says that the catalogue has it as `id`. Another version's is not taken for it. */
static int adopt_part(struct publishing *publishing, enum publish_part part, const char *id, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *document = NULL;
    int failed = tmf_get(&publishing->client, publish_collection(part), id, &document, err);
    if (failed) return error_wrap(err, "what a person says that %.40s has", publishing->catalogue);
    const char *name = json_text(document, "name", ""), *version = json_text(document, "version", ""),
               *wanted = json_text(publishing->kept, "name", ""), *wanted_version = json_text(publishing->kept, "version", "");
    if (!text_equal(name, wanted) || !text_equal(version, wanted_version))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: %.60s is %.60s %.40s, not %.60s %.40s", publishing->catalogue, id, name,
            version, wanted, wanted_version);
    *ret = take(&document);
    return 0;
}

json_t *publish_expect(const struct step *step, const json_t *body)
{
    (void)step, (void)body;
    return json_pack("{s:b}", "made", 1);
}

/* A document that was POSTed is found by its name, version and references, which its body holds. */
static int find_part(struct publishing *publishing, enum publish_part part, const json_t *intent, json_t **ret, struct error *err)
{
    const json_t *body = json_object_get(intent, "body");
    if (json_text(intent, "adopt", NULL)) return adopt_part(publishing, part, json_text(intent, "adopt", ""), ret, err);
    struct publication publication = publication_of(publishing);
    const json_t *service = json_object_get(body, "serviceSpecification");
    if (json_is_array(service)) service = json_array_get(service, 0);
    const json_t *ids[PUBLISH_PART_COUNT] = {[PUBLISH_SPECIFICATION] = json_object_get(service, "id"),
        [PUBLISH_PRODUCT] = json_object_get(json_object_get(body, "productSpecification"), "id")};
    return catalogue_find(&publishing->client, part, &publication, ids, ret, err);
}

static int find_undone(struct publishing *publishing, const json_t *body, enum effect_seen *ret_seen, struct error *err)
{
    AUTO(free_json) json_t *offering = NULL;
    int failed = tmf_get(&publishing->client, TMF_PRODUCT_OFFERING, json_text(body, "id", ""), &offering, err);
    if (!failed) *ret_seen = offering_is_active(offering) ? EFFECT_SEEN_ABSENT : EFFECT_SEEN_DONE;
    return failed;
}

int publish_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    AUTO(publishing_release) struct publishing publishing = {0};
    AUTO(free_json) json_t *found = NULL;
    const json_t *body = json_object_get(intent, "body");
    const char *name = json_text(intent, "name", "");
    int failed = publishing_open(step, &publishing, err);
    if (failed) return failed;
    if (text_starts(name, "undo ")) return find_undone(&publishing, body, ret_seen, err);
    *ret_seen = EFFECT_SEEN_ABSENT; /* a package's upload may be repeated: it lies there under its digest */
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT; part++) {
        if (strcmp(publish_parts[part].effect, name) != 0) continue;
        failed = find_part(&publishing, part, intent, &found, err);
        if (failed) return failed;
        *ret_seen = EFFECT_SEEN_NOTHING;
        if (!found || (part == PUBLISH_OFFERING && !offering_is_active(found))) continue;
        *ret_seen = EFFECT_SEEN_DONE;
        *ret_outcome = json_pack("{s:s, s:b}", "id", json_text(found, "id", ""), "made", 1);
    }
    return 0;
}

static int send_retirement(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    struct publishing *publishing = context;
    AUTO(free_json) json_t *change = json_pack("{s:s}", "lifecycleStatus", "Retired"), *offering = NULL;
    const char *id = json_text(body, "id", "");
    (void)step, (void)key;
    int failed = tmf_patch(&publishing->client, TMF_PRODUCT_OFFERING, id, change, &offering, err);
    if (!failed) *ret_outcome = json_pack("{s:s}", "id", id);
    return failed;
}

int publish_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    AUTO(publishing_release) struct publishing publishing = {0};
    AUTO(free_json) json_t *body = NULL, *undone = NULL;
    const char *name = json_text(intent, "name", "");
    if (strcmp(name, publish_parts[PUBLISH_OFFERING].effect) != 0 || !json_flag(outcome, "made", false)) return 0;
    int failed = publishing_open(step, &publishing, err);
    if (failed) return failed;
    const char *id = json_text(outcome, "id", json_text(outcome, "order", "")); /* a person's word has it as the order */
    body = json_pack("{s:s, s:s}", "id", id, "lifecycleStatus", "Retired");
    return step_effect(step, "undo offering", publishing.catalogue, body, send_retirement, &publishing, &undone, err);
}
