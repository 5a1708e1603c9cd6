/* publish.c: the step type `publish`: a package becomes an offering of a catalogue (TMF633, TMF620). Performed by publish_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"
#include "net/tmf/publish_body.h"

int publish_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
json_t *publish_expect(const struct step *step, const json_t *body) __attribute__((weak));
void publish_delivery(const struct step *step, struct delivery *ret) __attribute__((weak));
int publish_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));
int publish_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err) __attribute__((weak));

static const struct field fields[] = {
    {.name = "packages",
        .type = FIELD_TEXT_LIST,
        .flags = FIELD_REQUIRED | FIELD_SHORT,
        .help = "The archives, as package's `file` gives them; several are of one version, for several kinds of machines"},
    {.name = "catalogue", .type = FIELD_NAME, .help = "The domain whose catalogue it is; the default is the server's own"},
    {.name = "category", .type = FIELD_TEXT, .help = "Under what it is found in the catalogue"},
    {.name = "name", .type = FIELD_TEXT, .help = "What the package must be called; the default is whatever it says"},
    {.name = "version", .type = FIELD_TEXT, .help = "The version that the package must have; the default is whatever it says"},
    FIELD_END,
};

static const struct field outputs[] = {
    {.name = "offering", .type = FIELD_TEXT, .help = "The id of the offering, which is what order takes"},
    {.name = "specification", .type = FIELD_TEXT, .help = "The id of the service specification"},
    {.name = "name", .type = FIELD_TEXT, .help = "The offering's name"},
    {.name = "version", .type = FIELD_TEXT, .help = "The offering's version"},
    FIELD_END,
};

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    const json_t *packages = json_object_get(with, "packages");
    if (!json_is_array(packages) || json_array_size(packages)) return 0;
    diagnostics_add(list, "empty-list", at, 0, "write `packages: \"${{ steps.package.file }}\"`", "publish: packages is empty");
    return -ERROR_INVALID;
}

static json_t *unknown(const char *what)
{
    return json_pack("{s:s}", "$unknown", what);
}

/* What the step says, else the service, else unknown. New. */
static json_t *named(const json_t *said, const json_t *service, const char *key, const char *otherwise)
{
    const json_t *value = said ? said : json_object_get(service, key);
    return value ? json_deep_copy(value) : unknown(otherwise);
}

static json_t *planned_package(const json_t *name, const json_t *version)
{
    AUTO(free_text) char *word = planned_text(name, ""), *number = planned_text(version, ""), *file = NULL;
    if (json_is_string(name) && json_is_string(version)) file = mem_format("%s-%s.tar.gz", word, number);
    json_t *name_of_file = file ? json_string(file) : unknown("the package's file name");
    return json_pack("[{s:o, s:o}]", "name", name_of_file, "digest", unknown("the package's digest"));
}

static void add_parts(json_t *effects, const struct publication *publication, const json_t *catalogue, const char *title)
{
    AUTO(free_json)
    json_t *specification = unknown("the id of the service specification"), *candidate = unknown("the id of the service candidate");
    AUTO(free_json) json_t *product = unknown("the id of the product specification");
    const json_t *const ids[PUBLISH_PART_COUNT] = {specification, candidate, product, NULL};
    for (enum publish_part part = 0; part < PUBLISH_PART_COUNT; part++)
        effect_add(effects, publish_parts[part].effect, catalogue, mem_format("makes the %s %s", publish_parts[part].title, title),
            publish_body(part, publication, ids), publish_parts[part].undone);
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    const json_t *with = planned->with, *named_catalogue = json_object_get(with, "catalogue");
    AUTO(free_json) json_t *catalogue = named_catalogue ? json_deep_copy(named_catalogue) : json_string("core");
    AUTO(free_json) json_t *name = named(json_object_get(with, "name"), planned->service, "service", "the package's name");
    AUTO(free_json) json_t *version = named(json_object_get(with, "version"), planned->service, "version", "the package's version");
    AUTO(free_json) json_t *packages = planned_package(name, version);
    AUTO(free_text) char *word = planned_text(name, "?"), *number = planned_text(version, "?"), *where = planned_text(catalogue, "?");
    AUTO(free_text) char *title = mem_format("%s %s in the catalogue of %s", word, number, where);
    const struct publication publication = {.name = name,
        .version = version,
        .packages = packages,
        .descriptor = planned->service,
        .category = json_object_get(with, "category")};
    (void)err;
    *ret_effects = json_array();
    effect_add(*ret_effects, "package", catalogue, mem_format("uploads the package of %s %s to %s", word, number, where),
        json_pack("{s:O}", "packages", packages), NULL);
    add_parts(*ret_effects, &publication, catalogue, title);
    return 0;
}

const struct step_type publish_step_type = {
    .name = "publish",
    .summary = "Offers a package in a catalogue, so that it can be ordered",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .describe = describe,
    .reaches_out = true,
    .perform = publish_perform,
    .expect = publish_expect,
    .delivery = publish_delivery,
    .find = publish_find,
    .compensate = publish_compensate,
};
