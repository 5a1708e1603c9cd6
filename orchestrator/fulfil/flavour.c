/* flavour.c: the flavour that meets a component, or the nearest and what it lacks. */
#include "orchestrator/fulfil/site.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

enum { NAMES_MAX = 64 };

static bool meets(const struct measure *measure, const json_t *has, const json_t *needs)
{
    if (measure->rule == MEASURE_SAME) return text_equal(json_string_value(has), json_string_value(needs));
    if (!json_is_number(has)) return false;
    if (measure->rule == MEASURE_AT_MOST) return json_number_value(has) <= json_number_value(needs);
    return json_number_value(has) >= json_number_value(needs);
}

/* How far from meeting it, in parts of what is needed; 1 for what cannot be compared. */
static double distance(const struct measure *measure, const json_t *has, const json_t *needs)
{
    double wanted = json_number_value(needs), there = json_number_value(has);
    if (meets(measure, has, needs)) return 0;
    if (measure->rule == MEASURE_SAME || !json_is_number(has) || wanted <= 0) return 1;
    return measure->rule == MEASURE_AT_MOST ? there / wanted - 1 : 1 - there / wanted;
}

/* Is it a flavour for components of this kind? It is one when it says something about a measure of the kind. */
static bool is_of_kind(const json_t *flavour, const char *kind)
{
    for (const struct measure *measure = site_measures; measure->name; measure++)
        if (text_equal(measure->kind, kind) && json_object_get(flavour, measure->name)) return true;
    return false;
}

static double total_distance(const json_t *flavour, const struct flavour_wish *wish)
{
    double sum = 0;
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        const json_t *needs = json_object_get(wish->needs, measure->name);
        if (text_equal(measure->kind, wish->kind) && needs) sum += distance(measure, json_object_get(flavour, measure->name), needs);
    }
    return sum;
}

static double size_of(const json_t *flavour)
{
    double size = 0;
    for (const struct measure *measure = site_measures; measure->name; measure++)
        if (measure->adds_up) size += json_number_value(json_object_get(flavour, measure->name));
    return size;
}

static int refuse(const struct flavour_wish *wish, const char *nearest, const json_t *flavour, struct error *err)
{
    struct text lacks = {0};
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        const json_t *needs = json_object_get(wish->needs, measure->name), *has = json_object_get(flavour, measure->name);
        if (!text_equal(measure->kind, wish->kind) || !needs || meets(measure, has, needs)) continue;
        if (lacks.size) text_add(&lacks, ", ");
        measure_print(measure, needs, &lacks);
        text_add(&lacks, " (it has ");
        measure_print(measure, has, &lacks);
        text_add(&lacks, ")");
    }
    error_set(err, ERROR_CONFLICT, NOWHERE, "no flavour of %.40s meets %s '%.40s': the nearest is %.40s, which lacks %s", wish->domain,
        wish->kind, wish->component, nearest, text_view(&lacks));
    text_release(&lacks);
    return error_hint(err, "ask for less, or order it on another domain");
}

static int unknown_flavour(const json_t *flavours, const struct flavour_wish *wish, struct error *err)
{
    const char *names[NAMES_MAX + 1] = {NULL}, *name;
    json_t *each;
    size_t count = 0;
    json_object_foreach((json_t *)flavours, name, each)
    {
        if (count < NAMES_MAX) names[count++] = name;
    }
    const char *near = text_nearest(wish->named, names);
    error_set(err, ERROR_INVALID, NOWHERE, "%s '%.40s' asks for the flavour %.40s, which %.40s does not have", wish->kind, wish->component,
        wish->named, wish->domain);
    return near ? error_hint(err, "did you mean %.60s?", near) : error_hint(err, "`crescendo domain show %.60s` lists them", wish->domain);
}

int site_find_flavour(const json_t *site, const struct flavour_wish *wish, const char **ret, struct error *err)
{
    const json_t *flavours = json_object_get(site, "flavours");
    const char *name, *best = NULL;
    json_t *flavour;
    double best_distance = 0, best_size = 0;
    if (wish->named && !json_object_get(flavours, wish->named)) return unknown_flavour(flavours, wish, err);
    json_object_foreach((json_t *)flavours, name, flavour)
    {
        if (wish->named ? !text_equal(name, wish->named) : !is_of_kind(flavour, wish->kind)) continue;
        double away = total_distance(flavour, wish), size = size_of(flavour);
        if (best && (away > best_distance || (away == best_distance && size >= best_size))) continue;
        best = name, best_distance = away, best_size = size;
    }
    if (best && best_distance > 0) return refuse(wish, best, json_object_get(flavours, best), err);
    *ret = best;
    return 0;
}
