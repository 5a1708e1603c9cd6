/* offerings.c: finds what a person names in the catalogue. */
#include "cli/offerings.h"

#include "base/encode.h"
#include "base/mem.h"
#include "cli/documents.h"

#include <stdlib.h>
#include <string.h>

enum { VERSIONS_SHOWN = 5 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Two numbers of any length: without leading zeros the longer one is larger. */
static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    size_t a_size = strspn(*a, "0123456789"), b_size = strspn(*b, "0123456789");
    int order = a_size != b_size ? (a_size > b_size) - (a_size < b_size) : strncmp(*a, *b, a_size);
    *a += a_size;
    *b += b_size;
    return order;
}

int version_compare(const char *a, const char *b)
{
    while (*a && *b) {
        int order = is_digit(*a) && is_digit(*b) ? compare_numbers(&a, &b) : (*a > *b) - (*a < *b);
        if (order) return order;
        if (!is_digit(*a) && *a == *b && *a) a++, b++;
    }
    return (*a != '\0') - (*b != '\0');
}

static bool is_active(const json_t *offering)
{
    return text_equal(json_text(offering, "lifecycleStatus", NULL), "Active");
}

/* Is one better than best, where no version was asked for? */
static bool is_newer(const json_t *one, const json_t *best)
{
    if (!best || is_active(one) != is_active(best)) return !best || is_active(one);
    return version_compare(json_text(one, "version", ""), json_text(best, "version", "")) > 0;
}

const json_t *offering_choose(const json_t *offerings, const char *name, const char *version)
{
    const json_t *best = NULL;
    size_t i;
    json_t *one;
    json_array_foreach(offerings, i, one)
    {
        if (!text_equal(json_text(one, "name", NULL), name)) continue;
        if (version && !text_equal(json_text(one, "version", NULL), version)) continue;
        if (is_newer(one, best)) best = one;
    }
    return best;
}

static int no_such_version(const json_t *offerings, const char *name, const char *version, struct error *err)
{
    AUTO(text_release) struct text versions = {0};
    size_t i, shown = 0;
    json_t *one;
    json_array_foreach(offerings, i, one)
    {
        if (text_equal(json_text(one, "name", NULL), name) && shown++ < VERSIONS_SHOWN)
            text_add_format(&versions, "%s%.20s", shown > 1 ? ", " : "", json_text(one, "version", "?"));
    }
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "the catalogue has no %.60s of version %.40s", name, version);
    return error_hint(err, "it has %s%s", text_view(&versions), shown > VERSIONS_SHOWN ? ", ..." : "");
}

static int no_such_offering(const json_t *offerings, const char *name, struct error *err)
{
    size_t count = json_array_size(offerings);
    const char **names = mem_alloc_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = json_text(json_array_get(offerings, i), "name", "");
    const char *nearest = name_nearest(name, names);
    int failed = error_set(err, ERROR_NOT_FOUND, NOWHERE, "the catalogue has no offering '%.80s'", name);
    if (nearest)
        error_hint(err, "did you mean %.80s?", nearest);
    else
        error_hint(err, "`crescendo catalogue` lists what is published");
    free(names);
    return failed;
}

/* A name is looked for first; what is no name may be an id. */
int offering_find(struct client *client, const char *name, const char *version, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *offerings = NULL, *by_id = NULL;
    AUTO(text_release) struct text query = {0};
    text_add(&query, "name=");
    percent_encode(name, &query);
    int failed = core_list(client, CORE_OFFERINGS, text_view(&query), 0, &offerings, err);
    if (failed) return failed;
    const json_t *found = offering_choose(offerings, name, version);
    if (found) {
        *ret = json_incref((json_t *)found);
        return 0;
    }
    if (offering_choose(offerings, name, NULL)) return no_such_version(offerings, name, version, err);
    failed = version ? -ERROR_NOT_FOUND : core_get(client, CORE_OFFERINGS, name, &by_id, err);
    if (!failed && text_equal(json_text(by_id, "id", NULL), name)) {
        *ret = take(&by_id);
        return 0;
    }
    if (failed && failed != -ERROR_NOT_FOUND) return failed;
    json_decref(take(&offerings));
    failed = core_list(client, CORE_OFFERINGS, "fields=name,version", 0, &offerings, err);
    return failed ? failed : no_such_offering(offerings, name, err);
}

/* {id} or the first of [{id}]; NULL = none. */
static const char *reference_id(const json_t *document, const char *key)
{
    const json_t *reference = json_object_get(document, key);
    if (json_is_array(reference)) reference = json_array_get(reference, 0);
    return json_text(reference, "id", NULL);
}

int offering_specification(struct client *client, const json_t *offering, json_t **ret, struct error *err)
{
    static const struct {
        const char *key, *path;
    } ways[] = {{"serviceCandidate", CORE_CANDIDATES}, {"productSpecification", CORE_PRODUCTS}};
    AUTO(free_text) char *id = mem_copy_text(reference_id(offering, "serviceSpecification"));
    for (size_t i = 0; i < COUNT_OF(ways) && !id; i++) {
        AUTO(free_json) json_t *document = NULL;
        const char *by = reference_id(offering, ways[i].key);
        int failed = by ? core_get(client, ways[i].path, by, &document, err) : 0;
        if (failed) return failed;
        id = mem_copy_text(reference_id(document, "serviceSpecification"));
    }
    if (id) return core_get(client, CORE_SPECIFICATIONS, id, ret, err);
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "offering %.60s has no service specification", json_text(offering, "name", "?"));
    return error_hint(err, "it was not published as a service: see `crescendo catalogue show`");
}
